"""The rules, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from thaiwiki_clean.edits import Edit

RULES: tuple[Callable[[str], Iterable[Edit]], ...] = ()

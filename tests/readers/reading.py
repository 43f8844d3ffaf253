"""How the tests of the readers read: every page's text, and what is said of a source that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from thaiwiki_clean.readers import SourceError, read


def raws(source: object, **options: Any) -> list[str]:
    return [page.raw for page in read(str(source), **options)]


def said(source: object, **options: Any) -> str:
    """The one line."""
    with pytest.raises(SourceError) as error:
        raws(source, **options)
    assert "\n" not in str(error.value)
    return str(error.value)

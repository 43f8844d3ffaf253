"""Sample pages: 64 short Thai pages with every kind of dirt, to try things on without downloading anything."""

from __future__ import annotations

from pathlib import Path

__all__ = ["path"]


def path() -> Path:
    """Where the sample pages lie: JSON Lines with the columns ``title``, ``text`` and ``source``, one page a line.

    >>> path().name
    'pages.jsonl'
    """
    return Path(__file__).with_name("pages.jsonl")

"""HTML entities, as MediaWiki reads them: a semicolon at the end is required, unlike in :func:`html.unescape`."""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from html.entities import html5

__all__ = ["decode"]

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_BLANKS = re.compile("[\\s\u00a0]")


def decode(text: str) -> str:
    """``text`` with its entities turned into characters; a blank of any kind becomes a plain one.

    >>> decode("9.4&nbsp;°C &ndash; &amp;lt; a&copy=1 &foo;")
    '9.4 °C – &lt; a&copy=1 &foo;'
    """
    return _ENTITY.sub(lambda m: _character(m[0]), text) if "&" in text else text


@lru_cache(maxsize=1 << 12)
def _character(name: str) -> str:
    if name[1] != "#" and name[1:] not in html5:
        return name
    new = unescape(name)
    if not new or new == "\ufffd" or new < " ":
        return " " if new in ("\t", "\n", "\r") else ""
    return " " if _BLANKS.fullmatch(new) else new

"""Blanks and blank lines."""

from __future__ import annotations

import re

from thaiwiki_clean.edits import Edit

__all__ = ["spacing"]

# Doubled blanks; a blank before a line end; a line end before a blank, or before two more.
_SPACES = re.compile(r" [ \n]+|\n(?:\n\n| |\n )[ \n]*")
# The same, each beginning with one plain character: so the engine finds that there is nothing in a third of the time.
_AFTER_BLANK = re.compile(r" [ \n]")
_AFTER_LINE_END = re.compile(r"\n(?: |\n\n)")


def spacing(text: str) -> list[Edit]:
    r"""Blanks at the ends of lines, doubled blanks, and blank lines beyond the first of a run.

    >>> [(e.start, e.end) for e in spacing("ก  ข \n\n\n\nค ")]
    [(2, 3), (4, 5), (7, 9), (10, 11)]

    One blank line stays where one or more stood: paragraphs stay paragraphs.
    """
    first = len(text) - len(text.lstrip(" \n"))
    last = max(first, len(text.rstrip(" \n")))
    edits = [Edit(0, first, "spacing")] if first else []
    if _AFTER_BLANK.search(text, first, last) or _AFTER_LINE_END.search(text, first, last):
        edits += _inside(text, first, last)
    if last < len(text):
        edits.append(Edit(last, len(text), "spacing"))
    return edits


def _inside(text: str, first: int, last: int) -> list[Edit]:
    """The edits between the first word and the last."""
    edits = []
    for m in _SPACES.finditer(text, first, last):
        start, end = m.span()
        if "\n" in m.group():
            edits += _around_line_end(m.group(), start)
        else:
            edits.append(Edit(start + 1, end, "spacing"))
    return edits


def _around_line_end(blanks: str, start: int) -> list[Edit]:
    """Keep the first newline of a run, and the second if there is one; drop all else."""
    edits = []
    newlines, dropped = 0, start
    for at, char in enumerate(blanks, start):
        if char == "\n" and newlines < 2:
            newlines += 1
            if at > dropped:
                edits.append(Edit(dropped, at, "spacing"))
            dropped = at + 1
    if start + len(blanks) > dropped:
        edits.append(Edit(dropped, start + len(blanks), "spacing"))
    return edits

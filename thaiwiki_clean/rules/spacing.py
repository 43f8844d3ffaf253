"""Blanks and blank lines."""

from __future__ import annotations

import re

from thaiwiki_clean.edits import Edit, edit_of

__all__ = ["spacing"]

# Runs to mend. Each pattern begins with one plain character, to which the engine skips: both cost a third of one for all.
_AFTER_BLANK = re.compile(r" [ \n]+")  # doubled blanks; blanks before a line end
_AFTER_LINE_END = re.compile(r"\n(?:\n\n| |\n )[ \n]*")  # a line end before a blank, or before two more


def spacing(text: str) -> list[Edit]:
    r"""Blanks at the ends of lines, doubled blanks, and blank lines beyond the first of a run.

    >>> [(e.start, e.end) for e in spacing("ก  ข \n\n\n\nค ")]
    [(2, 3), (4, 5), (7, 9), (10, 11)]

    One blank line stays where one or more stood: paragraphs stay paragraphs.
    """
    first = len(text) - len(text.lstrip(" \n"))
    last = max(first, len(text.rstrip(" \n")))
    edits = [Edit(0, first, "spacing")] if first else []
    runs = [m.span() for m in _AFTER_BLANK.finditer(text, first, last)]
    if _AFTER_LINE_END.search(text, first, last):
        runs = sorted([*runs, *(m.span() for m in _AFTER_LINE_END.finditer(text, first, last))])
    if runs:
        edits += _inside(text, runs)
    if last < len(text):
        edits.append(Edit(last, len(text), "spacing"))
    return edits


def _inside(text: str, runs: list[tuple[int, int]]) -> list[Edit]:
    """The edits between the first word and the last."""
    edits = []
    done = 0
    for start, end in runs:
        if start < done:
            continue  # the tail of the run before
        done = end
        if text.find("\n", start, end) >= 0:
            edits += _around_line_end(text[start:end], start)
        else:
            edits.append(edit_of((start + 1, end, "spacing", "")))
    return edits


def _around_line_end(blanks: str, start: int) -> list[Edit]:
    """Keep the first newline of a run, and the second if there is one; drop all else."""
    edits = []
    newlines, dropped = 0, start
    for at, char in enumerate(blanks, start):
        if char == "\n" and newlines < 2:
            newlines += 1
            if at > dropped:
                edits.append(edit_of((dropped, at, "spacing", "")))
            dropped = at + 1
    if start + len(blanks) > dropped:
        edits.append(edit_of((dropped, start + len(blanks), "spacing", "")))
    return edits

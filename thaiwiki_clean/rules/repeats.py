"""Lines that a page says twice."""

from __future__ import annotations

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.markup import drop_lines, split

__all__ = ["repeated_line", "repeated_title"]

#: Shorter lines may stand twice for a reason: a brace of code, a score, a refrain's "เอย".
REPEAT_LENGTH = 8
#: A title alone on a line is this long at most, and its line, with its blanks, so long.
TITLE_LENGTH = 120
TITLE_LINE = 400


def repeated_line(text: str) -> list[Edit]:
    """Lines that stand earlier on the page, letter by letter; the first one stays.

    >>> repeated_line("แมวเป็นสัตว์\\nสุนัข\\nแมวเป็นสัตว์")
    [Edit(start=19, end=31, reason='repeated_line', new='')]

    Blanks at their ends are gone by then: the last rule of a round trims lines.

    Spared: lines of fewer than eight characters, and lines without a letter.
    """
    found = split(text)
    if len(set(found)) + max(found.count("") - 1, 0) == len(found):
        return []  # no line but the blank one stands twice
    seen: set[str] = set()
    again = []
    for i, line in enumerate(found):
        if len(line) < REPEAT_LENGTH:
            continue
        if line in seen and any(char.isalpha() for char in line):
            again.append(i)
        seen.add(line)
    return drop_lines(text, again, "repeated_line")


def repeated_title(text: str) -> list[Edit]:
    """The page's title on a line of its own above a text that begins with it.

    >>> repeated_title("แมว\\nแมว เป็นสัตว์เลี้ยงลูกด้วยนม")
    [Edit(start=0, end=4, reason='repeated_title', new='')]
    """
    found = split(text)
    if len(found) == 1 or len(found[0]) > TITLE_LINE:
        return []
    title = found[0].strip()
    if not 1 < len(title) <= TITLE_LENGTH:
        return []
    second = (
        found[1]
        if found[1] and not found[1].isspace()
        else next((line for line in found if line is not found[0] and line and not line.isspace()), "")
    )
    if len(second) > len(title) + 8 and second.lstrip(" '\"").startswith(title):
        return drop_lines(text, [0], "repeated_title")
    return []

"""The arms of the experiment: one article, and what each arm trains as its answer. The text is the dial; nothing else turns.

Groups of rules are named after what they take out. ``without_lists`` is the cleaned text with what the rules about lists would have taken.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from thaiwiki_clean.clean import Rule, clean, explain
from thaiwiki_clean.instruct.sentences import ends
from thaiwiki_clean.rules import RULES

__all__ = ["GROUPS", "MAIN", "Arm", "Article", "group_arms", "main_arms", "rule_arms"]


class Article(NamedTuple):
    """A page that a build kept: its raw text, and the text that the build made of it."""

    id: str
    title: str
    raw: str
    text: str


@dataclasses.dataclass(frozen=True)
class Arm:
    """What a run is trained on: the answers that ``text`` makes of articles, and whether the stop token has a loss."""

    name: str
    about: str  #: one sentence for the table
    text: Callable[[Article], str]
    train_stop: bool = True


#: What belongs together -> its rules, by name. Every rule is in one group (a test knows).
GROUPS: dict[str, tuple[str, ...]] = {
    "headers": ("section_header", "bare_header"),
    "lists": (
        *("boilerplate_section", "link_list", "list_intro", "list_marker", "category", "navigation", "hatnote", "source_line", "table"),
    ),
    "repeats": ("repeated_title", "repeated_line"),
    "markup": (
        *("redirect", "reference", "html", "html_entity", "edit_link", "image", "url", "template_parameter", "wiki_markup", "magic_word"),
        "empty_brackets",
    ),
    "characters": ("line_end", "odd_blank", "invisible", "thai_vowel", "thai_mark", "spacing"),
}

_BY_NAME: dict[str, Rule] = {rule.__name__: rule for rule in RULES}


def without(names: Iterable[str]) -> Callable[[Article], str]:
    """Cleaning with some rules left out.

    >>> page = Article("1", "แมว", "แมวเป็นสัตว์เลี้ยงลูกด้วยนม[1] ()", "แมวเป็นสัตว์เลี้ยงลูกด้วยนม")
    >>> without(["reference"])(page)
    'แมวเป็นสัตว์เลี้ยงลูกด้วยนม[1]'

    Raises KeyError for a name that no rule has.
    """
    left_out = {_BY_NAME[name] for name in names}
    rules = tuple(rule for rule in RULES if rule not in left_out)
    return lambda article: clean(article.raw, rules)


def unrepeated(text: str, title: str = "") -> str:
    """The text without lines that stand earlier in it, blanks at their ends aside, nor lines that are the title.

    >>> unrepeated("แมวเป็นสัตว์\\n== ดูเพิ่ม ==\\nเสือ \\nเสือ\\nแมว", "แมว")
    'แมวเป็นสัตว์\\n== ดูเพิ่ม ==\\nเสือ '
    """
    seen = {title.strip()} if title else set()
    kept = []
    for line in text.split("\n"):
        if line.strip() in seen:
            continue
        if line.strip():
            seen.add(line.strip())
        kept.append(line)
    return "\n".join(kept)


def shortened(article: Article, length: Callable[[str], int] = len) -> str:
    """The raw text with its dirt whole and its prose cut back, sentence by sentence from the end, until it is no longer than the clean text.

    >>> page = Article("1", "แมว", "แมวเป็นสัตว์\\nแมวกินปลาเป็นอาหาร\\n== ดูเพิ่ม ==\\nเสือ", "แมวเป็นสัตว์\\nแมวกินปลาเป็นอาหาร")
    >>> shortened(page)
    'แมวเป็นสัตว์\\n== ดูเพิ่ม ==\\nเสือ'

    So the arms can be compared at the same number of tokens. One sentence of prose stays, whatever the length.
    """
    lines, prose = article.raw.strip().split("\n"), _prose_lines(article.raw.strip())
    while length("\n".join(lines)) > length(article.text) and prose:
        last = prose[-1]
        places = [end for end in ends(lines[last]) if end < len(lines[last].rstrip())]
        if places:
            lines[last] = lines[last][: places[-1]]
        elif len(prose) > 1:
            del lines[last]
            prose.pop()
        else:
            break
    return "\n".join(lines)


def _prose_lines(raw: str) -> list[int]:
    """Numbers of the lines of which cleaning keeps more than half."""
    gone = [0] * (raw.count("\n") + 1)
    for edit in explain(raw).edits:
        first = raw.count("\n", 0, edit.start)
        for number, piece in enumerate(raw[edit.start : edit.end].split("\n"), first):
            gone[number] += len(piece)
    return [i for i, line in enumerate(raw.split("\n")) if len(line) > 2 * gone[i]]


def main_arms(length: Callable[[str], int] = len) -> tuple[Arm, ...]:
    """The arms that answer the question; ``length`` counts tokens of the base's tokenizer."""
    links = without([*GROUPS["headers"], *GROUPS["lists"]])
    return (
        Arm("clean", "the text of our build", lambda a: a.text),
        Arm("raw", "the page as the dump parser left it", lambda a: a.raw.strip()),
        Arm("clean_nostop", "clean, and the stop token has no loss", lambda a: a.text, train_stop=False),
        Arm("raw_nostop", "raw, and the stop token has no loss", lambda a: a.raw.strip(), train_stop=False),
        Arm("raw_short", "raw with its prose cut back to the tokens of clean", lambda a: shortened(a, length)),
        Arm("links", "clean, with its headers and link lists, and no line twice", lambda a: unrepeated(links(a), a.title).strip()),
        Arm("raw_unrepeated", "raw without lines that repeat", lambda a: unrepeated(a.raw.strip(), a.title).strip()),
    )


MAIN = tuple(arm.name for arm in main_arms())


def group_arms() -> tuple[Arm, ...]:
    """Cleaning with one group of rules left out."""
    return tuple(Arm(f"without_{group}", f"clean, but for {', '.join(names)}", without(names)) for group, names in GROUPS.items())


def rule_arms(articles: Sequence[Article], least: float = 0.04) -> tuple[Arm, ...]:
    """Cleaning with one rule left out, for each rule whose absence changes at least that share of the articles.

    A rule that changes none of the rows would train the same model again.
    """
    arms = []
    for name in _BY_NAME:
        text = without([name])
        changed = sum(text(article) != article.text for article in articles)
        if changed >= max(1, least * len(articles)):
            arms.append(Arm(f"without_{name}", f"clean, but for {name}: {changed} of {len(articles)} rows differ", text))
    return tuple(arms)

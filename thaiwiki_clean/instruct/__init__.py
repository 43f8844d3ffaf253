"""Instruction data from clean pages: prompts from a table that a curator edits, answers from the page's own text.

An answer is a piece of the page as it stands: the whole article, its lead, its first paragraph, or one section.
It ends where a sentence or paragraph ends and fits the budget, or it is left out with a reason.
One piece of text answers one prompt only: where several kinds of prompt would have the same answer, one is drawn.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import regex

from thaiwiki_clean.instruct.budget import CHARACTERS, Ruler, ruler, shorten
from thaiwiki_clean.instruct.budget import Counter as Tokenizer
from thaiwiki_clean.instruct.contamination import Index, contaminated, letters_of
from thaiwiki_clean.instruct.formats import Example
from thaiwiki_clean.instruct.prompts import KINDS, Template, check, default_templates, suiting
from thaiwiki_clean.instruct.sections import Section, sections
from thaiwiki_clean.instruct.sentences import announces, breaks_off, reads_begun
from thaiwiki_clean.instruct.splits import Splits, split_families
from thaiwiki_clean.markup import is_name
from thaiwiki_clean.page import Page
from thaiwiki_clean.vocabulary import clause_pattern, title_kind
from thaiwiki_clean.words import word_ends
from thaiwiki_clean.words import words as segment

__all__ = ["KINDS", "LEFT_OUT", "Plan", "Skipped", "Template", "default_templates", "instructions", "page_examples"]

#: why an example was left out -> what it says to a reader.
LEFT_OUT: dict[str, str] = {
    "source": "Pages of this wiki do not explain their title: Wikisource holds sources, Wikiquote quotations.",
    "title": "The title holds wiki markup or a line end, or nothing.",
    "no_piece": "The page has no such piece: no text before its first header, or no section.",
    "no_template": "No template of this kind suits the page.",
    "same_answer": "Another prompt of this page has the same answer.",
    "list_residue": "What stands before the first list line, header or markup is too short for an answer.",
    "no_beginning": "The piece begins with the rest of a sentence.",
    "no_end": "No sentence or paragraph ends within the budget.",
    "too_short": "The answer is shorter than the shortest that says something.",
    "echo": "The answer is its prompt or its title over again.",
    "prompt_inside": "The answer holds its prompt.",
    "contaminated": "The example shares a passage with an evaluation set.",
}

#: Wikis whose pages do not explain their title.
NOT_EXPLAINING = ("thaiwikisource", "thaiwikiquote")

# Of what stands behind a piece, as much as tells whether the piece breaks off.
_AHEAD = 80

# Of an answer, as much as nearly always tells that it is not its title.
_HEAD = 60

# In characters. The shortest gold page that is worth keeping has 47.
_SHORTEST_ANSWER = 40

# "ชื่อเล่น : สิบโท" and "พ.ศ. 2550 - ..." are items of lists too: all 39 such lines of 1,209 real passages are.
_LIST_LINE = regex.compile(
    r"""[ \t]*(?: [*\#;:•◦▪‣·] | [-–—][ ]
    | ={1,6}[^=\n]+=+[ \t]*$                                    # a header
    | \{\| | \|[-}+] | !(?=[ !]) | \[\[                         # a table, a link on its own
    | \((?:[ivx]+|\p{N}{4})\)                                    # an item that is counted so, or has its year before it
    | (?:[พค]\.ศ\.[ ]?)?\p{N}{3,4}[ ]?[-–—](?![ ]?(?:\p{N}|[พค]\.ศ)) )  # a year and what happened; no span of years
    """,
    regex.VERBOSE,
)
_LABEL = re.compile(r"[ \t]*[^\n:(]{1,30}[ ]:[ ]")  # and its value
# "ผู้แสดงประกอบหญิงยอดเยี่ยม - หทัยทิพย์ ศรีสังข์", "อุปนิสัย: จิตใจดี": an item and what is said of it.
_ITEM = regex.compile(r"[^\n(:\p{N}]{1,40}(?:[ ][-–—][ ]|:[ ])")
# Either has one of these in its first characters, and most lines have none.
_PARTS_ITEM = re.compile(r"[-–—:][ ]")
_LONGEST_ITEM = 43
# A name that holds a verb, and a header that reads like the rest of a sentence: "การเป็นพิษจากดิช็อกซิน (2532)", "ในประเทศไทย".
_NOMINAL = re.compile(r"(?:(?:การ|ความ)[^ \n]{2,40}(?:[ ]\([^\n()]*\))?|ใน[^ \n]{2,20})[ ]*")
# A line that ends by saying that a list follows, or says no more than that.
_LIST_FOLLOWS = tuple(word + colon for word in ("ดังนี้", "ต่อไปนี้", "ตามตาราง") for colon in ("", ":", " :", "：", " ："))
_ONLY_ANNOUNCES = re.compile(r"[ \t]*(?:ได้แก่|เช่น|อาทิ|ตัวอย่าง(?:เช่น)?|คือ|ประกอบด้วย)[ ]?[:：]?[ \t]*")
_PARAGRAPH_END = re.compile(r"[^ \t\n](?=\n\n)")
_BAD_TITLE = re.compile(r"[\n\[\]{}|<>]")


class Skipped(NamedTuple):
    """An example that was left out; ``reason`` is a key of :data:`LEFT_OUT`."""

    page_id: str
    kind: str
    reason: str
    detail: str = ""


@dataclasses.dataclass(frozen=True)
class Plan:
    """Everything that decides which examples a page gives; the same page and plan give the same examples anywhere."""

    kinds: tuple[str, ...] = ("definition",)
    templates: tuple[Template, ...] = dataclasses.field(default_factory=default_templates)
    tokenizer: str | Tokenizer | None = None
    max_tokens: int = 1024
    seed: int = 0
    splits: Splits = dataclasses.field(default_factory=Splits)
    evaluation: Index | None = None

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS:
                raise ValueError(f"no kind {kind!r} of prompt; there are {', '.join(KINDS)}")
            if not any(template.kind == kind for template in self.templates):
                raise ValueError(f"no template of kind {kind!r} among {len(self.templates)}; add one, or leave the kind out")
        if not self.kinds:
            raise ValueError(f"no kind of prompt asked for; there are {', '.join(KINDS)}")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens should be positive, got {self.max_tokens}")


def instructions(
    pages: Iterable[Page],
    *,
    templates: Sequence[Template] | None = None,
    kinds: Sequence[str] = ("definition",),
    tokenizer: str | Tokenizer | None = None,
    max_tokens: int = 1024,
    seed: int = 0,
    splits: Splits | None = None,
    evaluation: Index | None = None,
    on_skip: Callable[[Skipped], object] | None = None,
) -> Iterator[Example]:
    """Examples of instruction data from clean pages, in the order of the pages.

    >>> page = Page("1", "แมว", "thaiwikipedia", "", raw := "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็กในวงศ์เสือและแมว", raw)
    >>> [(e.prompt, e.split) for e in instructions([page], tokenizer="characters")]
    [('อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ แมว', 'train')]

    ``max_tokens`` bounds prompt, answer and what a trainer puts around them, the stop token included, in tokens of ``tokenizer``
    (see :func:`thaiwiki_clean.instruct.budget.ruler`), in words when it is None. Pages with a verdict in ``dropped`` give nothing.
    Without ``splits`` the pages are read into memory first, because families need them all: hand in
    :func:`thaiwiki_clean.instruct.splits.split_families` of the same pages to let them flow.
    What is left out goes to ``on_skip``; without one, its counts are logged at the end.
    """
    if splits is None:
        pages = list(pages)
        splits = split_families(pages, seed=seed)
    chosen = tuple(templates) if templates is not None else default_templates()
    check(chosen)
    plan = Plan(tuple(kinds), chosen, tokenizer, max_tokens, seed, splits, evaluation)
    return _run(pages, plan, on_skip)


def _run(pages: Iterable[Page], plan: Plan, on_skip: Callable[[Skipped], object] | None) -> Iterator[Example]:
    counts: Counter[str] = Counter()
    for page in pages:
        for made in page_examples(page, plan):
            if isinstance(made, Example):
                yield made
            elif on_skip:
                on_skip(made)
            else:
                counts[made.reason] += 1
    if counts:
        logging.getLogger(__name__).warning("left out: %s", ", ".join(f"{n} {reason}" for reason, n in counts.most_common()))


def page_examples(page: Page, plan: Plan, words: Sequence[int] | None = None) -> Iterator[Example | Skipped]:
    """What one page gives: for every kind asked for an example or the reason why not. Nothing for a page with a verdict.

    ``words`` says where the words of ``page.text`` end (:func:`thaiwiki_clean.words.word_ends`), where the page has been segmented already.
    """
    if page.dropped is not None:
        return
    verdict = "source" if page.source in NOT_EXPLAINING else "title" if not page.title.strip() or _BAD_TITLE.search(page.title) else ""
    if verdict:
        yield from (Skipped(page.id, kind, verdict, page.title) for kind in plan.kinds)
        return
    pieces = _pieces(page, plan.kinds)
    wanted = set(plan.kinds)
    lengths = _Lengths(page, plan, words)
    for name, piece, kinds in pieces:
        template = _draw(page, name, piece.path, kinds, plan)
        if template is None:
            yield from (Skipped(page.id, kind, "no_template", name) for kind in kinds)
            continue
        yield from (Skipped(page.id, other, "same_answer", name) for other in kinds if other != template.kind)
        yield _example(page, name, piece, template, lengths, plan)
    served = {kind for _, _, kinds in pieces for kind in kinds}
    yield from (Skipped(page.id, kind, "no_piece") for kind in plan.kinds if kind in wanted - served)


def _pieces(page: Page, kinds: Sequence[str]) -> list[tuple[str, Section, tuple[str, ...]]]:
    """``(name, place, kinds that it answers)`` for every piece of the page; no two are the same stretch of text."""
    if not page.text.strip():
        return []
    whole = Section((), len(page.text) - len(page.text.lstrip()), len(page.text.rstrip()))
    found = [("whole", whole)]
    if set(kinds) - {"definition", "varied"}:
        parts = sections(page)
        if not parts[0].path:
            lead = parts[0]
            end = page.text.find("\n\n", lead.start, lead.end)
            first = lead._replace(end=lead.end if end < 0 else end)
            found.append(("lead", lead))
            if (first.start, first.end) != (whole.start, whole.end):  # else there is nothing to sum up
                found.append(("paragraph", first))
        found += [(f"section-{i}", part) for i, part in enumerate(parts) if part.path]
    places: dict[tuple[int, int], tuple[str, Section, list[str]]] = {}
    for name, piece in found:
        served = [kind for kind in kinds if KINDS[kind] == name.partition("-")[0]]
        if served:
            places.setdefault((piece.start, piece.end), (name, piece, []))[2].extend(served)
    return [(name, piece, tuple(served)) for name, piece, served in places.values()]


def _draw(page: Page, name: str, path: tuple[str, ...], kinds: tuple[str, ...], plan: Plan) -> Template | None:
    """The template that asks for this piece; which, only the seed, the page and the piece decide. None when none suits."""
    digest = hashlib.sha256(f"{plan.seed}\n{page.source}\n{page.id}\n{name}".encode("utf-8", "surrogatepass")).digest()
    fitting = [found for kind in kinds if (found := suiting(plan.templates, kind, page, nested=len(path) > 1))]
    if not fitting:
        return None
    of_kind = fitting[int.from_bytes(digest[:8], "big") % len(fitting)]
    return of_kind[int.from_bytes(digest[8:16], "big") % len(of_kind)]


def _example(page: Page, name: str, piece: Section, template: Template, lengths: _Lengths, plan: Plan) -> Example | Skipped:
    def left_out(reason: str, detail: str = "") -> Skipped:
        return Skipped(page.id, template.kind, reason, detail)

    section = piece.path[-1] if piece.path else ""
    if piece.path and (not section or _BAD_TITLE.search("".join(piece.path))):
        return left_out("title", section)
    prompt = template.prompt.format(title=page.title, section=section, parent=piece.path[-2] if len(piece.path) > 1 else "")
    text = page.text[piece.start : piece.end]
    if not reads_begun(text):
        return left_out("no_beginning", name)
    if piece.path and title_kind(section) == "certain":
        return left_out("list_residue", name)
    readable = lengths.readable(piece)  # a quarter of all text stands beyond the budget of its page
    prose = _before_residue(text[:readable], page.title)
    if len(prose) < _SHORTEST_ANSWER and readable < len(text):
        prose = _before_residue(text, page.title)
    if len(prose) < _SHORTEST_ANSWER:
        return left_out("too_short" if len(text) < _SHORTEST_ANSWER else "list_residue", name)
    after = page.text[piece.start + len(prose) : piece.end + _AHEAD]
    if "\n" not in prose.rpartition("\n\n")[2] and _begins_list(after.lstrip("\n").partition("\n")[0]):
        after = ""  # in wikitext a list ends the paragraph before it; of several lines the last may be the rest of a broken one
    answer = shorten(prose, prompt, lengths.measure, plan.max_tokens, lengths.upto(piece.start), after=after, broken=lengths.broken)
    if len(answer) < _SHORTEST_ANSWER:
        return left_out("too_short" if answer else "no_end", name)
    if _echoes(answer, prompt, page.title):
        return left_out("echo")
    if prompt in answer or any(len(said) >= 12 and said in answer for said in _said(template)):
        return left_out("prompt_inside")
    if plan.evaluation and (found := contaminated(prompt, answer, plan.evaluation)):
        return left_out("contaminated", found)
    return Example(
        prompt,
        answer,
        id=f"{page.source}/{page.id}/{name}",
        kind=template.kind,
        template=template.id,
        title=page.title,
        section=piece.path,
        url=page.url,
        page_id=page.id,
        source=page.source,
        n_words=None if plan.tokenizer == CHARACTERS else lengths.words(piece.start, piece.start + len(answer)),
        n_tokens=lengths.measure.size(prompt, answer) if lengths.measure.unit == "tokens" else None,
        shortened=len(answer) < len(text),
        split=plan.splits.of(page),
    )


class _Lengths:
    """How long the pieces of a page are. The page is segmented once at most, for all its pieces, and not at all where that was done before."""

    def __init__(self, page: Page, plan: Plan, words: Sequence[int] | None) -> None:
        self.measure: Ruler = ruler(plan.tokenizer)
        self._text = page.text
        self._budget = plan.max_tokens
        self._ends = words
        self._broken: bool | None = None

    def broken(self) -> bool:
        """Whether the page's paragraphs break off inside sentences."""
        if self._broken is None:
            self._broken = breaks_off(self._text)
        return self._broken

    def readable(self, piece: Section) -> int:
        """How much of a piece has to be read: up to the end of the paragraph that goes beyond the budget, where that is known already."""
        if self.measure.unit == CHARACTERS:
            beyond = piece.start + self._budget + 1
        elif self._ends is not None and self.measure.unit == "words":
            number = bisect_right(self._ends, piece.start) + self._budget
            beyond = self._ends[number] if number < len(self._ends) else piece.end
        else:
            return piece.end - piece.start
        found = _PARAGRAPH_END.search(self._text, beyond - 1, piece.end)
        return (found.end() if found else piece.end) - piece.start

    def words(self, start: int, end: int) -> int:
        """Words that end in ``[start, end)`` of the page's text."""
        if self._ends is None:
            self._ends = word_ends(segment(self._text))
        return bisect_right(self._ends, end) - bisect_right(self._ends, start)

    def upto(self, start: int) -> Callable[[int], int] | None:
        """A function from an offset behind ``start`` to the length of the text between; None where that takes a tokenizer."""
        if self.measure.unit == "tokens":
            return None
        if self.measure.unit == CHARACTERS:
            return lambda end: end
        return lambda end: self.words(start, start + end)


def _echoes(answer: str, *said: str) -> bool:
    """Whether the answer has the letters of something ``said`` and no others. Its beginning tells, nearly always."""
    head = letters_of(answer[:_HEAD])
    return any(letters.startswith(head) and letters_of(answer) == letters for letters in map(letters_of, said))


def _before_residue(text: str, title: str) -> str:
    """``text`` up to the first line of a list, header or markup, bare name, or sentence whose list is gone; "" when it begins with one.

    A bare name before a list is its label ("เครื่องราชอิสริยาภรณ์ไทย"): of 900 gold pages six begin with one, two of them prose.
    A bare name among prose is a header, an item, or the rest of a broken line.
    """
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if line and (_is_residue(line, lines[at + 1] if at + 1 < len(lines) else "") or (at and line.strip(" ") == title)):
            lines = lines[:at]
            break
    prose = "\n".join(lines).rstrip(" \t\n")
    return prose if any(word[0] not in ("จาก", "หรือ") for word in clause_pattern().finditer(prose)) else ""


def _is_residue(line: str, following: str) -> bool:
    return is_name(line) or _NOMINAL.fullmatch(line) is not None or _begins_list(line) or (not following.strip() and announces(line))


def _begins_list(line: str) -> bool:
    if _LIST_LINE.match(line) or line.rstrip(" \t").endswith(_LIST_FOLLOWS) or _ONLY_ANNOUNCES.fullmatch(line):
        return True
    if not _PARTS_ITEM.search(line.lstrip(" \t"), 0, _LONGEST_ITEM):
        return False
    return _LABEL.match(line) is not None or ((item := _ITEM.match(line)) is not None and not clause_pattern().search(item[0]))


@cache
def _said(template: Template) -> tuple[str, ...]:
    """What a template says besides the names it is filled with."""
    return tuple(part.strip() for part in regex.split(r"\{\w+\}", template.prompt))

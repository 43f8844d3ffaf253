"""Checks of the rows as people read them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from finetune.checks.subject import Finding, Subject, called, error, evenly, of, shown, warning
from finetune.checks.template import ESCAPE
from finetune.data import Row
from thaiwiki_clean.clean import explain
from thaiwiki_clean.instruct.sentences import reads_finished
from thaiwiki_clean.instruct.splits import title_family
from thaiwiki_clean.reasons import REASONS
from thaiwiki_clean.repetition import over_limits, repetition

__all__ = [
    *("cut_answers", "duplicates", "escapes", "few_prompts", "file_blocks", "lost_titles", "mixed_prompt", "one_wording"),
    *("overlap", "prompt_wording", "repetitive", "special_in_text", "wiki_residue"),
]

#: Reasons that any text may meet: they say nothing about a wiki.
_CHARACTERS = {"line_end", "invisible", "odd_blank", "thai_vowel", "thai_mark", "spacing"}
RESIDUE = frozenset(REASONS) - _CHARACTERS

#: From this share of answers with residue on it is what the model learns, and not a stray row.
MUCH_RESIDUE = 0.05

#: Real Thai passages of a wiki and of a ministry end unfinished in 9 and 8 of 100 cases; texts cut at a length in nearly all.
MOST_UNFINISHED = 0.2

#: From so many rows on, one wording of the question is worth a word.
MANY_ROWS = 1000

#: Held-out prompts from which a difference of 0.14 in repetition mass is seen with three seeds.
ENOUGH_PROMPTS = 96

_MARKS = ("[INST]", "[/INST]", "<<SYS>>", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<start_of_turn>", "<end_of_turn>")

# Two or more English words in a row.
_ENGLISH = re.compile(r"[A-Za-z]{2,}(?: [A-Za-z]{2,})+")
_THAI = re.compile("[\u0e01-\u0e2e]")

# What a missing value becomes when a table is read and turned into text.
_LOST = {"", "nan", "None", "<NA>", "NaT"}


def escapes(about: Subject) -> Finding | None:
    r"""Neither prompts nor answers hold a backslash and an n where a newline was meant."""
    bad, number, text = _first(about.rows, lambda row: next((t for t in _texts(row) if ESCAPE.search(t)), None))
    if not bad:
        return None
    found = ESCAPE.search(text)
    assert found
    return error(
        f"{of(bad, len(about.rows))} hold an escape such as {found[0]} as text: the model learns to write it",
        "write the real character: decode JSON once more, or look for r'\\n' and '\\\\n' in what made the rows",
        f"{called(about.rows[number], number)}: {shown(text[max(0, found.start() - 20) :], 50)}",
    )


def special_in_text(about: Subject) -> Finding | None:
    """No text holds a special token or a mark of a chat template: the template writes those."""
    marks = sorted({*about.tokenizer.all_special_tokens, *_MARKS} - {""})
    any_mark = re.compile("|".join(map(re.escape, marks)))
    bad, number, text = _first(about.rows, lambda row: next((t for t in _texts(row) if any_mark.search(t)), None))
    if not bad:
        return None
    found = any_mark.search(text)
    assert found
    return error(
        f"{of(bad, len(about.rows))} hold {found[0]} in their text: the template writes it a second time",
        "give prompt and answer bare, without the marks of a chat",
        f"{called(about.rows[number], number)}: {shown(text[max(0, found.start() - 20) :], 50)}",
    )


def wiki_residue(about: Subject) -> Finding | None:
    """The answers hold nothing that the cleaner would take out, characters and blanks aside."""
    reasons: Counter[str] = Counter()
    looked, bad, example = evenly(len(about.rows)), 0, ""
    for number in looked:
        done = explain(about.rows[number].answer)
        edits = [edit for edit in done.edits if edit.reason in RESIDUE]
        reasons.update({edit.reason for edit in edits})
        bad += bool(edits)
        if edits and not example:
            first = edits[0]
            example = f"{called(about.rows[number], number)}: {shown(done.raw[first.start : first.end].strip(), 40)} is {first.reason}"
    if not bad:
        return None
    tell = error if bad >= MUCH_RESIDUE * len(looked) else warning
    return tell(
        f"{of(bad, len(looked), 'answers looked at')} hold what a wiki left behind: "
        + ", ".join(f"{reason} in {count:,}" for reason, count in reasons.most_common(5)),
        "clean the pages before answers are cut from them: thaiwiki-clean build SOURCE OUT; where this is the experiment, allow wiki_residue",
        example,
    )


def repetitive(about: Subject) -> Finding | None:
    """No answer says the same thing again and again."""
    looked = evenly(len(about.rows))
    measured = ((number, repetition(about.rows[number].answer, ())) for number in looked)  # by lines and letters: words would take longer
    bad = [(number, over, found) for number, found in measured if (over := over_limits(found))]
    if not bad:
        return None
    number, over, found = bad[0]
    return warning(
        f"{of(len(bad), len(looked), 'answers looked at')} repeat themselves, and a model learns that sooner than anything else",
        "leave them out (thaiwiki_clean.repetition.is_repetitive tells which), or clean the pages: thaiwiki-clean build SOURCE OUT",
        f"{called(about.rows[number], number)}, {over[0]} {getattr(found, over[0]):.2f}: {shown(about.rows[number].answer[-60:])}",
    )


def cut_answers(about: Subject) -> Finding | None:
    """The answers end where a Thai text may end."""
    looked = evenly(len(about.rows))
    bad = [number for number in looked if not reads_finished(about.rows[number].answer.rstrip())]
    if len(bad) <= MOST_UNFINISHED * len(looked):
        return None
    return warning(
        f"{of(len(bad), len(looked), 'answers looked at')} break off: somebody cut them, and the model learns to stop anywhere",
        "end answers at a sentence (thaiwiki-clean build --max-tokens), and leave rows out that do not fit rather than cut them",
        f"{called(about.rows[bad[0]], bad[0])}: …{shown(about.rows[bad[0]].answer[-40:])}",
    )


def prompt_wording(about: Subject) -> Finding | None:
    """The held-out rows ask as the training rows ask."""
    trained = {wording(row) for row in about.rows if row.title}
    asked = [(number, row) for number, row in enumerate(about.eval_rows) if row.title]
    bad = [(number, row) for number, row in asked if wording(row) not in trained]
    if not trained or not bad:
        return None
    number, row = bad[0]
    common = Counter(wording(row) for row in about.rows if row.title).most_common(1)[0][0]
    return warning(
        f"{of(len(bad), len(asked), 'held-out rows')} ask in words that no training row has; most of those ask {shown(common)}",
        "ask with the same prompt, letter for letter: make both from one build, or from one table of prompts",
        f"held-out {called(row, number)}: {shown(row.prompt[-1]['content'])}",
    )


def one_wording(about: Subject) -> Finding | None:
    """Many rows do not all ask in the same words."""
    if len(about.rows) < MANY_ROWS or not all(row.title for row in about.rows):
        return None
    words = {wording(row) for row in about.rows}
    if len(words) > 1:
        return None
    return warning(
        f"all {len(about.rows):,} rows ask {shown(words.pop())}: the model learns to answer this one sentence",
        "thaiwiki-clean build --kind varied --kind question; or ask the trained model with just this sentence",
    )


def mixed_prompt(about: Subject) -> Finding | None:
    """Thai instructions hold no English words that stand in row after row, such as "here are the inputs"."""
    phrases: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for number, row in enumerate(about.rows):
        question = wording(row)
        if _THAI.search(question):
            for phrase in set(_ENGLISH.findall(question)):
                counts[phrase] += 1
                phrases.setdefault(phrase, number)
    (phrase, often), *_ = counts.most_common(1) or [("", 0)]
    if often < 3 or often < 0.1 * len(about.rows):
        return None
    number = phrases[phrase]
    return warning(
        f"{of(often, len(about.rows))} mix English into a Thai instruction: {phrase!r}",
        "say it in Thai, or leave it out; thaiwiki-clean build writes such prompts",
        f"{called(about.rows[number], number)}: {shown(about.rows[number].prompt[-1]['content'])}",
    )


def overlap(about: Subject) -> Finding | None:
    """No held-out row is about the article of a training row, or has its answer; brackets behind a title and letter case do not count."""
    subjects = {_about(row): number for number, row in enumerate(about.rows)}
    answers = {" ".join(row.answer.split()): number for number, row in enumerate(about.rows)}
    bad = [
        (row, subjects.get(_about(row), answers.get(" ".join(row.answer.split()), -1)))
        for row in about.eval_rows
        if _about(row) in subjects or " ".join(row.answer.split()) in answers
    ]
    if not bad:
        return None
    row, number = bad[0]
    return error(
        f"{of(len(bad), len(about.eval_rows), 'held-out rows')} are among the training rows, by title or by answer",
        "take them out of the training data: thaiwiki-clean build --evaluation FILE, or use a build's own splits",
        f"held-out {row.title or shown(row.prompt[-1]['content'], 40)} and training {called(about.rows[number], number)}",
    )


def few_prompts(about: Subject) -> Finding | None:
    """There are enough held-out rows to tell two runs apart."""
    if not 0 < len(about.eval_rows) < ENOUGH_PROMPTS:
        return None
    return warning(
        f"held-out rows are few, {len(about.eval_rows)}: {ENOUGH_PROMPTS} show a difference of 0.14 in repetition mass with three seeds",
        f"hold out {ENOUGH_PROMPTS} or more (--eval FILE); a build of 5,000 pages does, with 2 % of the titles",
    )


def file_blocks(about: Subject) -> Finding | None:
    """Training and held-out rows are drawn from the whole source, and are not two blocks of it one behind the other."""
    trained, held_out = _numbers(about.rows), _numbers(about.eval_rows)
    if len(trained) < 10 or len(held_out) < 10 or (max(trained) > min(held_out) and max(held_out) > min(trained)):
        return None
    first, second = ("training", "held-out") if max(trained) <= min(held_out) else ("held-out", "training")
    return warning(
        f"all {first} rows stand before all {second} rows in the source (pages {min(trained)}-{max(trained)} and "
        f"{min(held_out)}-{max(held_out)}): two blocks of a file differ in more than chance",
        "draw both sides by chance: a build's own splits do, by a hash of the title",
    )


def duplicates(about: Subject) -> Finding | None:
    """No row stands twice."""
    seen: dict[tuple[str, ...], int] = {}
    bad: list[tuple[int, int]] = []
    for number, row in enumerate(about.rows):
        first = seen.setdefault(tuple(_texts(row)), number)
        if first != number:
            bad.append((number, first))
    if not bad:
        return None
    return warning(
        f"{of(len(bad), len(about.rows))} are copies of an earlier one: they count twice, and duplicates feed repetition",
        "drop them and keep the result (data = data.drop_duplicates()); a build has none",
        f"{called(about.rows[bad[0][0]], bad[0][0])}, and row {bad[0][1] + 1}",
    )


def lost_titles(about: Subject) -> Finding | None:
    """Where rows have titles all have one, and none is what a missing value became."""
    bad, number, _ = _first(about.rows, lambda row: row.title if row.title.strip() in _LOST else None)
    if not bad or (bad == len(about.rows) and not any(row.title for row in about.rows)):
        return None
    return warning(
        f"{of(bad, len(about.rows))} have lost their title ({about.rows[number].title!r}), and others have one",
        'read CSV files with keep_default_na=False, or keep the rows in parquet or jsonl: "NA" and "null" are titles too',
        f"{called(about.rows[number], number)}: {shown(about.rows[number].prompt[-1]['content'])}",
    )


def wording(row: Row) -> str:
    """The question with its title and what stands in quotation marks taken out.

    >>> wording(Row(({"role": "user", "content": "อธิบายหัวข้อ “ประวัติ” ของ แมว"},), "สัตว์", "แมว"))
    'อธิบายหัวข้อ “…” ของ {title}'
    """
    question = row.prompt[-1]["content"]
    if row.title:
        question = question.replace(row.title, "{title}")
    return re.sub("“[^”]*”", "“…”", question)


def _texts(row: Row) -> Iterable[str]:
    yield from (turn["content"] for turn in row.prompt)
    yield row.answer


def _about(row: Row) -> str:
    """What tells whether two rows are about one thing: the title's family, else the question."""
    return title_family(row.title) if row.title else f"\n{row.prompt[-1]['content']}"


def _first(rows: Sequence[Row], wrong: Callable[[Row], str | None]) -> tuple[int, int, str]:
    """How many rows are wrong, the number of the first, and what is wrong in it."""
    count, number, text = 0, -1, ""
    for n, row in enumerate(rows):
        found = wrong(row)
        if found is not None:
            count += 1
            if number < 0:
                number, text = n, found
    return count, number, text


def _numbers(rows: Sequence[Row]) -> list[int]:
    """The page number in each row's id: the middle of ``thaiwikipedia/1234/whole``, or the whole id."""
    found = (re.search(r"(?:^|/)(\d+)(?:/|$)", row.id) for row in rows)
    return [int(one[1]) for one in found if one]

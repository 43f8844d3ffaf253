"""Instruction examples: what may never be in one, and what a page gives."""

from __future__ import annotations

import json
import logging
import pickle
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaiwiki_clean.clean import clean_page
from thaiwiki_clean.edits import Edit, apply
from thaiwiki_clean.instruct import KINDS, LEFT_OUT, Plan, Skipped, Template, default_templates, instructions, page_examples
from thaiwiki_clean.instruct.contamination import Index
from thaiwiki_clean.instruct.formats import Example
from thaiwiki_clean.instruct.prompts import check
from thaiwiki_clean.instruct.sentences import reads_finished
from thaiwiki_clean.instruct.splits import split_families
from thaiwiki_clean.page import Page
from thaiwiki_clean.words import n_words, word_ends, words

LEAD = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็กในวงศ์เสือและแมว และเป็นสัตว์เลี้ยงที่คนรู้จักดีที่สุดชนิดหนึ่ง"
SECOND = "แมวบ้านมีขนสั้นหรือขนยาว ปัจจุบันมีมากกว่าเจ็ดสิบพันธุ์ทั่วโลก และพบได้ในทุกทวีปที่มีคนอยู่"
HISTORY = "แมวถูกนำมาเลี้ยงในอียิปต์เมื่อหลายพันปีก่อนเพื่อจับหนูในยุ้งข้าว ต่อมาพ่อค้าพาแมวลงเรือไปยังทวีปอื่น"
THAI = "แมวไทยที่มีชื่อเสียงคือแมววิเชียรมาศ ซึ่งมีบันทึกอยู่ในสมุดข่อยตั้งแต่สมัยอยุธยา"
PROSE = [LEAD, SECOND, HISTORY, THAI, "เสือ", "* สิงโต", "ได้แก่", "แมว", "== ประวัติ ==", ""]


def page(lines: list[str], title: str = "แมว", id_: str = "1", source: str = "thaiwikipedia", **more: str) -> Page:
    """A page whose header lines are taken out by edits and leave an empty line, as the cleaner does."""
    raw, edits = "", []
    for line in lines:
        if line.startswith("="):
            edits.append(Edit(len(raw), len(raw) + len(line), "section_header"))
        raw += line + "\n"
    raw = raw[:-1]
    return Page(id_, title, source, "https://th.wikipedia.org/wiki/x", raw, apply(raw, edits), tuple(edits), **more)


CAT = page([LEAD, "", SECOND, "== ประวัติ ==", HISTORY, "=== ในไทย ===", THAI])
PAGES = st.lists(
    st.builds(
        page,
        st.lists(st.sampled_from(PROSE), max_size=8),
        st.sampled_from(["แมว", "แมว (สัตว์)", "ใครฆ่าแมว?", "สมเด็จพระแมวราชา", "[[แมว]]"]),
        st.uuids().map(str),
        st.sampled_from(["thaiwikipedia", "thaiwiktionary", "thaiwikiquote"]),
    ),
    max_size=4,
)


def made(pages: list[Page], kinds: tuple[str, ...] = tuple(KINDS), tokens: int = 300, seed: int = 0) -> tuple[list[Example], list[Skipped]]:
    left_out: list[Skipped] = []
    return list(instructions(pages, kinds=kinds, tokenizer="characters", max_tokens=tokens, seed=seed, on_skip=left_out.append)), left_out


# --------------------------------------------------------------------------- laws


@given(PAGES, st.integers(60, 400))
def test_an_answer_is_a_piece_of_its_page(pages: list[Page], tokens: int) -> None:
    texts = {p.id: p.text for p in pages}
    assert all(e.answer in texts[e.page_id] for e in made(pages, tokens=tokens)[0])


@given(PAGES, st.integers(60, 400))
def test_an_answer_fits_and_reads_finished(pages: list[Page], tokens: int) -> None:
    for e in made(pages, tokens=tokens)[0]:
        assert len(e.prompt) + len(e.answer) < tokens
        assert reads_finished(e.answer)


@given(PAGES)
def test_an_answer_holds_no_prompt_header_or_list(pages: list[Page]) -> None:
    for e in made(pages)[0]:
        assert e.prompt not in e.answer
        assert e.answer not in (e.prompt, e.title)
        assert not any(line.startswith(("=", "*", "#")) for line in e.answer.split("\n"))


@given(PAGES)
def test_every_kind_of_every_page_gives_an_example_or_a_reason(pages: list[Page]) -> None:
    examples, left_out = made(pages)
    got = {(e.page_id, e.kind) for e in examples} | {(s.page_id, s.kind) for s in left_out}
    assert got >= {(p.id, kind) for p in pages for kind in KINDS}
    assert {s.reason for s in left_out} <= set(LEFT_OUT)


@given(PAGES)
def test_no_answer_of_a_page_is_trained_twice(pages: list[Page]) -> None:
    whole = [(e.page_id, e.id.rsplit("/", 1)[-1]) for e in made(pages)[0]]
    assert len(whole) == len(set(whole))


@given(PAGES)
def test_ids_are_unique(pages: list[Page]) -> None:
    ids = [e.id for e in made(pages)[0]]
    assert len(ids) == len(set(ids))


@given(PAGES, st.integers(0, 5))
@settings(max_examples=30)
def test_a_page_gives_the_same_alone_or_among_others(pages: list[Page], seed: int) -> None:
    plan = Plan(tuple(KINDS), tokenizer="characters", max_tokens=300, seed=seed, splits=split_families(pages, seed=seed))
    alone = [e for p in pages for e in page_examples(p, pickle.loads(pickle.dumps(plan))) if isinstance(e, Example)]
    assert alone == made(pages, seed=seed)[0]


@given(PAGES, st.integers(20, 100))
@settings(max_examples=30, deadline=None)
def test_words_that_are_known_give_the_same_as_words_that_are_counted(pages: list[Page], tokens: int) -> None:
    pytest.importorskip("nlpo3", reason="the [words] extra is not installed")
    plan = Plan(tuple(KINDS), max_tokens=tokens)
    for p in pages:
        found = list(page_examples(p, plan, word_ends(words(p.text))))
        assert found == list(page_examples(p, plan))
        assert all(e.n_words == n_words(words(e.answer)) for e in found if isinstance(e, Example))


@given(PAGES, st.integers(1, 400))
def test_a_page_that_is_read_up_to_its_budget_gives_what_it_gives_when_read_whole(pages: list[Page], tokens: int) -> None:
    up_to_it = made(pages, tokens=tokens)
    left_out: list[Skipped] = []
    whole = list(instructions(pages, kinds=tuple(KINDS), tokenizer=len, max_tokens=tokens, on_skip=left_out.append))
    assert ([(e.id, e.answer, e.shortened) for e in up_to_it[0]], up_to_it[1]) == ([(e.id, e.answer, e.shortened) for e in whole], left_out)


@given(PAGES, st.integers(20, 100))
@settings(max_examples=30, deadline=None)
def test_prompt_and_answer_fit_in_words(pages: list[Page], tokens: int) -> None:
    pytest.importorskip("nlpo3", reason="the [words] extra is not installed")
    plan = Plan(tuple(KINDS), max_tokens=tokens)
    examples = [e for p in pages for e in page_examples(p, plan) if isinstance(e, Example)]
    assert all(n_words(words(e.prompt)) + n_words(words(e.answer)) <= tokens for e in examples)


# --------------------------------------------------------------------------- what a page gives


def test_the_original_prompt_is_answered_by_the_whole_page() -> None:
    (example,) = made([CAT], ("definition",), tokens=1000)[0]
    assert example.prompt == "อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ แมว"
    assert example.answer == f"{LEAD}\n\n{SECOND}\n\n{HISTORY}\n\n{THAI}"
    assert (example.template, example.id, example.shortened) == ("original", "thaiwikipedia/1/whole", False)


def test_each_kind_is_answered_by_its_piece() -> None:
    answers = {(e.kind, e.section): e.answer for e in made([CAT], tokens=1000)[0]}
    assert answers[("question", ())] == f"{LEAD}\n\n{SECOND}"
    assert answers[("summary", ())] == LEAD
    assert answers[("section", ("ประวัติ",))] == HISTORY
    assert answers[("section", ("ประวัติ", "ในไทย"))] == THAI


def test_a_nested_section_names_the_section_around_it() -> None:
    prompts = [e.prompt for e in made([CAT], ("section",), tokens=1000)[0]]
    assert all(name in prompts[1] for name in ("ประวัติ", "ในไทย", "แมว"))


def test_an_answer_too_long_is_shortened_at_an_end() -> None:
    (example,) = made([CAT], ("definition",), tokens=300)[0]
    assert (example.answer, example.shortened) == (f"{LEAD}\n\n{SECOND}", True)


def test_an_answer_without_an_end_in_the_budget_is_left_out() -> None:
    assert made([CAT], ("definition",), tokens=60) == ([], [Skipped("1", "definition", "no_end", "whole")])


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        ([LEAD, "* เสือ", "* สิงโต", SECOND], LEAD),
        ([LEAD, "เสือ", "สิงโต"], LEAD),
        ([LEAD, "เสือ"], LEAD),
        ([LEAD, "ได้แก่", "เสือ"], LEAD),
        ([LEAD, "{| class=wikitable", SECOND], LEAD),
        ([LEAD, "[[หมวดหมู่:แมว]]"], LEAD),
        ([LEAD, "พ.ศ. 2550 - ได้รับเครื่องราชอิสริยาภรณ์ชั้นสูง", SECOND], LEAD),
        ([LEAD, "ชื่อเล่น : สิบโท", SECOND], LEAD),
        ([LEAD, "เวลา 10:30 น. แมวบ้านส่วนใหญ่ได้หลับไปแล้ว"], f"{LEAD}\nเวลา 10:30 น. แมวบ้านส่วนใหญ่ได้หลับไปแล้ว"),
        ([LEAD, "พ.ศ. 2550 - 2555 แมวไทยได้รับความนิยมไปทั่วโลก"], f"{LEAD}\nพ.ศ. 2550 - 2555 แมวไทยได้รับความนิยมไปทั่วโลก"),
        ([LEAD, "", SECOND], f"{LEAD}\n\n{SECOND}"),
        ([LEAD, "", "แมวมีลูกสามตัวดังนี้", SECOND], LEAD),
        ([LEAD, "", "แมวมีลูกสามตัว คือ", "", SECOND], LEAD),
        ([LEAD, "", "มีดังต่อไปนี้:", SECOND], LEAD),
        ([LEAD, "", "ในประเทศไทย", SECOND], LEAD),
        ([LEAD, "", "แมว", SECOND], LEAD),
        ([LEAD, "", "การเป็นพิษจากแมว (2532)"], LEAD),
        ([LEAD, "", "อุปนิสัย: จิตใจดี อ่อนโยน", SECOND], LEAD),
        ([LEAD, "", "แมวยอดเยี่ยม - วิเชียรมาศ จาก อยุธยา"], LEAD),
        ([LEAD, "", "(2556) แมวได้รับรางวัลชนะเลิศ"], LEAD),
        ([LEAD, "1. แมวเป็นสัตว์ที่ต้องนอนวันละหลายชั่วโมง"], f"{LEAD}\n1. แมวเป็นสัตว์ที่ต้องนอนวันละหลายชั่วโมง"),
    ],
)
def test_an_answer_ends_before_what_is_left_of_a_list(lines: list[str], answer: str) -> None:
    (example,) = made([page(lines)], ("definition",), tokens=1000)[0]
    assert example.answer == answer


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (page([LEAD], source="thaiwikisource"), "source"),
        (page([LEAD], title="แมว\nหมา"), "title"),
        (page([LEAD], title=" "), "title"),
        (page(["แมวเป็นสัตว์"]), "too_short"),
        (page(["* เสือ", LEAD]), "list_residue"),
        (page(["เครื่องราชอิสริยาภรณ์ไทย", "พ.ศ. 2542 เขาได้รับเครื่องราชอิสริยาภรณ์ชั้นสูงสุดของประเทศ"]), "list_residue"),
        (page(["พระบาทสมเด็จพระจอมเกล้าเจ้าอยู่หัวสมเด็จพระเทพศิรินทราบรมราชินี" * 3]), "list_residue"),
        (page([f"และ{LEAD}"]), "no_beginning"),
        (page([f"อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ แมว {LEAD}"]), "prompt_inside"),
        (page(["แมวที่ยิ่งใหญ่และใหญ่ที่สุดซึ่งได้เกิดขึ้นแล้วในโลกนี้"], title="แมวที่ยิ่งใหญ่และใหญ่ที่สุดซึ่งได้เกิดขึ้นแล้วในโลกนี้"), "echo"),
        (page([]), "no_piece"),
        (page(["สุวดี จงสถิตย์วัฒนา จากบริษัท นานมีบุ๊คส์ จำกัด (พ.ศ. 2543 - 2546)"]), "list_residue"),
        (page(["แมวยอดเยี่ยม - วิเชียรมาศ", SECOND]), "list_residue"),
        (page(["ปลาฉลามครีบดำ หรือ ปลาฉลามหูดำ (อังกฤษ: Blacktip reef shark)", "", f"ชื่อวิทยาศาสตร์: {LEAD}"]), "list_residue"),
        (page(["4. แมวพลังไฟเป็นแมวที่ร้อนที่สุดและชอบพูดเล่นกับแมวทั้งหลาย"]), "no_beginning"),
    ],
)
def test_what_is_left_out_has_its_reason(given: Page, reason: str) -> None:
    examples, left_out = made([given], ("definition",))
    assert (examples, [s.reason for s in left_out]) == ([], [reason])


def test_the_first_paragraph_is_no_single_line() -> None:
    (example,) = made([page([LEAD, SECOND, "", HISTORY])], ("summary",), tokens=1000)[0]
    assert example.answer == f"{LEAD}\n{SECOND}"


def test_a_piece_that_breaks_off_is_left_out() -> None:
    """The page goes on with the rest of the sentence, behind an empty line or a header."""
    broken = page([f"{LEAD} ชื่อว่าแมวพระราชทานแห่งกรุงศรีอยุธยา", "", "5 ครั้ง แมวได้รับรางวัลในปีนั้น", "== ประวัติ ==", THAI])
    examples, left_out = made([broken], ("summary",), tokens=1000)
    assert (examples, [s.reason for s in left_out]) == ([], ["no_end"])


def test_a_section_of_references_answers_nothing() -> None:
    given = page([LEAD, "", SECOND, "== แหล่งข้อมูลอื่น ==", THAI])
    assert [(e.answer, s.reason) for (e, *_), (s, *_) in [made([given], ("definition", "section"), tokens=1000)]] == [
        (f"{LEAD}\n\n{SECOND}\n\n{THAI}", "list_residue")
    ]


def test_a_page_that_no_template_suits_is_left_out() -> None:
    left_out: list[Skipped] = []
    only = [Template("who", "question", "person", "{title} คือใคร")]
    assert not list(instructions([CAT], templates=only, kinds=("question",), tokenizer="characters", on_skip=left_out.append))
    assert left_out == [Skipped("1", "question", "no_template", "lead")]


def test_a_page_with_a_verdict_gives_nothing() -> None:
    assert made([page([LEAD], dropped="stub")]) == ([], [])


def test_an_evaluation_passage_is_left_out_by_name() -> None:
    index, left_out = Index.of({"xquad": [HISTORY]}), []
    examples = instructions([CAT], kinds=("definition", "summary"), tokenizer="characters", evaluation=index, on_skip=left_out.append)
    assert [e.kind for e in examples] == ["summary"]
    assert left_out == [Skipped("1", "definition", "contaminated", "xquad")]


def test_what_is_left_out_is_logged_when_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert list(instructions([page(["แมว"])], tokenizer="characters")) == []
    assert "left out: 1 too_short" in caplog.text


@pytest.mark.parametrize(
    ("title", "first", "prompts"),
    [
        ("แมว", LEAD, ["แมว คืออะไร", "แมว คืออะไร ช่วยอธิบายหน่อย", "อะไรคือ แมว"]),
        (
            "ทอม แฮงส์",
            f"ทอม แฮงส์ เกิดเมื่อวันที่ 9 กรกฎาคม พ.ศ. 2499 {LEAD}",
            ["ทอม แฮงส์ คือใคร", "ใครคือ ทอม แฮงส์", "รู้จัก ทอม แฮงส์ ไหม เป็นใครมาจากไหน"],
        ),
        ("เส้นทางสายไหม", LEAD, ["เส้นทางสายไหม คืออะไร", "เส้นทางสายไหม คืออะไร ช่วยอธิบายหน่อย", "อะไรคือ เส้นทางสายไหม"]),
        ("ใครฆ่าแมว?", LEAD, ["“ใครฆ่าแมว?” คืออะไร", "“ใครฆ่าแมว?” หมายถึงอะไร"]),
    ],
)
def test_a_question_suits_its_title(title: str, first: str, prompts: list[str]) -> None:
    got = {e.prompt for seed in range(30) for e in made([page([first, SECOND], title=title)], ("question",), seed=seed, tokens=900)[0]}
    assert got == set(prompts)


def test_every_template_can_be_drawn() -> None:
    pages = [
        CAT,
        page([f"ทอม แฮงส์ เกิดเมื่อวันที่ 9 กรกฎาคม พ.ศ. 2499 {LEAD}", SECOND, "== ผลงาน ==", THAI], title="ทอม แฮงส์"),
        page([LEAD, SECOND], title="ใครฆ่าแมว?"),
    ]
    drawn = Counter(e.template for seed in range(150) for e in made(pages, seed=seed, tokens=900)[0])
    assert set(drawn) == {t.id for t in default_templates()}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (Template("x", "poem", "any", "{title}"), "kind 'poem' is none of"),
        (Template("x", "varied", "cats", "{title}"), "about 'cats' is none of"),
        (Template("x", "varied", "any", "แมวคืออะไร"), "should name title"),
        (Template("x", "varied", "any", "{section} {title}"), "it names section, title and should name title"),
        (Template("x", "section", "any", "{parent} {title}"), "it names parent, title and should name section, title"),
        (Template("x", "varied", "any", "{title}\nคือ"), "one line"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused(template: Template, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check([template])


def test_an_id_stands_for_one_prompt() -> None:
    with pytest.raises(ValueError, match="another template has the id 'x'"):
        check([Template("x", "varied", "any", "{title}"), Template("x", "varied", "any", "{title} ")])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"kinds": ("poem",)}, "no kind 'poem'"),
        ({"kinds": ()}, "no kind of prompt"),
        ({"max_tokens": 0}, "should be positive"),
        ({"templates": ()}, "no template of kind"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(more: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        instructions([], **more)  # type: ignore[arg-type]


def test_every_kind_and_reason_stands_on_its_page(root: Path) -> None:
    text = (root / "docs/reference/instruction-data.md").read_text(encoding="utf-8")
    assert [name for name in (*KINDS, *LEFT_OUT) if f"| `{name}` |" not in text] == []


# --------------------------------------------------------------------------- real pages


def test_the_real_pages_give_whole_answers(shared: Path) -> None:
    rows = [json.loads(line) for line in (shared / "data/real_dev.jsonl").read_text(encoding="utf-8").split("\n") if line]
    pages = [clean_page(Page(r["id"], r["title"], "thaiwikipedia", "", r["text"])) for r in rows if r["doc_label"] == "keep"]
    examples, left_out = made(pages, tokens=3000)
    assert len(examples) >= 20
    assert not [s for s in left_out if s.reason in ("title", "echo", "prompt_inside")]
    assert all(reads_finished(e.answer) and "==" not in e.answer for e in examples)

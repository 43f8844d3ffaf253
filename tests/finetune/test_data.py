"""Rows to tokens: the prompt of training is that of generation, the loss is on the answer and the stop token, nothing is cut."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thaiwiki_clean.testing import junk, thai_sentence, thai_text

pytest.importorskip("transformers", reason="tokenizers come from transformers")

from finetune.data import Row, data_fingerprint, prepare, prompt_ids, read_rows, to_dataset, tokenise
from finetune.models import PRESETS, load_tokenizer, preset
from finetune.rows import row_of
from finetune.tiny import make_tiny
from thaiwiki_clean.instruct.example_stats import packs
from thaiwiki_clean.instruct.formats import FORMATS, Example

pytestmark = pytest.mark.filterwarnings("ignore")

LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_MADE: dict[str, object] = {}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture
def tokenizer_of(folders):
    def of(name: str):
        if name not in _MADE:
            _MADE[name] = load_tokenizer(str(make_tiny(name, folders / name)), preset(name))
        return _MADE[name]

    return of


@pytest.fixture
def tokenizer(tokenizer_of):
    return tokenizer_of("typhoon-7b")


@pytest.fixture
def changed(folders):
    """A tiny tokenizer with something else about it; a fresh one, for the others are shared."""

    def change(template: str | None = None, name: str = "typhoon-7b", **attributes):
        tokenizer = load_tokenizer(str(make_tiny(name, folders / "changed")), preset(name))
        if template is not None:
            tokenizer.chat_template = template
        for attribute, value in attributes.items():
            setattr(tokenizer, attribute, value)
        return tokenizer

    return change


def ask(question: str) -> tuple[dict[str, str], ...]:
    return ({"role": "user", "content": question},)


def rows_of(*answers: str) -> list[Row]:
    return [Row(ask(f"อธิบายคำต่อไปนี้ คำที่ {n}"), answer, f"คำที่ {n}", str(n)) for n, answer in enumerate(answers)]


ANSWERS = ("แมวเป็นสัตว์เลี้ยง", "ปลาช่อนเป็นปลาน้ำจืด\nพบในแม่น้ำ", "จังหวัดน่าน " * 9 + "จบ", "ข้าว", "ดาวพฤหัสบดี 1999 (Jupiter)", "ภาษาไทย " * 20)

# A template of our own, so that these tests say what is in it: ChatML around plain text, with a newline behind the stop token.
PLAIN = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


# ---- laws

TEXT = (thai_text() | thai_sentence() | junk()).map(lambda text: text.replace("\ud800", "")).filter(str.strip)


@pytest.mark.parametrize("name", [one.name for one in PRESETS])
@LAW
@given(question=thai_sentence(), answer=TEXT)
def test_a_row_begins_with_the_prompt_of_generation_and_ends_with_the_stop_token(tokenizer_of, name, question, answer):
    tokenizer = tokenizer_of(name)
    row = Row(ask(question), answer)
    tokens = tokenise(row, tokenizer)
    assert list(tokens.input_ids[: tokens.n_prompt]) == prompt_ids(row.prompt, tokenizer)
    assert tokens.input_ids[-1] == tokenizer.convert_tokens_to_ids(preset(name).stop_token)


@pytest.mark.parametrize("name", [one.name for one in PRESETS])
@LAW
@given(answer=TEXT.map(str.strip))
def test_what_is_trained_reads_as_the_answer(tokenizer_of, name, answer):
    tokenizer = tokenizer_of(name)
    tokens = tokenise(Row(ask("แมวคืออะไร"), answer), tokenizer)
    trained = [token for token, loss in zip(tokens.input_ids, tokens.trained, strict=True) if loss]
    assert trained == list(tokens.input_ids[tokens.n_prompt :])
    assert tokenizer.decode(trained[:-1]).strip() == answer


@LAW
@given(question=thai_sentence(), answer=TEXT)
def test_nothing_of_a_row_is_cut(tokenizer, question, answer):
    written = tokenizer.apply_chat_template([*ask(question), {"role": "assistant", "content": answer}], tokenize=False)
    ids = tokenise(Row(ask(question), answer), tokenizer).input_ids
    assert list(ids) == tokenizer.encode(written.rstrip("\n"), add_special_tokens=False)


@LAW
@given(sizes=st.lists(st.integers(1, 40), max_size=8), max_length=st.integers(20, 80))
def test_each_row_is_kept_in_its_place_or_counted(tokenizer, sizes, max_length):
    rows = rows_of(*("แมว " * size + "จบ" for size in sizes))
    prepared = prepare(rows, tokenizer, max_length=max_length)
    whole = [tokenise(row, tokenizer) for row in rows]
    assert list(prepared.rows) == [tokens for tokens in whole if len(tokens.input_ids) <= max_length]
    assert [whole[number] for number in prepared.kept] == list(prepared.rows)
    assert len(prepared.rows) + sum(prepared.left_out.values()) == len(rows)


# ---- one row


def test_the_prompt_has_no_loss(tokenizer):
    tokens = tokenise(rows_of("สัตว์")[0], tokenizer)
    assert not any(tokens.trained[: tokens.n_prompt])


def test_the_stop_token_alone_loses_its_loss_when_it_is_not_to_be_trained(tokenizer):
    row = rows_of("สัตว์")[0]
    tokens, without = tokenise(row, tokenizer), tokenise(row, tokenizer, train_stop=False)
    assert without == tokens._replace(trained=(*tokens.trained[:-1], False))


def test_a_template_that_writes_the_begin_token_gives_one(tokenizer):
    assert tokenise(rows_of("สัตว์")[0], tokenizer).input_ids.count(tokenizer.bos_token_id) == 1


def test_a_template_that_leaves_the_begin_token_to_the_tokenizer_gives_one(changed):
    tokenizer = changed(PLAIN)
    ids = tokenise(rows_of("สัตว์")[0], tokenizer).input_ids
    assert ids.count(tokenizer.bos_token_id) == 1
    assert ids[0] == tokenizer.bos_token_id


def test_what_the_template_writes_behind_the_stop_token_is_left_away(changed):
    tokenizer = changed(PLAIN)
    assert tokenizer.apply_chat_template([*ask("ก"), {"role": "assistant", "content": "ข"}], tokenize=False).endswith("</s>\n")
    assert tokenise(rows_of("สัตว์")[0], tokenizer).input_ids[-1] == tokenizer.eos_token_id


@pytest.mark.parametrize("name", ["typhoon-7b", "seallms-v3-chat"])  # blanks as in sentencepiece, and bytes
def test_the_prompt_keeps_its_tokens_where_the_answer_would_join_them(changed, name):
    tokenizer = changed(
        PLAIN.replace("assistant: ", "{{ 'ผู้ช่วย:\n' }}").replace("{{ m.role }}: ", "{{ 'ผู้ช่วย:\n' if m.role == 'assistant' else 'ถาม:\n' }}"),
        name,
    )
    tokenizer.add_tokens(["\n\n"])  # one token for two newlines: the second is the answer's
    row = Row(ask("แมว"), "\nสัตว์")
    tokens = tokenise(row, tokenizer)
    assert list(tokens.input_ids[: tokens.n_prompt]) == prompt_ids(row.prompt, tokenizer)
    assert tokenizer.decode(tokens.input_ids[tokens.n_prompt : -1]) == "\nสัตว์"


def test_all_turns_before_the_last_answer_are_prompt(tokenizer):
    chat = (*ask("แมวคืออะไร"), {"role": "assistant", "content": "สัตว์"}, *ask("แล้วปลา"))
    tokens = tokenise(Row(chat, "สัตว์น้ำ"), tokenizer)
    trained = tokenizer.decode([t for t, loss in zip(tokens.input_ids, tokens.trained, strict=True) if loss])
    assert trained.strip() == "สัตว์น้ำ</s>"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "no chat template"),
        (PLAIN.replace("{{ eos_token }}", ""), "writes nothing behind an answer"),
        (PLAIN.replace("assistant: {% endif %}", "ผู้ช่วย: {% endif %}"), "in one way for training .* and in another for generation"),
        (
            "{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}{{ raise_exception('ไม่รู้จัก') }}{% endif %}",
            "refuses a chat of user",
        ),
    ],
)
def test_a_template_that_cannot_be_trained_is_refused_in_one_line(changed, template, message):
    tokenizer = changed()
    tokenizer.chat_template = template
    with pytest.raises(ValueError, match=message) as error:
        tokenise(rows_of("สัตว์")[0], tokenizer)
    assert "\n" not in str(error.value)


# ---- many rows


def test_a_row_of_just_max_length_is_kept(tokenizer):
    rows = rows_of(*ANSWERS)
    size = len(tokenise(rows[2], tokenizer).input_ids)
    assert 2 in prepare(rows, tokenizer, max_length=size).kept
    assert 2 not in prepare(rows, tokenizer, max_length=size - 1).kept


def test_a_row_that_is_too_long_can_be_an_error(tokenizer):
    with pytest.raises(ValueError, match=r"^row '5' has \d+ tokens, max_length is 80; raise max_length"):
        prepare(rows_of(*ANSWERS), tokenizer, max_length=80, too_long="error")


def test_the_statistics_are_those_of_the_rows_that_are_kept(tokenizer):
    prepared = prepare(rows_of(*ANSWERS), tokenizer, max_length=80)
    sizes = [len(tokens.input_ids) for tokens in prepared.rows]
    stats = prepared.stats
    assert (stats["rows"], stats["tokens"]["total"], stats["tokens"]["max"]) == (len(sizes), sum(sizes), max(sizes))
    assert stats["trained_tokens"] == sum(len(tokens.input_ids) - tokens.n_prompt for tokens in prepared.rows)
    assert stats["packing_efficiency"] == sum(sizes) / (packs(sizes, 80) * 80)
    assert stats["longest"] == len(tokenise(rows_of(*ANSWERS)[5], tokenizer).input_ids) > 80
    assert stats["share_stop_trained"] == 1.0


def test_without_a_trained_stop_token_the_statistics_say_so(tokenizer):
    assert prepare(rows_of(*ANSWERS), tokenizer, max_length=500, train_stop=False).stats["share_stop_trained"] == 0.0


def test_rows_that_are_all_too_long_make_no_dataset(tokenizer):
    with pytest.raises(ValueError, match=r"no row is left to train on \(too_long: 6\)"):
        to_dataset(prepare(rows_of(*ANSWERS), tokenizer, max_length=5))


# ---- what trl makes of it


@pytest.fixture(scope="module")
def model(folders):
    pytest.importorskip("trl", reason="the trainer whose labels are looked at")
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(make_tiny("typhoon-7b", folders / "model"))


def trainer_of(model, tokenizer, prepared, out, *, packing, batch_size=4):
    from trl import SFTConfig, SFTTrainer

    args = SFTConfig(
        str(out),
        max_length=prepared.max_length,
        packing=packing,
        per_device_train_batch_size=batch_size,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to="none",
        disable_tqdm=True,
    )
    data = to_dataset(prepared)
    return SFTTrainer(model=model, args=args, train_dataset=data, eval_dataset=data, processing_class=tokenizer)


def sequences(batch):
    """(tokens, labels) of each row in a batch, without padding, packs taken apart."""
    if "attention_mask" in batch:
        pairs = zip(batch["input_ids"], batch["labels"], batch["attention_mask"].bool(), strict=True)
        for ids, labels, real in pairs:
            assert (labels[~real] == -100).all(), "padding has a loss"
            yield ids[real].tolist(), labels[real].tolist()
        return
    starts = [*(batch["position_ids"][0] == 0).nonzero().flatten().tolist(), batch["input_ids"].shape[1]]
    for start, end in itertools.pairwise(starts):
        yield batch["input_ids"][0, start:end].tolist(), batch["labels"][0, start:end].tolist()


def expected(prepared):
    return sorted((list(ids), [i if loss else -100 for i, loss in zip(ids, trained, strict=True)]) for ids, _, trained in prepared.rows)


@pytest.mark.parametrize("pad", ["<unk>", "</s>"])
@pytest.mark.parametrize("packing", [False, True], ids=["padded", "packed"])
@pytest.mark.parametrize("train_stop", [True, False], ids=["stop", "no-stop"])
def test_the_labels_that_trl_makes_are_the_tokens_that_are_trained(model, changed, tmp_path, pad, packing, train_stop):
    tokenizer = changed(pad_token=pad)
    rows = rows_of(*ANSWERS)
    longest = max(len(tokenise(row, tokenizer).input_ids) for row in rows)
    prepared = prepare(rows, tokenizer, max_length=longest, train_stop=train_stop)
    trainer = trainer_of(model, tokenizer, prepared, tmp_path, packing=packing)
    for loader in (trainer.get_train_dataloader(), trainer.get_eval_dataloader()):
        assert sorted(row for batch in loader for row in sequences(batch)) == expected(prepared)


@pytest.mark.parametrize("packing", [False, True], ids=["padded", "packed"])
def test_the_loss_is_the_mean_over_the_tokens_that_are_trained(model, tokenizer, tmp_path, packing):
    import torch

    prepared = prepare(rows_of(*ANSWERS), tokenizer, max_length=400)
    trainer = trainer_of(model, tokenizer, prepared, tmp_path, packing=packing, batch_size=len(ANSWERS))
    (batch,) = trainer.get_train_dataloader()
    model.eval()
    with torch.no_grad():
        loss = trainer.compute_loss(model, dict(batch)).item()
        total = 0.0
        for ids, _, trained in prepared.rows:
            logits = model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
            told = -logits[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
            total += told[torch.tensor(trained[1:])].sum().item()
    assert loss == pytest.approx(total / prepared.stats["trained_tokens"], rel=1e-4)


# ---- reading rows


@pytest.mark.parametrize("form", [name for name in FORMATS if name != "text"])
def test_every_form_of_an_example_is_the_same_row(form):
    example = Example("แมวคืออะไร", "แมวเป็นสัตว์\nมีสี่ขา", title="แมว", id="thaiwikipedia/1/whole")
    assert row_of(FORMATS[form].to(example)) == Row(ask("แมวคืออะไร"), "แมวเป็นสัตว์\nมีสี่ขา", "แมว", "thaiwikipedia/1/whole")


def test_alpaca_input_joins_as_in_formats():
    raw = {"instruction": "อธิบายคำต่อไปนี้", "input": "แมว", "output": "สัตว์"}
    assert row_of(raw).prompt[0]["content"] == FORMATS["alpaca"].back(raw).prompt


def test_chat_turns_of_prompt_and_completion_are_read():
    raw = {"prompt": [{"role": "system", "content": "ตอบสั้น ๆ"}, *ask("แมว")], "completion": [{"role": "assistant", "content": "สัตว์"}]}
    assert row_of(raw) == Row(({"role": "system", "content": "ตอบสั้น ๆ"}, *ask("แมว")), "สัตว์")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"text": "แมว\nสัตว์"}, "a row of plain text does not say where its answer begins; .*to_messages"),
        ({"title": "แมว"}, "no columns to train on among 'title'; expected messages"),
        ({}, "no columns to train on among none"),
        ({"messages": [*ask("แมว")]}, "no answer to learn: its last turn is of 'user'"),
        ({"messages": []}, "no answer to learn: it has no turns"),
        ({"messages": [{"role": "assistant", "content": "สัตว์"}]}, "no question before the answer"),
        ({"messages": "แมว"}, "messages should be a list of turns, got str"),
        ({"messages": [{"role": "user"}]}, "a turn in messages should have role and content"),
        ({"prompt": "แมว", "completion": " \n"}, "the answer is empty"),
        ({"prompt": "แมว", "completion": "สัตว์\ud800"}, "half a character"),
        ({"prompt": "\n", "completion": "สัตว์"}, "the prompt is empty"),
        ({"instruction": "แมว", "output": None}, "output should be text, got NoneType"),
    ],
)
def test_a_row_without_an_answer_is_refused_with_what_to_do(raw, message):
    with pytest.raises(ValueError, match=message):
        row_of(raw)


def test_a_file_is_read_and_an_error_names_its_row(tmp_path):
    path = tmp_path / "rows.jsonl"
    good = {"prompt": "แมว", "completion": "สัตว์", "title": "แมว"}
    path.write_text(json.dumps(good) + "\n\n" + json.dumps(good, ensure_ascii=False) + "\n", "utf-8")
    assert read_rows(path) == [Row(ask("แมว"), "สัตว์", "แมว")] * 2
    path.write_text(json.dumps(good) + "\n" + json.dumps({"text": "แมว"}), "utf-8")
    with pytest.raises(ValueError, match=r"rows\.jsonl, row 2: a row of plain text"):
        read_rows(path)


def test_a_build_is_read_by_its_split(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "data").mkdir()
    for split in ("train", "validation"):
        rows = [FORMATS["messages"].to(Example("แมว", split))]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data" / f"{split}-00000-of-00001.parquet")
    assert [row.answer for row in read_rows(tmp_path)] == ["train"]
    assert [row.answer for row in read_rows(tmp_path, "validation")] == ["validation"]
    with pytest.raises(ValueError, match=r"holds no data/test-\*\.parquet; give the folder that `thaiwiki-clean build` wrote"):
        read_rows(tmp_path, "test")


def test_rows_of_another_split_stay_out_of_a_file(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"prompt": "แมว", "completion": side, "split": side} for side in ("train", "test")]), "utf-8")
    assert [row.answer for row in read_rows(path)] == ["train"]
    with pytest.raises(ValueError, match=r"no rows of split 'validation': its rows are of split test, train"):
        read_rows(path, "validation")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.jsonl", None, "no such file or folder"),
        ("rows.csv", "a,b", r"read from \.parquet, \.jsonl or \.json, not from \.csv"),
        ("rows.jsonl", "", "it is empty"),
        ("rows.jsonl", "{", "cannot be read as rows"),
        ("rows.jsonl", "3", "a row is an object with columns, got int"),
        ("rows.parquet", "no", "is no parquet file"),
    ],
)
def test_what_is_no_file_of_rows_is_refused_in_one_line(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        read_rows(tmp_path / name)


def test_the_fingerprint_knows_order_and_every_letter():
    a, b = rows_of("แมว", "ปลา")
    prints = {data_fingerprint(rows) for rows in ([a, b], [b, a], [a], [a, b._replace(answer="ปลา ")], [a, b._replace(title="")])}
    assert len(prints) == 5
    assert data_fingerprint([a, b]) == data_fingerprint(iter((a, b)))

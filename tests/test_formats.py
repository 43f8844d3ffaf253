"""An example survives every form, and TRL's trainer takes every form."""

from __future__ import annotations

import dataclasses
import importlib.util
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaiwiki_clean.instruct.budget import ruler
from thaiwiki_clean.instruct.formats import FORMATS, Example, from_alpaca, from_messages, from_sharegpt, to_messages

WORDS = ["แมว", "เป็นสัตว์", " ", "ๆ", "น้ำ", "<s>", "{title}", "[INST]", "\\n", '"', "2540"]
LINES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map("".join).filter(str.strip)
EXAMPLES = st.builds(
    Example,
    prompt=LINES,
    answer=st.lists(LINES, min_size=1, max_size=4).map("\n".join),
    id=st.text(max_size=5),
    kind=st.sampled_from(["definition", "section", ""]),
    template=st.sampled_from(["original", ""]),
    title=LINES,
    section=st.lists(LINES, max_size=2).map(tuple),
    url=st.just("https://th.wikipedia.org/wiki/แมว"),
    page_id=st.text(max_size=3),
    source=st.just("thaiwikipedia"),
    n_words=st.none() | st.integers(0, 9),
    n_tokens=st.none() | st.integers(0, 9),
    shortened=st.booleans(),
    split=st.sampled_from(["train", "validation", "test"]),
)
NAMES = sorted(FORMATS)


@given(EXAMPLES)
@pytest.mark.parametrize("name", NAMES)
def test_an_example_comes_back_from_every_form(name: str, example: Example) -> None:
    assert FORMATS[name].back(FORMATS[name].to(example)) == example


@given(EXAMPLES)
@pytest.mark.parametrize("way", [(a, b) for a in NAMES for b in NAMES if a != b], ids="-".join)
@settings(max_examples=max(5, settings().max_examples // 10))
def test_one_form_leads_to_another_and_back(way: tuple[str, str], example: Example) -> None:
    there, back = FORMATS[way[0]], FORMATS[way[1]]
    row = there.to(example)
    assert there.to(back.back(back.to(there.back(row)))) == row


@given(EXAMPLES)
@pytest.mark.parametrize("name", NAMES)
def test_every_form_keeps_where_the_example_comes_from(name: str, example: Example) -> None:
    row = FORMATS[name].to(example)
    assert {key: row[key] for key in ("id", "title", "url", "page_id", "source", "split")} == {
        key: getattr(example, key) for key in ("id", "title", "url", "page_id", "source", "split")
    }


@given(EXAMPLES)
def test_text_is_prompt_and_completion_joined(example: Example) -> None:
    pair = FORMATS["prompt_completion"].to(example)
    assert pair["prompt"] + pair["completion"] == FORMATS["text"].to(example)["text"]


def test_a_row_of_another_project_needs_no_columns_of_ours() -> None:
    row = {"conversations": [{"from": "human", "value": "แมวคืออะไร"}, {"from": "gpt", "value": "สัตว์"}]}
    assert to_messages(from_sharegpt(row))["messages"][1] == {"role": "assistant", "content": "สัตว์"}


def test_an_alpaca_input_follows_its_instruction() -> None:
    assert from_alpaca({"instruction": "อธิบาย", "input": "แมว", "output": "สัตว์"}).prompt == "อธิบาย แมว"


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("messages", {"text": "ก"}, "no 'messages'"),
        ("messages", {"messages": [{"role": "user", "content": "ก"}]}, "one turn of user and one of assistant"),
        ("sharegpt", {"conversations": [{"from": "gpt", "value": "ก"}] * 2}, "one turn of human and one of gpt"),
        ("prompt_completion", {"prompt": [{"role": "user"}], "completion": "ก"}, "'prompt' should be a str, got list"),
        ("text", {"text": None}, "'text' should be a str, got NoneType"),
        ("text", {"text": "คำถามที่ไม่มีคำตอบ"}, "is empty"),
    ],
)
def test_a_row_that_does_not_fit_says_what_was_expected(name: str, row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FORMATS[name].back(row)


def test_a_prompt_is_one_line() -> None:
    with pytest.raises(ValueError, match="one line"):
        Example("แมว\nคืออะไร", "สัตว์")


# --------------------------------------------------------------------------- the trainer

CHAT = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' }}"
    "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] + eos_token }}{% endgeneration %}{% else %}{{ m['content'] + '\\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)
STOP = "<|end|>"


def tiny_tokenizer() -> Any:
    """A byte tokenizer of 260 tokens with a chat template that trains its stop token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token=STOP, pad_token="<|pad|>")
    tokenizer.chat_template = CHAT
    return tokenizer


@pytest.fixture(scope="module")
def trl() -> Any:
    missing = [name for name in ("trl", "torch", "transformers", "datasets") if not importlib.util.find_spec(name)]
    if missing:
        pytest.skip(f"the trainer's test needs {', '.join(missing)}")
    return importlib.import_module("trl")


def trainer(trl: Any, rows: list[dict[str, Any]], folder: Any) -> Any:
    import torch
    from datasets import Dataset
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    tokenizer = tiny_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2
    )
    arguments = trl.SFTConfig(
        output_dir=str(folder), max_length=max(ruler(tokenizer).size(e.prompt, e.answer) for e in PAGES), max_steps=1, per_device_train_batch_size=2, use_cpu=True, bf16=False,
        gradient_checkpointing=False, dataloader_pin_memory=False, report_to="none", disable_tqdm=True, save_strategy="no",
    )  # fmt: skip
    return trl.SFTTrainer(model=LlamaForCausalLM(config), args=arguments, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)


PAGES = [
    Example("แมวคืออะไร", "แมวเป็นสัตว์เลี้ยง", id="1", title="แมว", section=("ประวัติ",), split="train"),
    Example("หมาคืออะไร", "หมาเป็นสัตว์เลี้ยง", id="2", title="หมา", split="train"),
]
# TRL reads neither sharegpt nor alpaca: they go through our own messages.
TO_TRL = {name: FORMATS[name].to for name in ("messages", "prompt_completion", "text")} | {
    name: lambda example, name=name: to_messages(FORMATS[name].back(FORMATS[name].to(example))) for name in ("sharegpt", "alpaca")
}


@pytest.mark.filterwarnings("ignore")  # torch's and transformers' own
@pytest.mark.parametrize("name", sorted(TO_TRL))
def test_trl_trains_on_every_form_and_on_its_stop_token(name: str, trl: Any, tmp_path: Any) -> None:
    """With the longest example's size as ``max_length``, so that the size has to hold everything that TRL puts around an example."""
    made = trainer(trl, [TO_TRL[name](example) for example in PAGES], tmp_path)
    batch = next(iter(made.get_train_dataloader()))
    labels = [[int(token) for token in row if token != -100] for row in batch["labels"]]
    texts = [made.processing_class.decode(row) for row in labels]
    assert sorted(row[-1] for row in labels) == [made.processing_class.eos_token_id] * 2
    assert all(any(example.answer + STOP in text for text in texts) for example in PAGES), texts
    assert made.train().training_loss > 0


def test_a_tokenizer_is_named_by_its_folder(trl: Any, tmp_path: Any) -> None:
    tiny_tokenizer().save_pretrained(tmp_path)
    assert ruler(str(tmp_path)).size("แมว", "สัตว์") == ruler(tiny_tokenizer()).size("แมว", "สัตว์")
    assert ruler(str(tmp_path)).count("แมว") == 9  # a token a byte


def test_a_tokenizer_that_is_not_there_is_one_line(trl: Any, tmp_path: Any) -> None:
    with pytest.raises(OSError, match=r"no tokenizer '.*nowhere': give a folder"):
        ruler(str(tmp_path / "nowhere"))


def test_no_column_of_ours_has_a_meaning_to_trl() -> None:
    ours = {field.name for field in dataclasses.fields(Example)} - {"prompt", "answer"}
    assert not ours & {"messages", "prompt", "completion", "text", "chosen", "rejected", "tools", "images", "labels", "input_ids"}


def test_from_messages_takes_what_arrow_gives_back() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    row = pyarrow.Table.from_pylist([to_messages(PAGES[0])]).to_pylist()[0]
    assert from_messages(row) == PAGES[0]

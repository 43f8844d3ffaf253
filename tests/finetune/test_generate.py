"""Answers: the prompt of training, nothing of the published settings, one answer whatever the batch, and only over the base that was trained on."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from finetune.generate import SETTINGS, Prompt, Setting, answers, generate, load_run, read_prompts, setting
from finetune.run import read_json, read_jsonl, write_json
from finetune.train import train
from tests.finetune.small import ARTICLES, Small, asked, files, write_lines

pytestmark = pytest.mark.filterwarnings("ignore")  # those of torch, transformers, peft and bitsandbytes

SHORT = setting("greedy", max_new_tokens=48)


@pytest.fixture(scope="module")
def model(tuned: Path) -> tuple[Any, Any]:
    """The tuned model, multiplying in float32, and its tokenizer."""
    import torch

    from finetune.merge import _compute_in_float32

    one, tokenizer, _ = load_run(tuned)
    _compute_in_float32(one)
    assert {parameter.dtype for parameter in one.parameters()} == {torch.float32, torch.uint8}
    return one, tokenizer


@pytest.fixture(scope="module")
def greedy(model: tuple[Any, Any], small: Small) -> list[Any]:
    return answers(*model, small.asked, SHORT)


@pytest.fixture
def run(tuned: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may write into."""
    return shutil.copytree(tuned, tmp_path / "run", ignore=shutil.ignore_patterns("answers"))


# --------------------------------------------------------------------------- the model's answers


def test_the_answers_are_worth_comparing(greedy: list[Any]) -> None:
    """Else the tests below say little: they differ, some are long, some loop to the limit of tokens, some stop."""
    assert len({answer.text for answer in greedy}) > 5
    assert {answer.stop for answer in greedy} == {"stop_token", "length"} or len({len(a.token_ids) for a in greedy}) > 5
    assert max(len(answer.token_ids) for answer in greedy) > 20


@pytest.mark.parametrize("batch_size", [1, 4, 7])
def test_an_answer_is_the_same_alone_and_in_any_batch(model: tuple[Any, Any], small: Small, greedy: list[Any], batch_size: int) -> None:
    assert len({len(prompt.text) for prompt in small.asked}) > 5  # so there is padding
    assert answers(*model, small.asked, dataclasses.replace(SHORT, batch_size=batch_size)) == greedy


def test_an_answer_is_that_of_an_argmax_by_hand(model: tuple[Any, Any], small: Small, greedy: list[Any]) -> None:
    import torch

    from finetune.data import prompt_ids
    from finetune.models import stop_token_id

    one, tokenizer = model
    for prompt, answer in [*zip(small.asked, greedy, strict=True)][:3]:
        ids = prompt_ids(prompt.turns, tokenizer)
        said: list[int] = []
        with torch.inference_mode():
            while len(said) < SHORT.max_new_tokens and (
                token := int(one(torch.tensor([ids + said])).logits[0, -1].argmax())
            ) != stop_token_id(tokenizer):
                said.append(token)
        assert answer.token_ids == tuple(said)
        assert answer.stop == ("length" if len(said) == SHORT.max_new_tokens else "stop_token")
        assert answer.text == tokenizer.decode(said, skip_special_tokens=True).removeprefix(" ")


def test_the_answers_come_in_the_order_of_the_prompts(model: tuple[Any, Any], small: Small, greedy: list[Any]) -> None:
    assert answers(*model, small.asked[::-1], SHORT) == greedy[::-1]


def test_the_prompt_is_that_of_training_token_for_token(model: tuple[Any, Any], small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    from finetune.data import read_rows, tokenise

    one, tokenizer = model
    seen: list[tuple[int, ...]] = []
    write = one.generate

    def generate_(input_ids: Any, attention_mask: Any, **options: Any) -> Any:
        seen.extend(tuple(row[mask.bool()].tolist()) for row, mask in zip(input_ids, attention_mask, strict=True))
        assert all(mask.tolist() == sorted(mask.tolist()) for mask in attention_mask)  # padded on the left
        return write(input_ids=input_ids, attention_mask=attention_mask, **options)

    monkeypatch.setattr(one, "generate", generate_)
    answers(one, tokenizer, asked(tuple(ARTICLES)), setting("greedy", max_new_tokens=1))
    trained = [tokenise(row, tokenizer) for row in read_rows(small.data)]
    assert sorted(seen) == sorted(row.input_ids[: row.n_prompt] for row in trained)


def test_what_the_published_model_asks_for_is_not_done(small: Small, tuned: Path, tmp_path: Path) -> None:
    """A repetition penalty in generation_config.json, other stop tokens, sampling: several published models have them."""
    from transformers import GenerationConfig

    published = shutil.copytree(small.base, tmp_path / "base")
    tokenizer_stop = 5
    GenerationConfig(
        repetition_penalty=5.0, do_sample=True, temperature=2.0, no_repeat_ngram_size=2, eos_token_id=[tokenizer_stop, 300, 301]
    ).save_pretrained(published)
    for adapter in (True, False):
        plain, tokenizer, _ = load_run(tuned, adapter=adapter)
        spoilt, _, _ = load_run(tuned, base=str(published), adapter=adapter)
        assert spoilt.generation_config.repetition_penalty == 5.0
        assert answers(spoilt, tokenizer, small.asked, SHORT) == answers(plain, tokenizer, small.asked, SHORT)


def test_a_penalty_that_is_asked_for_is_paid(model: tuple[Any, Any], small: Small, greedy: list[Any]) -> None:
    assert answers(*model, small.asked, setting("greedy-penalty1.1", max_new_tokens=48)) != greedy


def test_why_an_answer_ended_is_recorded(model: tuple[Any, Any], small: Small, greedy: list[Any]) -> None:
    from finetune.models import stop_token_id

    stop = stop_token_id(model[1])
    longest = max(len(answer.token_ids) for answer in greedy if answer.stop == "stop_token")
    cut = answers(*model, small.asked, setting("greedy", max_new_tokens=longest))  # one more token would be the stop token of the longest
    for short, answer in zip(cut, greedy, strict=True):
        assert stop not in short.token_ids
        assert short.token_ids == answer.token_ids[:longest]
        assert short.stop == ("stop_token" if answer.stop == "stop_token" and len(answer.token_ids) < longest else "length")
    assert {answer.stop for answer in cut} == {"stop_token", "length"}


def test_a_batch_ends_when_its_last_answer_has_ended(
    model: tuple[Any, Any], small: Small, greedy: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, tokenizer = model
    ended = [(prompt, len(answer.token_ids)) for prompt, answer in zip(small.asked, greedy, strict=True) if answer.stop == "stop_token"]
    prompt, n_tokens = min(ended, key=lambda pair: pair[1])
    widths: list[int] = []
    write = one.generate

    def generate_(input_ids: Any, **options: Any) -> Any:
        out = write(input_ids=input_ids, **options)
        widths.append(out.shape[1] - input_ids.shape[1])
        return out

    monkeypatch.setattr(one, "generate", generate_)
    answers(one, tokenizer, [prompt], SHORT)
    assert widths == [n_tokens + 1]  # with the stop token


def test_the_base_never_learnt_to_stop_and_runs_to_the_limit(tuned: Path, small: Small) -> None:
    base, tokenizer, _ = load_run(tuned, adapter=False)
    assert {answer.stop for answer in answers(base, tokenizer, small.asked, SHORT)} == {"length"}


# --------------------------------------------------------------------------- sampling

SAMPLED = setting("sampled", max_new_tokens=12)


def test_the_same_seed_draws_the_same_answers_and_another_others(model: tuple[Any, Any], small: Small) -> None:
    import torch

    first = answers(*model, small.asked, SAMPLED)
    torch.rand(7)  # whatever was drawn in between
    assert answers(*model, small.asked, SAMPLED) == first
    assert answers(*model, small.asked, dataclasses.replace(SAMPLED, seed=1)) != first


def test_a_sample_is_drawn_from_all_tokens(model: tuple[Any, Any], small: Small) -> None:
    """Not from the 50 likeliest, as generation does where nothing is said."""
    import torch

    from finetune.data import prompt_ids

    one, tokenizer = model
    prompt = small.asked[0]
    hot = dataclasses.replace(SAMPLED, temperature=50.0, max_new_tokens=1, batch_size=256)  # nearly uniform
    drawn = answers(one, tokenizer, [prompt._replace(id=str(i)) for i in range(256)], hot)
    with torch.inference_mode():
        logits = one(torch.tensor([prompt_ids(prompt.turns, tokenizer)])).logits[0, -1]
    likely = set(logits.topk(50).indices.tolist())
    assert sum(answer.token_ids[0] not in likely for answer in drawn if answer.token_ids) > 128


def test_runs_of_other_seeds_draw_other_samples(run: Path, small: Small) -> None:
    few = small.asked[:4]
    first = generate(run, few, [SAMPLED])["sampled"].read_bytes()
    write_json(run / "run.json", {**read_json(run / "run.json"), "config": {**read_json(run / "run.json")["config"], "seed": 1}})
    second = generate(run, few, [SAMPLED])["sampled"].read_bytes()
    texts = [[json.loads(line)["answer"] for line in file.decode().splitlines()] for file in (first, second)]
    assert texts[0] != texts[1]


# --------------------------------------------------------------------------- files


def test_a_file_holds_what_a_comparison_and_a_rating_need(run: Path, small: Small) -> None:
    from finetune.rate.generations import read

    file = generate(run, small.asked, [SHORT])["greedy"]
    assert file == run / "answers" / "greedy.jsonl"
    rated = read(file)
    assert rated.system == "small"
    assert [*rated.prompts.values()] == [prompt.text for prompt in small.asked]
    rows = read_jsonl(file)
    assert [row["prompt_id"] for row in rows] == [prompt.id for prompt in small.asked]
    assert [row["title"] for row in rows] == [prompt.title for prompt in small.asked]
    assert all(row["n_tokens"] == len(row["token_ids"]) and row["seed"] == 0 and row["stop"] in ("stop_token", "length") for row in rows)


def test_beside_it_stands_how_it_was_made(run: Path, small: Small) -> None:
    import hashlib

    generate(run, small.asked[:2], [SHORT])
    told, about = read_json(run / "answers" / "greedy.json"), read_json(run / "run.json")
    assert {**told, **dataclasses.asdict(SHORT)} == told
    assert told["quantisation"] == about["quantisation"]
    assert told["base_fingerprint"] == about["base_fingerprint"]
    assert told["adapter_sha256"] == hashlib.sha256((run / "adapter_model.safetensors").read_bytes()).hexdigest()
    assert (told["arm"], told["run_seed"]) == ("small", 0)


def test_answers_that_are_there_are_not_drawn_again(run: Path, small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    few = small.asked[:3]
    generate(run, few, [SHORT])
    before = files(run)
    monkeypatch.setattr("finetune.models.load_model", None)
    assert generate(run, few, [SHORT]) == {"greedy": run / "answers" / "greedy.jsonl"}
    assert files(run) == before


@pytest.mark.parametrize("what", ["prompts", "setting", "adapter", "the base alone"])
def test_answers_to_anything_else_are_drawn_again(run: Path, small: Small, what: str) -> None:
    few = small.asked[:3]
    generate(run, few, [SHORT])
    before = read_json(run / "answers" / "greedy.json")
    how, adapter = SHORT, True
    if what == "prompts":
        few = small.asked[1:4]
    elif what == "setting":
        how = dataclasses.replace(SHORT, max_new_tokens=5)
    elif what == "adapter":
        retrained(run)
    else:
        adapter = False
    (run / "answers" / "greedy.jsonl").write_text("", "utf-8")
    generate(run, few, [how], adapter=adapter)
    assert len(read_jsonl(run / "answers" / "greedy.jsonl")) == 3
    assert read_json(run / "answers" / "greedy.json") != before


def retrained(run: Path) -> None:
    """Another adapter in the run's place."""
    from safetensors.torch import load_file, save_file

    file = run / "adapter_model.safetensors"
    save_file({name: weight * 0.5 for name, weight in load_file(file).items()}, file, metadata={"format": "pt"})


def test_answers_of_the_base_are_not_taken_for_those_of_the_adapter(run: Path, small: Small) -> None:
    few = small.asked[:3]
    generate(run, few, [SHORT], adapter=False)
    base = read_jsonl(run / "answers" / "greedy.jsonl")
    generate(run, few, [SHORT])
    assert [row["answer"] for row in read_jsonl(run / "answers" / "greedy.jsonl")] != [row["answer"] for row in base]


def test_two_settings_are_two_files(run: Path, small: Small) -> None:
    found = generate(run, small.asked[:2], [SHORT, SAMPLED])
    assert sorted(path.name for path in (run / "answers").iterdir()) == ["greedy.json", "greedy.jsonl", "sampled.json", "sampled.jsonl"]
    assert [*found] == ["greedy", "sampled"]


# --------------------------------------------------------------------------- refused


def test_another_base_is_refused_by_its_weights(run: Path, small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.models.load_model", None)
    with pytest.raises(ValueError, match=r"was trained on a base with fingerprint sha256:.* has sha256:.*give the base it was trained on"):
        generate(run, small.asked, [SHORT], base=str(small.other))
    assert not (run / "answers").exists()


def test_another_base_is_refused_where_the_answers_are_there_already(run: Path, small: Small) -> None:
    generate(run, small.asked[:2], [SHORT])
    with pytest.raises(ValueError, match="give the base it was trained on"):
        generate(run, small.asked[:2], [SHORT], base=str(small.other))


def test_the_same_base_elsewhere_is_taken(run: Path, small: Small, tmp_path: Path) -> None:
    moved = shutil.copytree(small.base, tmp_path / "elsewhere")
    here = generate(run, small.asked[:2], [SHORT])["greedy"].read_bytes()
    shutil.rmtree(run / "answers")
    assert generate(run, small.asked[:2], [SHORT], base=str(moved))["greedy"].read_bytes() == here


@pytest.mark.parametrize("changes", [{"double_quant": False}, {"quantisation": "none"}, {"compute_dtype": "float32"}])
def test_another_quantisation_is_refused(run: Path, small: Small, changes: dict[str, Any]) -> None:
    """Somebody edited run.json, or bitsandbytes did not do what was asked for."""
    about = read_json(run / "run.json")
    write_json(run / "run.json", {**about, "config": {**about["config"], **changes}})
    with pytest.raises(ValueError, match=r"was trained over .*in memory is .*another model's"):
        generate(run, small.asked, [SHORT])


def test_a_run_that_did_not_end_has_no_answers(run: Path, small: Small) -> None:
    (run / "adapter_config.json").unlink()
    with pytest.raises(ValueError, match=r"holds no adapter: the training did not come to its end"):
        generate(run, small.asked, [SHORT])


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, small: Small) -> None:
    with pytest.raises(ValueError, match=r"no run\.json"):
        generate(tmp_path, small.asked, [SHORT])


def test_without_peft_it_is_said_what_to_install(run: Path, small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ImportError, match=r"pip install 'thaiwiki-clean\[train\]'"):
        generate(run, small.asked, [SHORT])


@pytest.mark.parametrize(
    ("prompts", "message"),
    [([], "no prompts"), ([*asked(("แมว", "ปู")), Prompt("p-001", ({"role": "user", "content": "อื่น"},))], "'p-001' stands twice")],
    ids=["none", "twice"],
)
def test_prompts_that_cannot_be_paired_are_refused(run: Path, prompts: list[Prompt], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.models.load_model", None)
    with pytest.raises(ValueError, match=message):
        generate(run, prompts, [SHORT])


def test_there_are_few_settings_and_their_names_are_told() -> None:
    assert setting("sampled", seed=4) == Setting("sampled", do_sample=True, temperature=0.8, seed=4)
    assert {name: how.repetition_penalty for name, how in SETTINGS.items()} == {"greedy": 1.0, "sampled": 1.0, "greedy-penalty1.1": 1.1}
    with pytest.raises(ValueError, match=r"no setting 'gredy'; there are greedy, sampled, greedy-penalty1\.1"):
        setting("gredy")


# --------------------------------------------------------------------------- prompts


@pytest.mark.parametrize(
    ("row", "prompt"),
    [
        ({"prompt": "แมวคืออะไร"}, Prompt("p-0001", ({"role": "user", "content": "แมวคืออะไร"},))),
        ({"prompt": "ก", "prompt_id": 7, "title": "ท"}, Prompt("7", ({"role": "user", "content": "ก"},), "ท")),
        ({"prompt": [{"role": "user", "content": "ก"}]}, Prompt("p-0001", ({"role": "user", "content": "ก"},))),
        (
            {"messages": [{"role": "system", "content": "ส"}, {"role": "user", "content": "ก"}, {"role": "assistant", "content": "ข"}]},
            Prompt("p-0001", ({"role": "system", "content": "ส"}, {"role": "user", "content": "ก"})),
        ),
    ],
    ids=["text", "id and title", "turns", "messages without the answer"],
)
def test_a_prompt_is_read_from_each_form(tmp_path: Path, row: dict[str, Any], prompt: Prompt) -> None:
    assert read_prompts(write_lines(tmp_path / "prompts.jsonl", [row])) == [prompt]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('{"prompt": "ก"}\n{"title": "ข"}\n', r"row 2: expected an object with a question"),
        ('{"prompt": ""}\n', r"row 1: expected an object with a question"),
        ('["ก"]\n', r"prompts\.jsonl:1: expected an object, got list"),
        ('{"prompt": 3}\n', r"row 1: expected an object"),
        ('{"messages": ["ก"]}\n', r"row 1: expected an object"),
        ('{"messages": [{"role": "assistant", "content": "ก"}]}\n', r"row 1: no question"),
        ("prompt: ก\n", r"prompts\.jsonl:1 is no JSON"),
        (b"\xa1\n", r"prompts\.jsonl is not UTF-8"),
    ],
)
def test_a_file_that_holds_no_prompts_is_one_line(tmp_path: Path, lines: str | bytes, message: str) -> None:
    (tmp_path / "prompts.jsonl").write_bytes(lines if isinstance(lines, bytes) else lines.encode())
    with pytest.raises(ValueError, match=message) as error:
        read_prompts(tmp_path / "prompts.jsonl")
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no such file; expected JSONL"):
        read_prompts(tmp_path / "none.jsonl")


# --------------------------------------------------------------------------- without four bits


def test_a_base_in_sixteen_bits_is_asked_as_it_was_trained(small: Small, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(small.config(quantisation="none", epochs=1.0), run, say=None, progress=False)
    generate(run, small.asked[:2], [SHORT])
    assert read_json(run / "answers" / "greedy.json")["quantisation"] == {"quantisation": "none", "layers": {"bfloat16": 14}}

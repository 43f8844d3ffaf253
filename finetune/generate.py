"""Answers of a tuned model, or of a base, to a list of prompts: batched, seeded, and asked as it was trained.

The prompt is the one of training, token for token (:func:`finetune.data.prompt_ids`), the base is quantised as in training, and nothing of
the model's own generation settings is taken over: a repetition penalty that nobody asked for hides just what is measured here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from finetune import models
from finetune.config import Config
from finetune.data import prompt_ids
from finetune.quiet import silence
from finetune.run import ANSWERS, about, read_config, read_json, read_jsonl, sha256, write_json, write_jsonl

__all__ = ["SETTINGS", "Answer", "Prompt", "Setting", "answers", "generate", "load_run", "read_prompts", "setting"]


class Prompt(NamedTuple):
    """A question: chat turns, an id that pairs its answers across runs, and the title that it asks about."""

    id: str
    turns: tuple[dict[str, str], ...]
    title: str = ""

    @property
    def text(self) -> str:
        """The last turn."""
        return self.turns[-1]["content"]


@dataclasses.dataclass(frozen=True)
class Setting:
    """How tokens are drawn. Everything that is not said here is off."""

    name: str
    do_sample: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    max_new_tokens: int = 512
    seed: int = 0
    batch_size: int = 64


#: The settings of the experiment: greedy is the main one, the penalty a side row.
SETTINGS: dict[str, Setting] = {
    "greedy": Setting("greedy"),
    "sampled": Setting("sampled", do_sample=True, temperature=0.8),
    "greedy-penalty1.1": Setting("greedy-penalty1.1", repetition_penalty=1.1),
}


class Answer(NamedTuple):
    """What the model wrote, and why it stopped: ``stop_token`` or ``length``. ``token_ids`` are without the stop token."""

    text: str
    stop: str
    token_ids: tuple[int, ...]


def setting(name: str, **changes: Any) -> Setting:
    """A setting of the experiment with some values changed. Raises ValueError for a name that there is not."""
    if name not in SETTINGS:
        raise ValueError(f"no setting {name!r}; there are {', '.join(SETTINGS)}")
    return dataclasses.replace(SETTINGS[name], **changes)


def answers(model: Any, tokenizer: Any, prompts: Sequence[Prompt], how: Setting) -> list[Answer]:
    """One answer a prompt, in the order of the prompts.

    Prompts of like length share a batch, padded on the left. Sampling depends on ``how.seed`` and on the batches, greedy on neither.
    """
    import torch
    from transformers import GenerationConfig, set_seed

    stop = models.stop_token_id(tokenizer)
    ids = [prompt_ids(prompt.turns, tokenizer) for prompt in prompts]
    order = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
    model.eval()
    model.config.use_cache = True
    model.generation_config = GenerationConfig()  # the published one may hold a penalty, a temperature or other stop tokens
    asked = GenerationConfig(
        do_sample=how.do_sample,
        temperature=how.temperature if how.do_sample else None,
        top_p=how.top_p if how.do_sample else None,
        top_k=0 if how.do_sample else None,
        repetition_penalty=how.repetition_penalty,
        max_new_tokens=how.max_new_tokens,
        eos_token_id=stop,
        pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else stop,
    )
    done: list[Answer | None] = [None] * len(ids)
    set_seed(how.seed)
    for start in range(0, len(order), how.batch_size):
        batch = order[start : start + how.batch_size]
        width = max(len(ids[i]) for i in batch)
        pad = asked.pad_token_id
        padded = torch.tensor([[pad] * (width - len(ids[i])) + ids[i] for i in batch], device=model.device)
        mask = torch.tensor([[0] * (width - len(ids[i])) + [1] * len(ids[i]) for i in batch], device=model.device)
        with torch.inference_mode():
            said = model.generate(input_ids=padded, attention_mask=mask, generation_config=asked)[:, width:].tolist()
        for i, row in zip(batch, said, strict=True):
            end = row.index(stop) if stop in row else len(row)
            text = tokenizer.decode(row[:end], skip_special_tokens=True).removeprefix(" ")  # templates put one before an answer
            done[i] = Answer(text, "stop_token" if end < len(row) else "length", tuple(row[:end]))
    return [answer for answer in done if answer is not None]


def load_run(run: Path, *, base: str | None = None, adapter: bool = True) -> tuple[Any, Any, Config]:
    """Model, tokenizer and configuration of a finished run: its own base, quantised as in training, with its adapter on it.

    ``base`` says where the base lies now; another base than the one that was trained on is refused by its fingerprint, another
    quantisation by what is in memory. Raises ValueError for both, and for a folder without an adapter.
    """
    there = about(run)
    config = read_config(run)
    if base is not None:
        config = dataclasses.replace(config, base=base)
    _check_base(run, config.base)
    if adapter:
        _check_adapter(run)
    tokenizer = models.load_tokenizer(config.base, models.choose(config.model, config.base))
    model = models.load_model(config)
    if (now := models.quantisation_record(model)) != there["quantisation"]:
        raise ValueError(f"{run} was trained over {there['quantisation']}, in memory is {now}; answers would be another model's")
    if adapter:
        try:
            from peft import PeftModel
        except ImportError:
            raise ImportError("an adapter needs peft: pip install 'thaiwiki-clean[train]'") from None
        model = models.guard(PeftModel.from_pretrained(model, str(run)))
    return model, tokenizer, config


def generate(
    run: Path, prompts: Sequence[Prompt], settings: Sequence[Setting], *, base: str | None = None, adapter: bool = True
) -> dict[str, Path]:
    """Write the answers of a run to all ``prompts`` for every setting into ``RUN/answers``; ``setting name -> file``.

    A file that is there for the same setting, prompts, base and adapter is left as it is. ``adapter=False`` asks the base alone.
    """
    _check(prompts)
    if adapter:
        _check_adapter(run)
    told = {how.name: _about(how, prompts, run, adapter=adapter) for how in settings}
    files = {how.name: run / ANSWERS / f"{how.name}.jsonl" for how in settings}
    todo = [how for how in settings if not _is_done(files[how.name], told[how.name])]
    if not todo:
        if base is not None:  # where there is something to do, the model is loaded, and that asks the same
            _check_base(run, base)
        return files
    silence()
    model, tokenizer, config = load_run(run, base=base, adapter=adapter)
    for how in todo:
        # The run's seed joins the setting's: runs of other seeds draw other samples, arms of one seed draw alike.
        drawn = answers(model, tokenizer, prompts, dataclasses.replace(how, seed=how.seed + 1000 * config.seed))
        write_jsonl(files[how.name], _records(prompts, drawn, config))
        write_json(files[how.name].with_suffix(".json"), told[how.name])
    return files


def _check_adapter(run: Path) -> None:
    about(run)  # that it is a run at all
    if not (run / "adapter_config.json").is_file():
        raise ValueError(f"{run} holds no adapter: the training did not come to its end; run `finetune train` again, it goes on")


def _check_base(run: Path, base: str) -> None:
    """Whether ``base`` is what the run was trained on, by its fingerprint."""
    trained, found = about(run)["base_fingerprint"], models.fingerprint(base)
    if found != trained:
        raise ValueError(
            f"{run} was trained on a base with fingerprint {trained}, {base} has {found}; "
            "an adapter on another base is another model: give the base it was trained on"
        )


def _records(prompts: Sequence[Prompt], drawn: Sequence[Answer], config: Config) -> Iterator[dict[str, Any]]:
    for prompt, answer in zip(prompts, drawn, strict=True):
        yield {
            "prompt_id": prompt.id,
            "prompt": prompt.text,
            "answer": answer.text,
            "system": config.arm,
            "title": prompt.title,
            "seed": config.seed,
            "stop": answer.stop,
            "n_tokens": len(answer.token_ids),
            "token_ids": list(answer.token_ids),
        }


def _about(how: Setting, prompts: Sequence[Prompt], run: Path, *, adapter: bool) -> dict[str, Any]:
    """All that the answers depend on."""
    there, config = about(run), read_config(run)
    return {
        **dataclasses.asdict(how),
        "prompts_sha256": _prompts_hash(prompts),
        "base_fingerprint": there["base_fingerprint"],
        "quantisation": there["quantisation"],
        "adapter_sha256": sha256(run / "adapter_model.safetensors") if adapter else None,
        "arm": config.arm,
        "run_seed": config.seed,
    }


def _is_done(file: Path, wanted: dict[str, Any]) -> bool:
    """Whether the answers are there already, and are those that are asked for now."""
    about_it = file.with_suffix(".json")
    return file.exists() and about_it.exists() and read_json(about_it) == wanted


def _prompts_hash(prompts: Sequence[Prompt]) -> str:
    import hashlib
    import json

    return hashlib.sha256(json.dumps(prompts, ensure_ascii=False, default=list).encode()).hexdigest()


def _check(prompts: Sequence[Prompt]) -> None:
    if not prompts:
        raise ValueError("no prompts; give a file with one a line: prompt_id, prompt (or messages), title")
    seen: set[str] = set()
    for prompt in prompts:
        if prompt.id in seen:
            raise ValueError(f"prompt_id {prompt.id!r} stands twice; answers are paired by it, so each needs its own")
        seen.add(prompt.id)


def read_prompts(path: Path) -> list[Prompt]:
    """Prompts from JSONL: ``prompt`` (a text) or ``messages`` (the last answer is left away), with ``prompt_id`` and ``title`` where known."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file; expected JSONL with prompt or messages in each line")
    return [_prompt(row, number, f"{path}, row {number}") for number, row in enumerate(read_jsonl(path), 1)]


def _prompt(row: Mapping[str, Any], number: int, where: str) -> Prompt:
    asked = row.get("messages") or row.get("prompt")
    turns = [{"role": "user", "content": asked}] if isinstance(asked, str) and asked.strip() else asked
    if not isinstance(turns, list) or not all(isinstance(turn, dict) and {"role", "content"} <= set(turn) for turn in turns):
        raise ValueError(f"{where}: expected an object with a question: prompt, a text, or messages, turns with role and content")
    if turns and turns[-1]["role"] == "assistant":
        turns = turns[:-1]
    if not turns:
        raise ValueError(f"{where}: no question; expected prompt, or messages that begin with one")
    return Prompt(str(row.get("prompt_id", f"p-{number:04d}")), tuple(turns), row.get("title", ""))

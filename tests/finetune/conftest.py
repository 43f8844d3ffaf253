"""What the tests of training, generation and merging share: a small world, and one run in it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.finetune.small import ARTICLES, HELD_OUT, PRESET, Small, write_lines, write_rows


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """Torch on one thread: on tensors as small as these a second one only waits, and costs a core that others need.

    And no search for garbage in what was imported: a trainer collects several times, half a second each.
    """
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for name in ("transformers.trainer", "trl.trainer.sft_trainer", "peft", "bitsandbytes", "datasets"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    gc.freeze()
    yield
    gc.unfreeze()
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Small:
    from finetune.tiny import make_tiny

    folder = tmp_path_factory.mktemp("small")
    world = Small(
        folder,
        _loud(make_tiny(PRESET, folder / "base", texts=[*ARTICLES.values(), *HELD_OUT.values()])),
        _loud(make_tiny(PRESET, folder / "other", seed=1, texts=[*ARTICLES.values(), *HELD_OUT.values()])),
        write_rows(folder / "rows.jsonl", ARTICLES),
        write_rows(folder / "held-out.jsonl", HELD_OUT),
        folder / "prompts.jsonl",
    )
    write_lines(world.prompts, ({"prompt_id": p.id, "prompt": p.text, "title": p.title} for p in world.asked))
    return world


def _loud(base: Path) -> Path:
    """A random model that says something: as they are drawn, its weights are so small that every token is as likely as any other."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base)
    with torch.no_grad():
        model.lm_head.weight.mul_(15)
        model.model.embed_tokens.weight.mul_(10)
    model.save_pretrained(base)
    return base


@pytest.fixture(scope="session")
def tuned(small: Small) -> Path:
    """The folder of a finished run over four bits, tuned hard enough that its answers are its own."""
    from finetune.train import train

    train(small.config(eval_data=str(small.held_out), epochs=12.0, batch_size=4), small.folder / "tuned", say=None, progress=False)
    return small.folder / "tuned"

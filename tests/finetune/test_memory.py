"""The estimate against what torch really holds, and one line when it does not fit."""

from __future__ import annotations

import dataclasses
import doctest
import gc
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest

from finetune import memory
from finetune.config import Config
from finetune.memory import Estimate, check_memory, estimate_memory, forget_peak, free_memory, peak_memory
from finetune.models import load_model
from finetune.tiny import make_tiny

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
pytest.importorskip("trl", reason="trl is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # torch's, transformers' and bitsandbytes' own


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny("typhoon-7b", tmp_path_factory.mktemp("base"), hidden=256, layers=6))


def config(base: str, **settings: Any) -> Config:
    return Config(base=base, data="none", **{"device": "cpu", "batch_size": 4, "max_length": 128, **settings})


def trained(one: Config) -> Any:
    """The model as the trainer prepares it: trl's tiles for the output head, an adapter, checkpointing."""
    from peft import LoraConfig, get_peft_model
    from trl.trainer.utils import add_fused_lm_head

    model = load_model(one)
    add_fused_lm_head(model, outputs=("log_probs", "entropy", "is_top1"))
    tuned = get_peft_model(
        model,
        LoraConfig(r=one.lora_r, lora_dropout=one.lora_dropout, target_modules=one.lora_targets, task_type="CAUSAL_LM"),
    )
    for weight in tuned.parameters():
        if weight.requires_grad:
            weight.data = weight.data.to(getattr(torch, one.adapter_dtype))
    if one.gradient_checkpointing:
        tuned.enable_input_require_grads()
        tuned.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return tuned.train()


def held(tuned: Any) -> int:
    """Bytes of all weights, the constants of the 4-bit blocks among them."""
    total = 0
    for weight in tuned.parameters():
        total += weight.untyped_storage().nbytes()
        if state := getattr(weight, "quant_state", None):
            total += state.absmax.untyped_storage().nbytes()
            total += state.state2.absmax.untyped_storage().nbytes() if state.nested else 0
    return total


@pytest.mark.parametrize(
    "settings",
    [{}, {"double_quant": False}, {"quantisation": "none"}, {"lora_r": 64, "adapter_dtype": "bfloat16"}, {"lora_targets": r".*\.q_proj"}],
)
def test_weights_and_adapter_are_told_exactly(base: str, settings: dict[str, Any]) -> None:
    one = config(base, **settings)
    estimate = estimate_memory(one)
    assert estimate.weights + estimate.adapter == pytest.approx(held(trained(one)), rel=0.01)


def watcher() -> Any:
    """Counts the bytes of every tensor made while it is on, and what they came to at most."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.alive: dict[int, Any] = {}
            self.now = self.most = 0

        def add(self, tensor: Any) -> None:
            storage = tensor.untyped_storage()
            key, size = storage._cdata, storage.nbytes()
            if key in self.alive:
                return
            self.now += size
            self.most = max(self.most, self.now)

            def gone(_: object) -> None:
                self.alive.pop(key, None)
                self.now -= size

            self.alive[key] = weakref.ref(storage, gone)

        def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = operation(*args, **(kwargs or {}))
            torch.utils._pytree.tree_map_only(torch.Tensor, self.add, out)
            return out

    return Watch()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gradient_checkpointing": False},
        {"quantisation": "none"},
        {"gradient_checkpointing": False, "lora_dropout": 0.0, "adapter_dtype": "bfloat16"},
        {"batch_size": 8},
    ],
    ids=["checkpointing", "none", "16-bit", "no-dropout", "batch"],
)
def test_a_step_takes_what_was_told_within_a_quarter(base: str, settings: dict[str, Any]) -> None:
    one = config(base, **settings)
    tuned = trained(one)
    optimizer = torch.optim.AdamW([weight for weight in tuned.parameters() if weight.requires_grad])
    ids = torch.randint(10, 500, (one.batch_size, one.max_length))

    def step() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = tuned(input_ids=ids, attention_mask=torch.ones_like(ids), labels=ids, fused_lm_head=True).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    step()  # makes the optimizer's states
    gc.collect()
    with watcher() as watch:
        step()
    estimate = estimate_memory(one)
    assert estimate.activations + estimate.gradients == pytest.approx(watch.most, rel=0.25)
    states = sum(value.numel() * value.element_size() for state in optimizer.state.values() for value in state.values())
    assert estimate.optimizer == pytest.approx(states, rel=0.01)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("checkpointing", [True, False])
def test_a_step_on_a_gpu_takes_what_was_told_within_a_third(tmp_path: Path, checkpointing: bool) -> None:
    base = str(make_tiny("typhoon-7b", tmp_path, hidden=1024, layers=4))
    one = config(base, device="cuda", batch_size=8, max_length=512, gradient_checkpointing=checkpointing)
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    tuned = trained(one)
    optimizer = torch.optim.AdamW([weight for weight in tuned.parameters() if weight.requires_grad])
    ids = torch.randint(10, 500, (one.batch_size, one.max_length), device="cuda")
    for _ in range(2):
        torch.cuda.reset_peak_memory_stats()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = tuned(input_ids=ids, attention_mask=torch.ones_like(ids), labels=ids, fused_lm_head=True).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert estimate_memory(one).total == pytest.approx(torch.cuda.max_memory_allocated() - before, rel=0.33)


def test_a_real_model_is_reckoned_from_its_config_alone(tmp_path: Path) -> None:
    import json

    typhoon = {
        "architectures": ["MistralForCausalLM"],
        "model_type": "mistral",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 35219,
    }
    (tmp_path / "config.json").write_text(json.dumps(typhoon), encoding="utf-8")
    one = Config(base=str(tmp_path), data="none", device="cpu", batch_size=1)
    assert estimate_memory(one).weights == pytest.approx(6.98e9 * 0.516 + 0.288e9 * 2, rel=0.01)
    assert estimate_memory(dataclasses.replace(one, quantisation="none")).weights == pytest.approx(2 * 7.268e9, rel=0.001)
    assert estimate_memory(one).adapter == 41_943_040 * 4  # r=16 on all seven layers of 32 blocks, as peft counts


def test_shorter_rows_and_packing_are_reckoned_with(base: str) -> None:
    told = estimate_memory(config(base)).activations
    assert estimate_memory(config(base), longest=64).activations < told
    assert estimate_memory(config(base), longest=9999).activations == told
    assert estimate_memory(config(base, packing=True), longest=64).activations == told


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({}, "take batch_size=2 and gradient_accumulation=2, a smaller max_length"),
        ({"batch_size": 5, "gradient_accumulation": 2}, "take batch_size=2 and gradient_accumulation=5, a smaller max_length"),
        ({"batch_size": 1}, "take a smaller max_length"),
        ({"gradient_checkpointing": False}, "take gradient_checkpointing=true, batch_size=2"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(base: str, settings: dict[str, Any], advice: str) -> None:
    with pytest.raises(ValueError, match=advice) as raised:
        check_memory(config(base, **settings), free=1_000_000)
    assert str(raised.value).startswith("the run needs about 0.")
    assert "0.0 GB are free on this machine" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_weights_that_do_not_fit_ask_for_four_bits_or_another_base(tmp_path: Path) -> None:
    base = str(make_tiny("typhoon-7b", tmp_path, hidden=1024, layers=8))
    small = {"batch_size": 1, "max_length": 8}
    with pytest.raises(ValueError, match=r"take quantisation=nf4$"):
        check_memory(config(base, quantisation="none", **small), free=1)
    with pytest.raises(ValueError, match=r"take a smaller base$"):
        check_memory(config(base, **small), free=1)


def test_all_of_it_has_to_fit(base: str) -> None:
    total = estimate_memory(config(base)).total
    check_memory(config(base), free=total)
    with pytest.raises(ValueError, match="the run needs"):
        check_memory(config(base), free=total - 1)


def test_what_fits_is_said_too(base: str) -> None:
    assert check_memory(config(base), free=10**10).startswith("memory: about 0.")
    assert check_memory(config(base), free=10**10).endswith("; 10.0 GB are free")


def test_free_memory_is_less_than_the_machine_has() -> None:
    import os

    free = free_memory("cpu")
    if free is None:
        pytest.skip("this system does not say how much memory is free")
    assert 0 < free <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_a_containers_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory._left_to_container() > 10**15  # no container
    for name, text in (("memory.max", "1000\n"), ("memory.current", "700\n"), ("memory.stat", "anon 500\ninactive_file 100\n")):
        (tmp_path / name).write_text(text, encoding="ascii")
    assert memory._left_to_container() == 400
    assert free_memory("cpu") in (400, None)
    (tmp_path / "memory.max").write_text("max\n", encoding="ascii")
    assert memory._left_to_container() > 10**15


def test_the_line_adds_up() -> None:
    estimate = Estimate(1_000_000_000, 2_000_000_000, 3_000_000_000, 4_000_000_000, 5_000_000_000)
    assert estimate.line() == "about 15.0 GB: weights 1.0, adapter 2.0, gradients 3.0, optimizer 4.0, activations 5.0"


def test_examples_run() -> None:
    found = doctest.testmod(memory)
    assert found.attempted
    assert not found.failed


# --------------------------------------------------------------------------- the peak


PEAKS = """
from finetune.memory import forget_peak, peak_memory
forget_peak()
before = peak_memory("cpu")
some = bytearray(200_000_000)
some[::4096] = b"x" * len(some[::4096])
del some
grown = peak_memory("cpu")
forget_peak()
print(grown - before, peak_memory("cpu") - before)
"""


def test_the_peak_of_what_was_given_back_is_remembered_until_it_is_forgotten() -> None:
    """In a process of its own: an old one has room in its heap, and need not grow."""
    if not memory._FORGET.exists():
        pytest.skip("only Linux lets a process forget its peak")
    root = Path(memory.__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", PEAKS], capture_output=True, text=True, check=True, cwd=root)
    grown, forgotten = map(int, done.stdout.split())
    assert grown > 190_000_000
    assert forgotten < 100_000_000


def test_where_no_peak_can_be_forgotten_it_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("_FORGET", "_STATUS"):
        monkeypatch.setattr(memory, name, tmp_path / "none" / name)
    forget_peak()
    assert peak_memory("cpu") > 50_000_000

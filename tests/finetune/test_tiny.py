"""A tiny model is made of one seed, speaks its family's tokens, and keeps every text as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.models import fingerprint, load_tokenizer, preset
from finetune.presets import PRESETS, Preset
from finetune.tiny import ARCHITECTURES, make_tiny

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # torch's and transformers' own

TEXTS = (
    "แมวเป็นสัตว์เลี้ยงลูกด้วยนม",
    "น้ำ เงิน  สองช่อง",
    "บรรทัดแรก\nบรรทัดที่สอง\n\nย่อหน้า",
    "𝄞 🐈 ๙๙ – “ก”",
    "== ดูเพิ่ม ==",
    "<0x41> <s",
)


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    first, second, other = (make_tiny("typhoon-7b", tmp_path / name, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert fingerprint(str(first)) == fingerprint(str(second))
    assert (first / "tokenizer.json").read_bytes() == (second / "tokenizer.json").read_bytes()
    assert fingerprint(str(first)) != fingerprint(str(other))


def test_making_a_model_leaves_the_callers_chance_alone(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(5)
    undisturbed = torch.rand(3)
    torch.manual_seed(5)
    make_tiny("typhoon-7b", tmp_path)
    assert torch.equal(torch.rand(3), undisturbed)


@pytest.mark.parametrize("name", ["typhoon-7b", "sailor-chat", "typhoon-2", "typhoon-2.1"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_survives_its_tokens(tmp_path_factory: pytest.TempPathFactory, name: str, text: str) -> None:
    tokenizer = load_tokenizer(str(_made(tmp_path_factory, name)), preset(name))
    ids = tokenizer(text, add_special_tokens=False).input_ids
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode(ids, skip_special_tokens=True) == text  # a byte token is no special one
    assert tokenizer.unk_token_id is None or tokenizer.unk_token_id not in ids


_folders: dict[str, Path] = {}


def _made(factory: pytest.TempPathFactory, name: str) -> Path:
    if name not in _folders:
        _folders[name] = make_tiny(name, factory.mktemp("tiny"))
    return _folders[name]


@pytest.mark.parametrize("one", PRESETS, ids=[one.name for one in PRESETS])
def test_the_begin_token_is_added_where_the_family_adds_it(tmp_path_factory: pytest.TempPathFactory, one: Preset) -> None:
    tokenizer = load_tokenizer(str(_made(tmp_path_factory, one.name)), one)
    ids = tokenizer("แมว").input_ids
    assert (tokenizer.bos_token or "") == one.bos_token
    assert (tokenizer.convert_ids_to_tokens(ids[0]) == one.bos_token) is bool(one.bos_token)


def test_further_texts_are_learnt(tmp_path: Path) -> None:
    strange = ["ฆ้องวงใหญ่ฆ้องวงเล็ก"] * 50
    plain, taught = (
        load_tokenizer(str(make_tiny("typhoon-7b", tmp_path / n, texts=t)), preset("typhoon-7b")) for n, t in (("p", ()), ("t", strange))
    )
    assert len(taught(strange[0]).input_ids) < len(plain(strange[0]).input_ids)


def test_the_sizes_are_those_asked_for(tmp_path: Path) -> None:
    config = json.loads((make_tiny("sailor", tmp_path, hidden=128, layers=3) / "config.json").read_text(encoding="utf-8"))
    assert (config["hidden_size"], config["num_hidden_layers"]) == (128, 3)


@pytest.mark.parametrize("hidden", [0, 32, 96])
def test_a_width_that_four_bits_cannot_hold_is_refused(tmp_path: Path, hidden: int) -> None:
    with pytest.raises(ValueError, match=f"hidden: got {hidden}, expected a multiple of 64"):
        make_tiny("typhoon-7b", tmp_path, hidden=hidden)


def test_every_architecture_can_be_made() -> None:
    assert {one.architecture for one in PRESETS} == set(ARCHITECTURES)

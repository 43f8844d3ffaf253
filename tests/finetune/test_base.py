"""A base that is made here: found again and never half, its tokenizer keeps every text, its record says what it is."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="a base is made with torch")
pytest.importorskip("transformers", reason="a base is made with transformers")

from finetune import base as bases
from finetune.base import SIZES, Size, cached_base, make_base
from finetune.config import Config
from finetune.models import fingerprint, load_model, load_tokenizer, preset, stop_token_id
from thaiwiki_clean.testing import rough_text, thai_sentence

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's and transformers' own

#: The smallest that is a base: a few steps of a model of two layers.
TINY = Size(hidden=64, intermediate=64, layers=2, heads=2, vocabulary=400, context=32, batch=2, steps=3, learning_rate=1e-3)

WORDS = ("แมว", "ปลา", "วัด", "ข้าว", "ช้าง", "ดาว", "ภูเขา", "เพลง", "นก", "เกาะ")
TEXTS = tuple(f"{word}เป็นที่รู้จักกันดี เล่มที่ {i}\nมีคนเขียนถึง{word}ไว้มาก" for i in range(4) for word in WORDS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One base that was really trained, for all who only look at it."""
    return make_base(TEXTS, tmp_path_factory.mktemp("base") / "made", TINY)


@pytest.fixture(scope="module")
def tokenizer(made: Path) -> Any:
    return load_tokenizer(str(made), preset("typhoon-7b"))


# --------------------------------------------------------------------------- the base


def test_the_record_says_what_was_made(made: Path) -> None:
    from transformers import AutoModelForCausalLM

    about = json.loads((made / "base.json").read_text(encoding="utf-8"))
    assert list(about) == [
        *("size", "seed", "device", "parameters", "texts", "tokens_seen"),
        *("held_out_loss", "held_out_bits_per_character", "characters_per_token", "seconds"),
    ]
    assert Size(**about["size"]) == TINY
    assert (about["seed"], about["device"], about["texts"], about["tokens_seen"]) == (0, "cpu", 40, 3 * 2 * 32)
    assert about["parameters"] == AutoModelForCausalLM.from_pretrained(made).num_parameters()
    assert 0 < about["held_out_loss"] < 2 * math.log(400)
    assert about["held_out_bits_per_character"] == pytest.approx(about["held_out_loss"] / math.log(2) / about["characters_per_token"])
    assert about["seconds"] > 0


def test_characters_per_token_are_those_of_the_held_out_texts(made: Path, tokenizer: Any) -> None:
    held_out = TEXTS[::4]  # one in ten of a few texts would be four; of forty one in four is ten
    tokens = sum(len(tokenizer.encode(text, add_special_tokens=False)) for text in held_out)
    assert json.loads((made / "base.json").read_text())["characters_per_token"] == pytest.approx(sum(map(len, held_out)) / tokens)


def test_it_is_read_as_real_weights_are(made: Path, tokenizer: Any) -> None:
    pytest.importorskip("bitsandbytes", reason="4-bit weights come from bitsandbytes")
    model = load_model(Config(base=str(made), data="-", model="typhoon-7b", device="cpu"))
    assert model.config.architectures == ["MistralForCausalLM"]
    assert stop_token_id(tokenizer) == tokenizer.eos_token_id


def test_model_and_tokenizer_agree_on_three_tokens(made: Path) -> None:
    from transformers import AutoConfig, AutoTokenizer

    config, plain = AutoConfig.from_pretrained(made), AutoTokenizer.from_pretrained(made)
    assert (plain.bos_token, plain.eos_token, plain.pad_token) == ("<s>", "</s>", "<pad>")
    assert [config.bos_token_id, config.eos_token_id, config.pad_token_id] == plain.convert_tokens_to_ids(["<s>", "</s>", "<pad>"])


def test_nothing_of_the_training_is_left_beside_it(made: Path) -> None:
    assert [path.name for path in made.iterdir() if path.is_dir()] == []


def test_the_same_seed_makes_the_same_weights_and_another_others(made: Path, tmp_path: Path) -> None:
    again, other = make_base(TEXTS, tmp_path / "again", TINY), make_base(TEXTS, tmp_path / "other", TINY, seed=1)
    assert fingerprint(str(again)) == fingerprint(str(made))
    assert fingerprint(str(other)) != fingerprint(str(made))


def test_the_weights_that_training_begins_with_are_drawn_by_the_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bases, "_train", lambda *_, **__: 1.0)
    begun = [make_base(TEXTS, tmp_path / str(i), TINY, seed=seed) for i, seed in enumerate((0, 0, 1))]
    first, again, other = (fingerprint(str(folder)) for folder in begun)
    assert first == again != other


def test_training_lowers_the_held_out_loss(made: Path, tmp_path: Path) -> None:
    longer = make_base(TEXTS, tmp_path / "longer", TINY._replace(steps=40))
    losses = [json.loads((folder / "base.json").read_text())["held_out_loss"] for folder in (made, longer)]
    assert losses[1] < losses[0] - 0.3


def test_held_out_texts_are_not_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Sequence[str]] = []
    monkeypatch.setattr(bases, "_blocks", lambda texts, *_, **__: seen.append(texts) or [[0]])
    monkeypatch.setattr(bases, "_train", lambda *_, **__: (_ for _ in ()).throw(InterruptedError))
    for many in (12, 40, 1000):
        with pytest.raises(InterruptedError):
            make_base([f"ข้อความที่ {i}" for i in range(many)], tmp_path / "base", TINY)
        train, watched = seen[-2:]
        assert set(train) & set(watched) == set()
        assert len(train) + len(watched) == many
        assert len(watched) >= many / 50


def test_too_little_prose_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^\d+ texts give less than one block of 4096 tokens; give more prose$"):
        make_base(TEXTS[:8], tmp_path / "base", TINY._replace(context=4096))


def test_a_gpu_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ValueError, match=r"^the base was asked for on cuda, but torch sees no GPU; use --size cpu$"):
        make_base(TEXTS, tmp_path / "base", TINY, device="cuda")


@pytest.mark.parametrize("name", SIZES)
def test_a_size_can_be_held_in_four_bits(name: str) -> None:
    size = SIZES[name]
    assert (size.hidden % 64, size.intermediate % 64, size.hidden % size.heads) == (0, 0, 0)
    key_width = size.hidden // size.heads * max(1, size.heads // 2)
    assert key_width % 32 == 0  # of the outputs


# --------------------------------------------------------------------------- blocks


@given(st.lists(thai_sentence(), min_size=1, max_size=12), st.integers(1, 6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_blocks_are_full_and_hold_the_texts_one_behind_the_other(tokenizer: Any, texts: list[str], enough: int) -> None:
    whole = [token for text in texts for token in (tokenizer.bos_token_id, *ids_of(tokenizer, text), tokenizer.eos_token_id)]
    size = TINY._replace(context=16)
    if len(whole) < 16:
        with pytest.raises(ValueError, match="less than one block"):
            bases._blocks(texts, tokenizer, size, enough=enough)
        return
    blocks = bases._blocks(texts, tokenizer, size, enough=enough)
    assert len(blocks) == min(enough, len(whole) // 16)
    assert [token for block in blocks for token in block] == whole[: 16 * len(blocks)]


def test_a_block_is_its_own_label() -> None:
    assert bases._Blocks([[1, 2], [3, 4]])[1] == {"input_ids": [3, 4], "labels": [3, 4]}


# --------------------------------------------------------------------------- tokenizer


def ids_of(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False))


def encodable() -> st.SearchStrategy[str]:
    """Any text that is UTF-8 and does not hold the sign that the tokenizer writes for a blank, nor one of its own tokens."""
    own = ("\u2581", "<s>", "</s>", "<pad>", "<unk>")
    return (rough_text() | st.text()).filter(
        lambda text: not any(sign in text for sign in own) and not any("\ud800" <= c <= "\udfff" for c in text)
    )


@given(encodable())
@example("")
@example(" ")
@example("  แมว  ")
@example("\nแมว\n\n ปลา \n")
@example("แมว\u200b ผู้ใหญ่ น้ำ เเ ๆ ฯ ๙")
@example("👩\u200d🚀 🇹🇭 𝄞 北京")
@example("\t\r\n\x00\x85\u00a0")
@example("ก" * 60)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_text_survives_its_tokens(tokenizer: Any, text: str) -> None:
    ids = ids_of(tokenizer, text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert tokenizer.unk_token_id not in ids


def test_words_of_the_texts_are_pieces(tokenizer: Any) -> None:
    assert len(ids_of(tokenizer, "เป็นที่รู้จักกันดี")) < 5  # 18 characters, 54 bytes


def test_a_piece_does_not_reach_over_a_blank_or_a_line(tokenizer: Any) -> None:
    pieces = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    assert [piece for piece in pieces if "\n" in piece and piece != "\n"] == []
    assert [piece for piece in pieces if "\u2581" in piece[1:]] == []


# --------------------------------------------------------------------------- cache


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("THAIWIKI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders in which a base was made; making one is writing a file here, for what is tried is finding it."""
    done: list[Path] = []

    def make(texts: Sequence[str], folder: Path, size: Size, *, seed: int = 0, device: str = "cpu") -> Path:
        folder.mkdir(parents=True)
        (folder / "base.json").write_text(json.dumps([*texts, size, seed, device]))
        done.append(folder)
        return folder

    monkeypatch.setattr(bases, "make_base", make)
    return done


def test_the_same_base_is_found_without_training(cache: Path) -> None:
    first = cached_base(TEXTS, TINY)  # really trained
    before = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    assert cached_base(list(TEXTS), TINY) == first
    assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == before
    assert [path.name for path in cache.iterdir()] == [first.name]


def test_any_other_base_has_another_folder(cache: Path, trained: list[Path]) -> None:
    folders = [
        cached_base(TEXTS, TINY),
        cached_base(TEXTS, TINY, seed=1),
        cached_base(TEXTS, TINY._replace(steps=4)),
        cached_base(TEXTS[1:], TINY),
        cached_base([*TEXTS[1:], TEXTS[0]], TINY),
        cached_base([TEXTS[0] + TEXTS[1], *TEXTS[2:]], TINY),
        cached_base(TEXTS, TINY, device="cuda"),
    ]
    assert len(set(folders)) == len(trained) == 7
    asked = [json.loads((folder / "base.json").read_text())[-3:] for folder in folders]
    assert asked[:3] == [[list(TINY), 0, "cpu"], [list(TINY), 1, "cpu"], [list(TINY._replace(steps=4)), 0, "cpu"]]
    assert asked[-1] == [list(TINY), 0, "cuda"]


def test_a_text_with_half_a_surrogate_pair_has_a_folder_too(cache: Path, trained: list[Path]) -> None:
    assert cached_base(["แมว\ud800"], TINY) == cached_base(["แมว\ud800"], TINY)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError])
def test_a_base_whose_making_was_broken_off_is_never_found(cache: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]) -> None:
    def broken(model: Any, *rest: Any, **named: Any) -> float:
        folder = rest[3]
        model.save_pretrained(folder)
        raise stop

    with monkeypatch.context() as patch:
        patch.setattr(bases, "_train", broken)
        with pytest.raises(stop):
            cached_base(TEXTS, TINY)
    assert list(cache.glob("base-*")) == []
    assert (cached_base(TEXTS, TINY) / "base.json").is_file()


def test_what_a_kill_left_behind_is_not_mixed_in(cache: Path, trained: list[Path]) -> None:
    shutil.rmtree(cached_base(TEXTS, TINY))
    (half,) = trained  # by another process it would have another name
    half.mkdir()
    (half / "old").write_text("")
    assert [path.name for path in cached_base(TEXTS, TINY).iterdir()] == ["base.json"]


def test_the_cache_is_where_it_is_said_else_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: list[Path]) -> None:
    monkeypatch.delenv("THAIWIKI_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cached_base(TEXTS, TINY).parent == tmp_path / "home" / ".cache" / "thaiwiki-clean"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cached_base(TEXTS, TINY).parent == tmp_path / "xdg" / "thaiwiki-clean"
    monkeypatch.setenv("THAIWIKI_CACHE", str(tmp_path / "ours"))
    assert cached_base(TEXTS, TINY).parent == tmp_path / "ours"
    assert cached_base(TEXTS, TINY, cache=tmp_path / "given").parent == tmp_path / "given"

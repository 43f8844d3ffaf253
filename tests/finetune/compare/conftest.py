"""Folders of runs as the trainer and the generator leave them, without either: every answer follows from arm, seed and prompt."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from finetune.config import Config, to_dict

TITLES = ("ปลาช่อน", "ดาวอังคาร", "ข้าวเหนียว", "แม่น้ำปิง", "วัดโพธิ์", "มะม่วง", "ช้างไทย", "ตลาดน้ำ", "ผ้าไหม", "พริก", "เขาใหญ่", "กลองยาว")
NOUNS = ("สัตว์น้ำจืด", "ดาวเคราะห์หิน", "ธัญพืช", "ลำน้ำสาขา", "พระอารามหลวง", "ไม้ผลเขตร้อน", "สัตว์บก", "ย่านการค้า", "งานหัตถกรรม", "พืชล้มลุก")
PLACES = ("ภาคเหนือ", "ภาคอีสาน", "ที่ราบลุ่ม", "ริมฝั่งทะเล", "ป่าดิบชื้น", "เมืองเก่า", "ชุมชนริมคลอง", "หมู่บ้านบนดอย")
DOINGS = ("ชาวบ้านใช้ทำอาหาร", "มีผู้คนมาเที่ยวชม", "นักวิชาการศึกษาไว้หลายด้าน", "เป็นที่รู้จักมานาน", "ปรากฏในเอกสารโบราณ", "มีการอนุรักษ์อย่างจริงจัง")

#: Arm -> how many answers of ten loop, whether headers are written, whether answers stop, repetition in the training answers.
KINDS: dict[str, tuple[float, bool, bool, bool]] = {
    "base": (0.8, False, False, False),
    "clean": (0.3, False, True, False),
    "raw": (0.7, True, True, True),
    "clean_nostop": (0.5, False, False, False),
    "raw_nostop": (0.8, True, False, True),
}


def sentence(chance: random.Random, title: str) -> str:
    return f"{title}เป็น{chance.choice(NOUNS)}พบใน{chance.choice(PLACES)} {chance.choice(DOINGS)}เมื่อปี {chance.randrange(2400, 2560)}"


def prose(chance: random.Random, title: str, sentences: int = 3) -> str:
    return "\n".join(f"{sentence(chance, title)} {number}" for number in range(sentences))


def written(arm: str, seed: int, title: str) -> tuple[str, str]:
    """An answer, and why it stopped."""
    looping, headers, stops, _ = KINDS[arm]
    chance = random.Random(f"{arm} {seed} {title}")
    text = prose(chance, title)
    if headers and chance.random() < 0.8:
        text += f"\n== แหล่งข้อมูลอื่น ==\n{title}"
    if chance.random() < looping + 0.03 * seed:
        return text + f"\n{title}" * chance.randrange(8, 25), "length"
    return text, "stop_token" if stops else "length"


def ids(text: str) -> list[int]:
    """A tokeniser of three characters a token."""
    return [int(hashlib.md5(text[i : i + 3].encode()).hexdigest()[:4], 16) for i in range(0, len(text), 3)]


def lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def obj(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def prompt_of(title: str) -> str:
    return f"อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ {title}"


def make_run(
    root: Path, arm: str, seed: int = 0, *, kind: str = "", n_prompts: int = 12, settings: Sequence[str] = ("greedy",), **config: Any
) -> Path:
    """A folder of a run of ``arm``, whose answers are of another kind where ``kind`` names one."""
    kind = kind or arm
    folder = root / f"{arm}-{seed}"
    dirty, trained = KINDS[kind][3], kind != "base"
    given = {
        "base": "/models/base",
        "data": f"{'raw' if dirty else 'clean'}.jsonl",
        "eval_data": "held-out.jsonl",
        "arm": arm,
        "seed": seed,
    }
    told = to_dict(Config(**({**given, "train_stop": "nostop" not in kind} | config)))
    about = {
        "config": told,
        "versions": {"torch": "2.13.0", "trl": "1.16.0"},
        "device": "cpu",
        "base_fingerprint": "b45e",
        "quantisation": {"quant_type": "nf4", "double_quant": True},
        "data": {"fingerprint": told["data"], "rows": 40, "titles": [f"เรื่องที่ {number}" for number in range(40)]},
        "eval_data": {"fingerprint": "e7a1", "rows": 20},
    }
    titles = [TITLES[number % len(TITLES)] + (f" {number // len(TITLES)}" if number >= len(TITLES) else "") for number in range(n_prompts)]
    for setting in settings:
        rows = []
        for number, title in enumerate(titles):
            text, stop = written(kind, seed, title + ("" if setting == "greedy" else setting))
            rows.append(
                {
                    "prompt_id": f"p-{number:03d}",
                    "prompt": prompt_of(title),
                    "answer": text,
                    "system": arm,
                    "title": title,
                    "seed": seed,
                    "stop": stop,
                    "n_tokens": len(ids(text)),
                    "token_ids": ids(text),
                }
            )
        lines(folder / "answers" / f"{setting}.jsonl", rows)
        how = {"name": setting, "do_sample": setting == "sampled", "temperature": 1.0, "top_p": 1.0, "repetition_penalty": 1.0, "seed": 0}
        how |= {"max_new_tokens": 512, "arm": arm, "run_seed": seed, "adapter_sha256": f"{arm}{seed}" if trained else None}
        obj(folder / "answers" / f"{setting}.json", how | {name: about[name] for name in ("base_fingerprint", "quantisation")})
    if trained:
        rows = []
        for number in range(40):
            text = prose(random.Random(number), f"เรื่องที่ {number}", 2)
            if dirty:
                text += f"\n== ดูเพิ่ม ==\nเรื่องที่ {number} \nเรื่องที่ {number}"
            rows.append({"answer": text, "title": f"เรื่องที่ {number}", "n_tokens": len(ids(text))})
        lines(folder / "training_answers.jsonl", rows)
        losses: list[dict[str, Any]] = [
            {"step": step, "loss": 6 / (1 + step / 9) + 0.02 * seed + (0.4 if dirty else 0)} for step in range(1, 31)
        ]
        for step in (10, 20, 30):
            losses[step - 1]["eval_loss"] = losses[step - 1]["loss"] + 0.3
        record = {"losses": losses, "steps": 30, "best_eval_loss": losses[-1]["eval_loss"], "seconds": 61.5, "tokens_per_second": 900.0}
        obj(folder / "record.json", record | {"peak_memory_bytes": 1 << 30, "trained_tokens": 9000 + 2000 * dirty})
    else:
        about["adapter"] = None
    obj(folder / "run.json", about)
    return folder


def change(path: Path, **values: Any) -> None:
    """Values of a JSON file anew; ``a__b`` goes into the object ``a``."""
    told = json.loads(path.read_text(encoding="utf-8"))
    for name, value in values.items():
        *outer, last = name.split("__")
        place = told
        for key in outer:
            place = place[key]
        place[last] = value
    obj(path, told)


Maker = Callable[..., Path]


@pytest.fixture
def fake(tmp_path: Path) -> Maker:
    """Makes a run's folder: ``fake("raw", 1)``."""

    def make(arm: str, seed: int = 0, **more: Any) -> Path:
        return make_run(tmp_path / "runs", arm, seed, **more)

    return make


@pytest.fixture
def alter() -> Callable[..., None]:
    return change


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two dials, three seeds, the base: made once for tests that only read."""
    root = tmp_path_factory.mktemp("study")
    runs = [make_run(root, arm, seed, settings=("greedy", "sampled")) for arm in KINDS if arm != "base" for seed in range(3)]
    return [make_run(root, "base", settings=("greedy", "sampled")), *runs]

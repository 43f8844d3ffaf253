"""A small world to train in: a random base of two layers, a dozen rows of our own, and a few that are held out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from finetune.config import Config
from finetune.generate import Prompt

PRESET = "typhoon-7b"
ASK = "อธิบายเรื่อง{}"

ARTICLES = {
    "แมว": "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็ก มักนอนในเวลากลางวัน",
    "ปลาช่อน": "ปลาช่อนเป็นปลาน้ำจืดที่พบได้ทั่วประเทศไทย",
    "จังหวัดน่าน": "จังหวัดน่านตั้งอยู่ทางภาคเหนือ มีแม่น้ำน่านไหลผ่านตัวเมือง",
    "ดาวพฤหัสบดี": "ดาวพฤหัสบดีเป็นดาวเคราะห์ดวงใหญ่ที่สุดในระบบสุริยะ",
    "ข้าวเหนียวมะม่วง": "ข้าวเหนียวมะม่วงเป็นขนมไทย ทำจากข้าวเหนียวมูนกับกะทิ\n\nกินกับมะม่วงสุก",
    "ภาษาไทย": "ภาษาไทยเขียนโดยไม่เว้นวรรคระหว่างคำ และมีเครื่องหมายวรรณยุกต์สี่รูป",
    "ช้าง": "ช้างเป็นสัตว์บกที่ตัวใหญ่ที่สุด",
    "กล้วย": "กล้วยเป็นไม้ล้มลุก ผลกินได้ทั้งดิบและสุก",
    "กรุงเทพมหานคร": "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย ตั้งอยู่ริมแม่น้ำเจ้าพระยา",
    "ยุง": "ยุงเป็นแมลงที่มีปีกสองปีก ตัวเมียดูดเลือด",
    "มวยไทย": "มวยไทยใช้หมัด เท้า เข่า และศอก",
    "เกลือ": "เกลือได้จากน้ำทะเลที่ตากแดดในนา",
}
HELD_OUT = {
    "หมา": "หมาเป็นสัตว์ที่คนเลี้ยงไว้เฝ้าบ้าน",
    "ปู": "ปูเป็นสัตว์น้ำที่มีก้ามสองข้าง",
    "นกกระจอก": "นกกระจอกทำรังใต้หลังคา",
}


class Small(NamedTuple):
    """Folders and files, and a configuration of them that trains in half a second."""

    folder: Path
    base: Path
    other: Path  #: the same kind of model with other weights
    data: Path
    held_out: Path
    prompts: Path

    def config(self, **changes: Any) -> Config:
        given: dict[str, Any] = {
            "base": str(self.base),
            "data": str(self.data),
            "model": PRESET,
            "eval_data": "",
            "arm": "small",
            "max_length": 256,
            "device": "cpu",
            "lora_dropout": 0.0,
            "learning_rate": 5e-3,
            "schedule": "constant",
            "warmup_steps": 0,
            "batch_size": 6,
            "epochs": 2.0,
            "gradient_checkpointing": False,
            "save_steps": -1,
        }
        return Config(**{**given, **changes})

    @property
    def asked(self) -> list[Prompt]:
        return asked((*ARTICLES, *HELD_OUT))


def asked(titles: Sequence[str]) -> list[Prompt]:
    """A prompt about each title."""
    return [Prompt(f"p-{i:03d}", ({"role": "user", "content": ASK.format(title)},), title) for i, title in enumerate(titles)]


def write_rows(path: Path, articles: Mapping[str, str]) -> Path:
    """The articles as rows of chat turns with titles."""
    rows = (
        {
            "title": title,
            "messages": [{"role": "user", "content": ASK.format(title)}, {"role": "assistant", "content": answer}],
        }
        for title, answer in articles.items()
    )
    return write_lines(path, rows)


def write_lines(path: Path, rows: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def settings(config: Config) -> list[str]:
    """The options of the command that say what ``config`` says."""
    from finetune.config import to_dict

    said = {name: ",".join(value) if isinstance(value, list) else value for name, value in to_dict(config).items()}
    return [part for name, value in said.items() for part in ("--set", f"{name}={value}")]


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with what is in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

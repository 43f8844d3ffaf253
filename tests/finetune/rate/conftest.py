"""A study small enough to read, with every kind of answer that the page must bear."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SYSTEMS = ("ระบบลับหมายเลขหนึ่ง", "zq-secret-tuned")  # names that stand in no template: finding one in a page means a leak
INJECTION = '<script>document.title="hacked"</script><img src=x onerror="document.title=1">\'"&amp;{{ 7*7 }}</div></form>'
LOOP = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมในวงศ์เสือและแมว "

ANSWERS = (
    (
        "อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ ดาราศาสตร์",
        "ดาราศาสตร์ คือวิชาวิทยาศาสตร์ที่ศึกษาวัตถุในท้องฟ้า เช่น ดาวฤกษ์ ดาวเคราะห์ ดาวหาง และดาราจักร รวมทั้งปรากฏการณ์ทางธรรมชาติต่าง ๆ "
        "ที่เกิดขึ้นนอกชั้นบรรยากาศของโลก\n\nนักดาราศาสตร์ใช้กล้องโทรทรรศน์สังเกตแสงจากวัตถุเหล่านี้ แล้วอธิบายด้วยฟิสิกส์และเคมี",
        "ดาราศาสตร์ เป็นวิชาที่ศึกษาเกี่ยวกับดวงดาว " + "ดูเพิ่ม ดาราศาสตร์ แหล่งข้อมูลอื่น " * 24,
    ),
    ("อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ แมว", LOOP * 30, "แมวเป็นสัตว์เลี้ยงลูกด้วยนม ชื่อวิทยาศาสตร์ Felis catus"),
    ("อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ น้ำ", "", "น้ำเป็นสารประกอบเคมี สูตร H₂O"),
    (f"คำถามที่มี {INJECTION}", INJECTION, "คำตอบที่มีอักขระ \u202eกลับด้าน\u202c และ \x07"),
    (
        "กรุงเทพมหานครคืออะไร",
        "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย " + "".join(f"เขตที่ {n} มีประชากร {n * 7919} คน " for n in range(200)),
        "เมืองหลวง",
    ),
)


@pytest.fixture
def generations(tmp_path: Path) -> list[Path]:
    """Two JSONL files of the same prompts."""
    paths = []
    for number, system in enumerate(SYSTEMS):
        path = tmp_path / f"{number}.jsonl"
        rows = [{"prompt_id": f"p{at}", "prompt": row[0], "answer": row[1 + number], "system": system} for at, row in enumerate(ANSWERS)]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        paths.append(path)
    return paths

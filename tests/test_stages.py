"""Stages: what one shard gives does not depend on how its pages are taken together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from thaiwiki_clean.page import Page
from thaiwiki_clean.pipeline import stages
from thaiwiki_clean.pipeline.shards import PAGES, to_table, write

TEXTS = (
    "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็กที่มนุษย์เลี้ยงไว้ในบ้านมานานหลายพันปี",
    "",
    "ปลาช่อนเป็นปลาน้ำจืดชนิดหนึ่ง มีรูปร่างเรียวยาว อาศัยอยู่ในแม่น้ำและหนองบึงทั่วประเทศ",
    "ด้านหน้า " * 200,
    "เชียงใหม่เป็นจังหวัดหนึ่งในภาคเหนือของประเทศไทย\nมีประชากรมากเป็นอันดับต้นของภาค",
)


@pytest.mark.parametrize("words", ["nlpo3", None])
@pytest.mark.parametrize("together", [1, 100, 10_000])
def test_how_many_pages_are_segmented_together_changes_nothing(
    words: str | None, together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [Page(str(n), "ชื่อ", "thaiwikipedia", "", text, text) for n, text in enumerate(TEXTS)]
    write(tmp_path / "clean", PAGES, [to_table(pages)])
    (tmp_path / "lines").write_text(json.dumps([]), "utf-8")

    def measured() -> bytes:
        stages.measure_shard(tmp_path / "clean", 0, words, tmp_path / "lines", tmp_path / "signatures", tmp_path / "out")
        return (tmp_path / "out").read_bytes() + (tmp_path / "signatures").read_bytes()

    once = measured()
    monkeypatch.setattr(stages, "_TOGETHER", together)
    assert measured() == once


def test_a_portion_ends_with_the_page_that_fills_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "_TOGETHER", 5)
    pages = [Page(str(n), "", "", "", "", "ก" * n) for n in (3, 2, 9, 0, 4)]
    assert [[len(page.text) for page in portion] for portion in stages._portions(pages)] == [[3, 2], [9], [0, 4]]

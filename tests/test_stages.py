"""Stages: what one shard gives does not depend on how its pages are taken together."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaiwiki_clean.edits import apply
from thaiwiki_clean.page import Page
from thaiwiki_clean.pipeline import stages
from thaiwiki_clean.pipeline.shards import GROUP, ROW, ShardPages, stats, to_pages, write
from thaiwiki_clean.readers import open_source
from thaiwiki_clean.recurring import line_counts

TEXTS = (
    "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็กที่มนุษย์เลี้ยงไว้ในบ้านมานานหลายพันปี",
    "",
    "ปลาช่อนเป็นปลาน้ำจืดชนิดหนึ่ง มีรูปร่างเรียวยาว อาศัยอยู่ในแม่น้ำและหนองบึงทั่วประเทศ",
    "ด้านหน้า " * 200,
    "เชียงใหม่เป็นจังหวัดหนึ่งในภาคเหนือของประเทศไทย\nมีประชากรมากเป็นอันดับต้นของภาค",
)


NOTICE = "กลับหน้าแรก"


def read(texts: Sequence[str], words: str | None, folder: Path) -> tuple[Path, Path, Path]:
    """The files of one shard with these texts: its pages, its lines and its signatures."""
    folder.mkdir()
    (folder / "rows.jsonl").write_text("".join(json.dumps({"id": str(n), "text": text}) + "\n" for n, text in enumerate(texts)), "utf-8")
    pages, lines, signatures = (folder / name for name in ("pages", "lines", "signatures"))
    (shard,) = open_source(str(folder / "rows.jsonl")).shards
    stages.read_shard(shard, 0, False, words, lines, signatures, pages)
    return pages, lines, signatures


@pytest.mark.parametrize("words", ["nlpo3", None])
@pytest.mark.parametrize("together", [1, 100, 10_000])
def test_how_many_pages_are_segmented_together_changes_nothing(
    words: str | None, together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = read(TEXTS, words, tmp_path / "once")
    monkeypatch.setattr(stages, "_TOGETHER", together)
    again = read(TEXTS, words, tmp_path / "again")
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]


@pytest.mark.parametrize("words", ["nlpo3", None])
@given(noticed=st.lists(st.booleans(), min_size=len(TEXTS), max_size=len(TEXTS)))
def test_without_its_notice_a_page_is_as_if_it_had_never_had_one(words: str | None, noticed: list[bool]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with_notices = [f"{text}\n{NOTICE}" if text and has else text for text, has in zip(TEXTS, noticed, strict=True)]
        pages, lines, signatures = read(with_notices, words, folder / "with")
        recurring = folder / "recurring"
        recurring.write_text(json.dumps(line_counts([NOTICE])["line"].to_pylist()), "utf-8")
        assert stages.shards_with(recurring, [lines]) == ([0] if with_notices != list(TEXTS) else [])
        stages.take_out(pages, 0, words, recurring, signatures, folder / "signed", folder / "out")
        out = ShardPages(pages, folder / "out")
        expected, _, signed = read(TEXTS, words, folder / "without")
        rest = [name for name in pq.read_schema(expected).names if name not in ("raw", "edits", "n_chars_raw")]
        assert pa.concat_tables(out.tables(rest)).equals(pq.read_table(expected, columns=rest))
        assert out.group(0, rest).equals(next(out.tables(rest)))
        assert pq.read_table(out.latest)["row"].to_pylist() == [n for n, text in enumerate(with_notices) if text not in TEXTS]
        assert pq.read_table(folder / "signed").sort_by("id").equals(pq.read_table(signed))
        for page in (page for table in out.tables() for page in to_pages(table)):
            assert apply(page.raw, page.edits) == page.text
        tally, plain = stats(out.latest), stats(expected)
        assert (tally["text"], tally["wikis"]) == (plain["text"], plain["wikis"])
        assert tally["edits"].get("recurring_line", 0) == sum(text not in TEXTS for text in with_notices)


def test_a_notice_goes_from_pages_of_which_none_stands(tmp_path: Path) -> None:
    pages, _, signatures = read([f"แมว\n{NOTICE}"], "nlpo3", tmp_path / "shard")
    (tmp_path / "recurring").write_text(json.dumps(line_counts([NOTICE])["line"].to_pylist()), "utf-8")
    stages.take_out(pages, 0, "nlpo3", tmp_path / "recurring", signatures, tmp_path / "signed", tmp_path / "out")
    assert pq.read_table(tmp_path / "out", columns=["text", "dropped"]).to_pylist() == [{"text": "แมว", "dropped": "stub"}]
    assert pq.read_metadata(tmp_path / "signed").num_rows == 0


@given(st.sets(st.integers(0, 2 * GROUP + 9)))
def test_rows_that_have_changed_stand_where_they_stood(rows: set[int]) -> None:
    texts = [str(n) for n in range(2 * GROUP + 10)]
    schema = pa.schema([("text", pa.string()), ("id", pa.string())])
    with tempfile.TemporaryDirectory() as name:
        shard = ShardPages(Path(name) / "all", Path(name) / "changed")
        write(shard.file, schema, [pa.table([texts, texts], schema)])
        now = pa.table([[f"now {row}" for row in sorted(rows)], [str(row) for row in sorted(rows)], sorted(rows)], schema.append(ROW))
        write(shard.latest, now.schema, [now])
        expected = [f"now {n}" if n in rows else text for n, text in enumerate(texts)]
        assert [text for table in shard.tables(["text"]) for text in table["text"].to_pylist()] == expected
        assert [text for n in range(3) for text in shard.group(n)["text"].to_pylist()] == expected
        assert pa.concat_tables(shard.tables())["id"].to_pylist() == texts


def test_a_portion_ends_with_the_page_that_fills_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "_TOGETHER", 5)
    pages = [Page(str(n), "", "", "", "", "ก" * n) for n in (3, 2, 9, 0, 4)]
    assert [[len(page.text) for page in portion] for portion in stages._portions(pages)] == [[3, 2], [9], [0, 4]]

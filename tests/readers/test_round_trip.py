"""What was written is what is read, whatever the kind of file and wherever it is cut."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaiwiki_clean.readers import Shard, jsonl, open_source, read, read_shard, tables

Rows = list[tuple[str, str]]

# Any text that a file can hold; a NUL and half of a surrogate pair are bad rows and stand in test_bad_rows.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from("กำแพ์ \n\r\t\",'\\\u2028\u0085\ufeff"))
pages = st.lists(st.tuples(texts, texts), max_size=20)


def table(rows: Rows) -> pa.Table:
    return pa.table(
        {"title": [t for t, _ in rows], "text": [t for _, t in rows]}, pa.schema([("title", pa.string()), ("text", pa.string())])
    )


def write_parquet(rows: Rows, folder: Path) -> Path:
    pq.write_table(table(rows), folder / "p.parquet", row_group_size=3)
    return folder / "p.parquet"


def write_one_group(rows: Rows, folder: Path) -> Path:
    pq.write_table(table(rows), folder / "p.parquet")
    return folder / "p.parquet"


def write_dictionary(rows: Rows, folder: Path) -> Path:
    coded = table(rows)
    pq.write_table(coded.set_column(1, "text", coded["text"].dictionary_encode()), folder / "p.parquet")
    return folder / "p.parquet"


def write_views(rows: Rows, folder: Path) -> Path:
    pq.write_table(table(rows).cast(pa.schema([("title", pa.large_string()), ("text", pa.string_view())])), folder / "p.parquet")
    return folder / "p.parquet"


def write_arrow_stream(rows: Rows, folder: Path) -> Path:
    with pa.OSFile(str(folder / "p.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table(rows).schema) as writer:
        writer.write_table(table(rows), max_chunksize=3)
    return folder / "p.arrow"


def write_feather(rows: Rows, folder: Path) -> Path:
    with pa.OSFile(str(folder / "p.feather"), "wb") as sink, pa.ipc.new_file(sink, table(rows).schema) as writer:
        writer.write_table(table(rows), max_chunksize=3)
    return folder / "p.feather"


def jsonl_bytes(rows: Rows, end: str = "\n", ascii_only: bool = False) -> bytes:
    return "".join(json.dumps({"title": a, "text": b}, ensure_ascii=ascii_only) + end for a, b in rows).encode()


def write_jsonl(rows: Rows, folder: Path) -> Path:
    (folder / "p.jsonl").write_bytes(jsonl_bytes(rows))
    return folder / "p.jsonl"


def write_jsonl_crlf_bom(rows: Rows, folder: Path) -> Path:
    (folder / "p.ndjson").write_bytes(b"\xef\xbb\xbf" + jsonl_bytes(rows, "\r\n", ascii_only=True))
    return folder / "p.ndjson"


def write_jsonl_blank_lines(rows: Rows, folder: Path) -> Path:
    (folder / "p.jsonl").write_bytes(b"\n" + jsonl_bytes(rows, "\n \n").rstrip(b"\n "))
    return folder / "p.jsonl"


def write_jsonl_gz(rows: Rows, folder: Path) -> Path:
    half = len(rows) // 2  # two members in one file, as after `cat a.gz b.gz`
    (folder / "p.jsonl.gz").write_bytes(gzip.compress(jsonl_bytes(rows[:half])) + gzip.compress(jsonl_bytes(rows[half:])))
    return folder / "p.jsonl.gz"


def write_jsonl_bz2(rows: Rows, folder: Path) -> Path:
    (folder / "p.jsonl.bz2").write_bytes(bz2.compress(jsonl_bytes(rows)))
    return folder / "p.jsonl.bz2"


def write_jsonl_zst(rows: Rows, folder: Path) -> Path:
    with pa.CompressedOutputStream(str(folder / "p.jsonl.zst"), "zstd") as out:
        out.write(jsonl_bytes(rows))
    return folder / "p.jsonl.zst"


def write_csv(rows: Rows, folder: Path) -> Path:
    with open(folder / "p.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("title", "text"), *rows])
    return folder / "p.csv"


def write_csv_bom(rows: Rows, folder: Path) -> Path:
    with open(folder / "p.csv", "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("title", "text"), *rows])
    return folder / "p.csv"


def write_tsv(rows: Rows, folder: Path) -> Path:
    with open(folder / "p.tsv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file, "excel-tab").writerows([("title", "text"), *rows])
    return folder / "p.tsv"


WRITERS = [
    write_parquet, write_one_group, write_dictionary, write_views, write_arrow_stream, write_feather,
    write_jsonl, write_jsonl_crlf_bom, write_jsonl_blank_lines, write_jsonl_gz, write_jsonl_bz2, write_jsonl_zst,
    write_csv, write_csv_bom, write_tsv,
]  # fmt: skip
every_kind = pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__.removeprefix("write_"))
Writer = Callable[[Rows, Path], Path]


# One example writes and reads a file three times.
def some_files(test: Callable[..., None]) -> Callable[..., None]:
    return settings(max_examples=max(settings().max_examples // 4, 1), deadline=None)(test)


def read_with(size: int, path: Path) -> list[tuple[str, str, str]]:
    """What is read when shards are cut at ``size`` bytes, each shard by itself as another process would."""
    with patch.object(jsonl, "SHARD_BYTES", size), patch.object(tables, "SHARD_BYTES", size):
        shards = open_source(str(path)).shards
    found = [(shard, page) for shard in pickle.loads(pickle.dumps(shards)) for page in read_shard(shard, strict=True)]
    return [(page.id, page.title, page.raw) for _, page in found]


@every_kind
@some_files
@given(rows=pages, size=st.integers(1, 300))
def test_rows_come_back_as_they_were_written(write: Writer, rows: Rows, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(rows, Path(folder))
        assert [(title, raw) for _, title, raw in read_with(size, path)] == rows


@every_kind
@some_files
@given(rows=pages, size=st.integers(1, 300))
def test_ids_do_not_depend_on_where_a_file_is_cut(write: Writer, rows: Rows, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(rows, Path(folder))
        assert read_with(size, path) == read_with(1 << 30, path)


@every_kind
@some_files
@given(rows=pages, size=st.integers(1, 300))
def test_ids_are_unique(write: Writer, rows: Rows, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ids = [page_id for page_id, _, _ in read_with(size, write(rows + rows, Path(folder)))]
        assert len(set(ids)) == len(ids) == 2 * len(rows)


@every_kind
@some_files
@given(rows=pages, more=pages, size=st.integers(1, 300))
def test_rows_added_behind_leave_what_stands_before(write: Writer, rows: Rows, more: Rows, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        before = read_with(size, write(rows, Path(folder)))
        assert read_with(size, write(rows + more, Path(folder)))[: len(rows)] == before


@every_kind
@some_files
@given(rows=pages)
def test_a_count_of_rows_is_true_where_one_is_given(write: Writer, rows: Rows) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert open_source(str(write(rows, Path(folder)))).rows in (None, len(rows))


@some_files
@given(rows=pages.filter(bool), size=st.integers(1, 300))
def test_shards_lie_end_to_end_and_sort_in_source_order(rows: Rows, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder, patch.object(jsonl, "SHARD_BYTES", size):
        path = write_jsonl(rows, Path(folder))
        shards = open_source(str(path)).shards
        assert [shard.start for shard in shards] == [0, *(shard.stop for shard in shards[:-1])]
        assert shards[-1].stop == path.stat().st_size
        assert list(shards) == sorted(shards, key=lambda shard: shard.name)


def test_a_big_file_is_cut() -> None:
    """Else the laws above would hold because nothing is ever cut."""
    rows = [(f"ชื่อ {n}", f"ข้อความ {n} " * 10) for n in range(50)]
    with tempfile.TemporaryDirectory() as folder, patch.object(jsonl, "SHARD_BYTES", 1000), patch.object(tables, "SHARD_BYTES", 1000):
        parts = [
            len(open_source(str(write(rows, Path(folder)))).shards)
            for write in (write_jsonl, write_parquet, write_one_group, write_arrow_stream)
        ]
    assert min(parts) > 1


def test_small_row_groups_are_read_together(tmp_path: Path) -> None:
    rows = [(f"ชื่อ {n}", "ข้อความ") for n in range(50)]
    assert len(open_source(str(write_parquet(rows, tmp_path))).shards) == 1


def test_only_one_batch_of_a_row_group_is_asked_for_at_a_time(tmp_path: Path) -> None:
    path = write_one_group([("ชื่อ", "ข้อความ")] * 1000, tmp_path)
    reader = read(str(path))
    with patch.object(tables, "to_page", wraps=tables.to_page) as seen:
        next(reader)
    assert seen.call_count == 1


def test_a_shard_is_small_and_picklable(tmp_path: Path) -> None:
    (shard,) = open_source(str(write_jsonl([("ชื่อ", "ข้อความ")], tmp_path))).shards
    assert pickle.loads(pickle.dumps(shard)) == shard
    assert isinstance(shard, Shard)
    assert len(pickle.dumps(shard)) < 1000

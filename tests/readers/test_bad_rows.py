"""Nothing is skipped in silence: a bad row is a page that fell, with one line that says which and why."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaiwiki_clean.readers import SourceError, delimited, open_source, read, read_shard, streams

GOOD = b'{"title": "t", "text": "x"}\n'

# what stands in the second row -> what is said about it, and the raw text that is saved
JSON_ROWS = {
    b'{"title": "t", "text": null}': ("the text is null, expected a string", ""),
    b'{"title": "t"}': ("no 'text' among 'title'", ""),
    b"{}": ("no 'text' among no keys", ""),
    b'{"title": "t", "text": 5}': ("the text is int (5), expected a string", ""),
    b'{"title": "t", "text": ["a", "b"]}': ("the text is list (['a', 'b']), expected a string", ""),
    b'{"title": 1984, "text": "a"}': ("the title is int (1984), expected a string", "a"),
    b'{"id": true, "text": "a"}': ("the id is bool (True), expected a string or a whole number", "a"),
    b'{"id": 1.5, "text": "a"}': ("the id is float (1.5), expected a string or a whole number", "a"),
    b'{"id": ["a"], "text": "a"}': ("the id is list (['a']), expected a string or a whole number", "a"),
    b'{"text": "a\\u0000b"}': ("the text holds a NUL (character 1), expected text", "a\0b"),
    b'{"text": "a", "title": "\\u0000"}': ("the title holds a NUL (character 0), expected text", "a"),
    b'{"text": "a\\ud800b"}': ("the text holds half of a surrogate pair ('\\ud800' at character 1), expected whole letters", "a\ufffdb"),
    b'{"text": "a", "url": "\\udfff"}': ("the url holds half of a surrogate pair ('\\udfff' at character 0), expected whole letters", "a"),
    b'{"text": "a", "id": "\\udfff"}': ("the id holds half of a surrogate pair ('\\udfff' at character 0), expected whole letters", "a"),
    b'{"text": "\xe0\xb9"}': ("the line is not UTF-8 (byte 0xe0 at 10), expected UTF-8", "\ufffd"),
    b'{"text": "a\xffb"}': ("the line is not UTF-8 (byte 0xff at 11), expected UTF-8", "a\ufffdb"),
    b'{"text": "a"': ("no JSON (Expecting ',' delimiter at character 12), expected an object a line", '{"text": "a"'),
    b"\xff": ("the line is not UTF-8 (byte 0xff at 0), expected UTF-8", "\ufffd"),
    b"\0\0\0": ("no JSON (Expecting value at character 0), expected an object a line", "\0\0\0"),
    b'["text"]': ("a JSON list, expected an object", '["text"]'),
    b'"text"': ("a JSON str, expected an object", '"text"'),
    b"null": ("a JSON NoneType, expected an object", "null"),
    b'{"text": "a"} {"text": "b"}': ("no JSON (Extra data at character 14), expected an object a line", '{"text": "a"} {"text": "b"}'),
}

CSV_ROWS = {
    b"t": ("1 fields, expected 2 (line 3)", "t\n"),
    b"t,a,b": ("3 fields, expected 2 (line 3)", "t,a,b\n"),
    b"t,a\xffb": ("not UTF-8 (byte 0xff at 3), expected UTF-8 (line 3)", "a\ufffdb"),
    b"t,a\0b": ("the text holds a NUL (character 1), expected text", "a\0b"),
    b't,"a"b"': (
        "broken csv (',' expected after '\"'), expected fields in closed quotation marks, a mark inside them doubled (line 3)",
        't,"a"b"\n',
    ),
}


def jsonl(folder: Path, line: bytes) -> str:
    (folder / "p.jsonl").write_bytes(GOOD + line + b"\n" + GOOD)
    return str(folder / "p.jsonl")


def comma(folder: Path, line: bytes) -> str:
    (folder / "p.csv").write_bytes(b"title,text\nt,x\n" + line + b"\nt,x\n")
    return str(folder / "p.csv")


CASES = [(jsonl, line, *said) for line, said in JSON_ROWS.items()] + [(comma, line, *said) for line, said in CSV_ROWS.items()]
every_case = pytest.mark.parametrize(("write", "line", "said", "raw"), CASES, ids=[repr(case[1])[2:-1] for case in CASES])


@every_case
def test_a_bad_row_falls_with_its_reason(write, line, said, raw, tmp_path):
    path = write(tmp_path, line)
    before, page, after = read(path)
    assert (page.dropped, page.detail, page.raw) == ("bad_row", f"{os.path.basename(path)} row 2: {said}", raw)
    assert [(p.raw, p.dropped) for p in (before, after)] == [("x", None), ("x", None)]


@every_case
def test_strict_stops_at_the_same_line(write, line, said, raw, tmp_path):
    path = write(tmp_path, line)
    rows = read(path, strict=True)
    assert next(rows).raw == "x"
    with pytest.raises(SourceError) as error:
        next(rows)
    assert str(error.value) == f"{os.path.basename(path)} row 2: {said}"


@every_case
def test_any_file_can_hold_a_bad_row(write, line, said, raw, tmp_path):
    for page in read(write(tmp_path, line)):
        pa.array([page.id, page.title, page.source, page.url, page.raw, page.detail]).validate(full=True)


@every_case
def test_what_is_said_is_one_line(write, line, said, raw, tmp_path):
    assert all("\n" not in page.detail for page in read(write(tmp_path, line)))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"").strip()).filter(bool), max_size=5))
def test_every_line_of_json_lines_is_a_page_whatever_it_holds(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("any") / "p.jsonl"
    path.write_bytes(GOOD + b"".join(line + b"\n" for line in lines))
    pages = list(read(str(path)))
    assert len(pages) == 1 + len(lines)
    pa.array([page.raw for page in pages]).validate(full=True)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_csv_reader_fail_or_lose_a_line(tmp_path_factory, body):
    path = tmp_path_factory.mktemp("any") / "p.csv"
    path.write_bytes(b"title,text\n" + body)
    pages = list(read(str(path)))
    # A row takes one line at least, and only blank lines are none.
    assert len(pages) <= body.count(b"\n") + 1
    assert bool(pages) == bool(body.strip(b"\r\n"))


def test_nested_without_end_is_a_bad_row(tmp_path):
    (_, page, _) = read(jsonl(tmp_path, b"[" * 200_000))
    assert page.detail.startswith("p.jsonl row 2: no JSON that can be read (")


def test_a_number_of_many_digits_is_a_bad_row(tmp_path):
    (_, page, _) = read(jsonl(tmp_path, b'{"text": "a", "n": ' + b"9" * 10_000 + b"}"))
    assert page.detail.startswith("p.jsonl row 2: no JSON that can be read (")


def test_a_line_without_end_is_a_bad_row_and_is_not_held(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "LONGEST_LINE", 100)
    (_, page, after) = read(jsonl(tmp_path, b'{"text": "' + b"a" * 1000 + b'"}'))
    assert page.detail.startswith("p.jsonl row 2: too long, no JSON")
    assert (len(page.raw), after.raw) == (100, "x")


def test_blank_lines_are_no_rows_but_count(tmp_path):
    (tmp_path / "p.jsonl").write_bytes(b"\n" + GOOD + b" \t\r\n{}\n")
    assert [(page.id, page.dropped) for page in read(str(tmp_path / "p.jsonl"))] == [("p.jsonl:2", None), ("p.jsonl:4", "bad_row")]


def test_a_row_is_counted_from_the_top_of_the_file_in_every_shard(tmp_path, monkeypatch):
    monkeypatch.setattr("thaiwiki_clean.readers.jsonl.SHARD_BYTES", 1)
    shards = open_source(jsonl(tmp_path, b"{}")).shards
    assert [page.detail for page in read_shard(shards[1])] == ["p.jsonl row 2: no 'text' among no keys"]


def test_an_article_longer_than_csv_s_own_limit_is_read(tmp_path):
    with open(tmp_path / "p.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("title", "text"), ("t", "ก" * 200_000)])
    assert [len(page.raw) for page in read(str(tmp_path / "p.csv"), strict=True)] == [200_000]


def test_a_field_that_is_never_closed_is_a_bad_row(tmp_path):
    (_, page) = read(comma(tmp_path, b't,"a'))
    assert page.detail.startswith("p.csv row 2: broken csv (unexpected end of data), expected fields in closed")
    assert page.raw == 't,"a\nt,x\n'


def test_a_field_that_runs_on_is_given_up_at_the_limit(tmp_path):
    before = csv.field_size_limit()
    try:
        csv.field_size_limit(delimited._LONGEST_FIELD)
        page = list(read(comma(tmp_path, b't,"' + b"a" * (delimited._LONGEST_FIELD + 10))))[1]
    finally:
        csv.field_size_limit(before)
    assert page.detail.startswith(f"p.csv row 2: broken csv (field larger than field limit ({delimited._LONGEST_FIELD})")


def test_the_line_is_named_where_rows_span_lines(tmp_path):
    (_, page, _) = list(read(comma(tmp_path, b't,"a\nb\nc"\nt')))[1:]
    assert page.detail == "p.csv row 3: 1 fields, expected 2 (line 6)"


def test_carriage_returns_inside_a_text_stay(tmp_path):
    (_, page, _) = read(comma(tmp_path, b't,"a\r\nb\rc"\r'))
    assert page.raw == "a\r\nb\rc"


# --------------------------------------------------------------------------- parquet


def parquet(folder: Path, *texts: bytes | None, kind: pa.DataType | None = None) -> str:
    raw = pa.array(texts, pa.large_binary() if kind == pa.large_string() else pa.binary())
    column = raw.view(pa.large_string() if kind == pa.large_string() else pa.string())
    if kind is not None and pa.types.is_dictionary(kind):
        column = pa.DictionaryArray.from_arrays(pa.array(range(len(texts)), pa.int8()), column)
    pq.write_table(pa.table({"text": column}), folder / "p.parquet")
    return str(folder / "p.parquet")


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
def test_bad_utf_8_in_parquet_is_one_bad_row(kind, tmp_path):
    pages = list(read(parquet(tmp_path, b"x", b"a\xe0\xb9", b"y", kind=kind)))
    assert [(page.raw, page.detail) for page in pages] == [
        ("x", ""),
        ("a\ufffd", "p.parquet row 2: the text is not UTF-8 (byte 0xe0 at 1), expected UTF-8"),
        ("y", ""),
    ]


def test_bad_utf_8_in_a_dictionary_of_parquet_stops_the_file(tmp_path):
    """pyarrow refuses the whole dictionary: which rows are good is not to be had."""
    with pytest.raises(SourceError, match=r"^p.parquet: parquet that cannot be read \(Invalid UTF8 payload\)"):
        list(read(parquet(tmp_path, b"x", b"a\xe0\xb9", kind=pa.dictionary(pa.int8(), pa.string()))))


def test_bad_utf_8_in_a_dictionary_of_arrow_is_one_bad_row(tmp_path):
    values = pa.array([b"x", b"a\xe0\xb9"], pa.binary()).view(pa.string())
    table = pa.table({"text": pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), values)})
    with pa.OSFile(str(tmp_path / "p.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table)
    assert [page.raw for page in read(str(tmp_path / "p.arrow"))] == ["x", "a\ufffd", "x"]


def test_a_null_in_parquet_is_a_bad_row(tmp_path):
    (page,) = read(parquet(tmp_path, None))
    assert (page.id, page.raw, page.detail) == ("p.parquet:1", "", "p.parquet row 1: the text is null, expected a string")


def test_a_column_of_nulls_is_bad_rows(tmp_path):
    pq.write_table(pa.table({"text": pa.nulls(2)}), tmp_path / "p.parquet")
    assert [page.dropped for page in read(str(tmp_path / "p.parquet"))] == ["bad_row"] * 2


def test_rows_of_parquet_are_counted_across_row_groups_and_shards(tmp_path, monkeypatch):
    monkeypatch.setattr("thaiwiki_clean.readers.tables.SHARD_BYTES", 1)
    pq.write_table(pa.table({"text": ["a", "b", None, "c", None]}), tmp_path / "p.parquet", row_group_size=2)
    shards = open_source(str(tmp_path / "p.parquet")).shards
    assert len(shards) > 1
    details = [page.detail.partition(":")[0] for shard in shards for page in read_shard(shard) if page.dropped]
    assert details == ["p.parquet row 3", "p.parquet row 5"]


def test_a_bad_row_keeps_its_id_and_title(tmp_path):
    (tmp_path / "p.jsonl").write_text(json.dumps({"id": 5, "title": "ผำ", "text": None}), "utf-8")
    (page,) = read(str(tmp_path / "p.jsonl"))
    assert (page.id, page.title) == ("5", "ผำ")

"""Which column is what, and what a page takes from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from thaiwiki_clean import Page
from thaiwiki_clean.readers import Columns, SourceError, open_source, read
from thaiwiki_clean.readers.columns import SYNONYMS, find_columns


def write(folder: Path, *rows: dict[str, Any]) -> str:
    path = folder / "pages.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (["title", "text", "source", "__index_level_0__"], Columns("text", "title", "source")),  # v3
        (["id", "url", "title", "text"], Columns("text", "title", None, "url", "id")),  # wikimedia/wikipedia
        (["pageid", "Title", " Content "], Columns(" Content ", "Title", None, None, "pageid")),
        (["ชื่อเรื่อง", "เนื้อหา"], Columns("เนื้อหา", "ชื่อเรื่อง")),
        (["content", "text"], Columns("text")),  # the plainer name goes first
        (["text", "Text"], Columns("text")),
        (["body"], Columns("body")),
        (["text", "subtitle", "resource", "curl", "width"], Columns("text")),  # names that only contain one
    ],
)
def test_columns_are_found_by_name(there: list[str], found: Columns) -> None:
    assert find_columns(there, Columns(), "f") == found


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in SYNONYMS.items() for name in names])
def test_every_synonym_is_found(role: str, name: str) -> None:
    there = [name] if role == "text" else ["text", name]
    assert getattr(find_columns(there, Columns(), "f"), role) == name


def test_a_name_that_is_given_goes_before_one_that_is_found() -> None:
    assert find_columns(["text", "markdown", "title"], Columns(text="markdown"), "f") == Columns("markdown", "title")


@pytest.mark.parametrize(
    ("there", "wanted", "line"),
    [
        (
            ["title", "messages"],
            Columns(),
            "f: no text column; there are 'title', 'messages'; name it with Columns(text=...) or --text-column",
        ),
        ([], Columns(), "f: no text column; there are none; name it with Columns(text=...) or --text-column"),
        (["text"], Columns(title="name"), "f: no column 'name' for the title; there are 'text'"),
        (["text", "x"], Columns(text="body"), "f: no column 'body' for the text; there are 'text', 'x'"),
        (["text", "title", "text"], Columns(), "f: column 'text' stands 2 times; a text column must be one"),
    ],
)
def test_columns_that_do_not_fit_are_one_line(there: list[str], wanted: Columns, line: str) -> None:
    with pytest.raises(SourceError) as error:
        find_columns(there, wanted, "f")
    assert str(error.value) == line


def test_a_long_list_of_columns_is_shortened() -> None:
    with pytest.raises(SourceError, match="'c19' and 10 more; name it"):
        find_columns([f"c{n}" for n in range(30)], Columns(), "f")


def test_a_row_of_v3_becomes_a_page(tmp_path: Path) -> None:
    (page,) = read(write(tmp_path, {"title": "ผำ", "text": "redirect ผำ", "source": "thaiwikipedia", "__index_level_0__": 7}))
    assert page == Page("pages.jsonl:1", "ผำ", "thaiwikipedia", "https://th.wikipedia.org/wiki/%E0%B8%9C%E0%B8%B3", "redirect ผำ")


def test_a_row_of_wikimedia_wikipedia_becomes_a_page(tmp_path: Path) -> None:
    (page,) = read(write(tmp_path, {"id": "545", "url": "https://th.wikipedia.org/wiki/X", "title": "ดาราศาสตร์", "text": "ก"}))
    assert page == Page("545", "ดาราศาสตร์", "", "https://th.wikipedia.org/wiki/X", "ก")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a7", "a7"),
        (12, "12"),
        (12.0, "12"),
        ("๑๒", "๑๒"),
        (None, "pages.jsonl:1"),
        ("", "pages.jsonl:1"),
        (float("nan"), "pages.jsonl:1"),
        (0, "0"),
    ],
)
def test_an_id_is_kept_where_there_is_one(given: Any, kept: str, tmp_path: Path) -> None:
    (page,) = read(write(tmp_path, {"id": given, "text": "ก"}))
    assert (page.id, page.dropped) == (kept, None)


def test_the_index_of_pandas_is_an_id_when_it_is_named(tmp_path: Path) -> None:
    (page,) = read(write(tmp_path, {"text": "ก", "__index_level_0__": 7}), columns=Columns(id="__index_level_0__"))
    assert page.id == "7"


def test_rows_without_a_source_take_the_one_that_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, {"title": "ผำ", "text": "ก", "source": "thaiwiktionary"}, {"title": "ผำ", "text": "ก"})
    assert [page.url for page in read(path, columns=Columns(default_source="thaiwikipedia"))] == [
        "https://th.wiktionary.org/wiki/%E0%B8%9C%E0%B8%B3",
        "https://th.wikipedia.org/wiki/%E0%B8%9C%E0%B8%B3",
    ]


def test_null_titles_sources_and_urls_are_empty_and_no_fault(tmp_path: Path) -> None:
    (page,) = read(write(tmp_path, {"text": "ก", "title": None, "source": None, "url": None}))
    assert page == Page("pages.jsonl:1", "", "", "", "ก")


def test_an_empty_text_is_no_bad_row(tmp_path: Path) -> None:
    (page,) = read(write(tmp_path, {"text": ""}))
    assert (page.raw, page.dropped) == ("", None)


def test_columns_of_json_lines_are_those_of_all_first_rows(tmp_path: Path) -> None:
    path = write(tmp_path, {"title": "ก"}, {"title": "ข", "text": "ค"})
    assert open_source(path).shards[0].columns == Columns("text", "title")


@pytest.mark.parametrize(
    ("role", "column", "line"),
    [
        ("text", pa.array([1]), "p.parquet: the text column 'text' holds int64, expected strings; there are 'text'"),
        ("text", pa.array([["ก"]]), "p.parquet: the text column 'text' holds list<element: string>, expected strings; there are 'text'"),
        ("title", pa.array([1.5]), "p.parquet: the title column 'title' holds double, expected strings; there are 'text', 'title'"),
    ],
)
def test_a_column_of_another_type_is_one_line(role: str, column: pa.Array, line: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["ก"], role: column}), tmp_path / "p.parquet")
    with pytest.raises(SourceError) as error:
        open_source(str(tmp_path / "p.parquet"))
    assert str(error.value) == line


def test_bytes_that_are_utf_8_are_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": pa.array(["แมว".encode()], pa.binary())}), tmp_path / "p.parquet")
    assert [page.raw for page in read(str(tmp_path / "p.parquet"))] == ["แมว"]

"""``clean_table``: one column cleaned, all the rest as it was."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaiwiki_clean import Edit, apply, clean, explain
from thaiwiki_clean.arrow import EDITS, clean_table

DIRTY = ["แมวเป็นสัตว์ [1]", None, "", "กรุงเทพ () เป็นเมืองหลวงของประเทศไทย", "แมวเป็นสัตว์ [1]"]
KINDS = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.int32(), pa.large_string()),
]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def column(texts: list[str | None], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(texts, kind.value_type).dictionary_encode().cast(kind)
    return pa.array(texts, kind)


def table(kind: pa.DataType = KINDS[0], *chunks: list[str | None]) -> pa.Table:
    return pa.table({"text": pa.chunked_array([column(chunk, kind) for chunk in chunks or (DIRTY,)], kind)})


@every_kind
@given(chunks=st.lists(st.lists(st.none() | st.sampled_from(DIRTY) | st.text(), max_size=4), max_size=4))
def test_every_text_is_what_clean_makes_of_it(kind, chunks):
    done = clean_table(table(kind, *chunks) if chunks else table(kind).slice(0, 0))
    assert done["text"].to_pylist() == [None if text is None else clean(text) for chunk in chunks for text in chunk]


@every_kind
def test_the_type_stays(kind):
    assert clean_table(table(kind), edits="edits").schema.field("text").type == kind


@every_kind
def test_edits_lead_from_the_raw_text_to_the_clean_one(kind):
    done = clean_table(table(kind), edits="edits").to_pylist()
    replayed = [
        None if row["edits"] is None else apply(raw, [Edit(**edit) for edit in row["edits"]]) for raw, row in zip(DIRTY, done, strict=True)
    ]
    assert replayed == [row["text"] for row in done]


def test_edits_are_those_of_explain():
    edits = clean_table(table(), edits="edits")["edits"]
    assert edits.type == EDITS
    assert edits.to_pylist() == [None if text is None else [edit._asdict() for edit in explain(text).edits] for text in DIRTY]


def test_chunks_stay():
    done = clean_table(table(KINDS[0], DIRTY[:2], [], DIRTY[2:]), edits="edits")
    assert [[len(chunk) for chunk in done[name].chunks] for name in ("text", "edits")] == [[2, 0, 3]] * 2


def test_other_columns_stay_in_their_order():
    before = pa.table({"a": [1, 2], "text": ["ก [1]", "ข"], "z": [[1], None]})
    done = clean_table(before)
    assert done.schema == before.schema
    assert done.drop_columns("text") == before.drop_columns("text")


def test_metadata_of_schema_and_field_stays():
    field = pa.field("text", pa.string(), nullable=False, metadata={"unit": "page"})
    before = pa.table([["ก"]], schema=pa.schema([field], metadata={"huggingface": "{}"}))
    assert clean_table(before, edits="e").select(["text"]).schema.equals(before.schema, check_metadata=True)


def test_a_slice_of_a_table_is_only_that_slice():
    assert clean_table(table().slice(3, 1))["text"].to_pylist() == ["กรุงเทพ เป็นเมืองหลวงของประเทศไทย"]


def test_a_dictionary_with_values_that_become_one_is_still_a_dictionary():
    done = clean_table(table(KINDS[3], ["แมวเป็นสัตว์ [1]", "แมวเป็นสัตว์ [2]"]))["text"]
    assert done.chunk(0).dictionary.to_pylist() == ["แมวเป็นสัตว์"]


def test_another_column_can_be_named():
    assert clean_table(pa.table({"body": DIRTY}), column="body")["body"].to_pylist()[0] == "แมวเป็นสัตว์"


def test_rules_can_be_passed():
    assert clean_table(table(), rules=())["text"].to_pylist() == DIRTY


def test_a_table_without_the_column_says_what_there_is():
    with pytest.raises(KeyError, match=r"0 columns 'text' among 'title', 'body', expected one; name it: column=\.\.\."):
        clean_table(pa.table({"title": ["ก"], "body": ["ข"]}))


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(KeyError, match="2 columns 'text'"):
        clean_table(pa.Table.from_arrays([pa.array(["ก"])] * 2, names=["text", "text"]))


def test_a_column_of_numbers_is_refused():
    with pytest.raises(TypeError, match="column 'text' holds int64, expected strings"):
        clean_table(pa.table({"text": [1]}))


def test_edits_do_not_replace_a_column():
    with pytest.raises(ValueError, match="a column 'text' is there already; give the edits another name"):
        clean_table(table(), edits="text")


def test_bytes_that_are_no_utf_8_are_refused():
    broken = pa.array([b"\xff"], pa.binary()).view(pa.string())
    with pytest.raises(ValueError, match=r"column 'text', chunk at row 1: not UTF-8 \(invalid start byte at byte 0\)"):
        clean_table(pa.table({"text": pa.chunked_array([pa.array(["ก"]), broken])}))

"""Cleaning a column of a pyarrow table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from thaiwiki_clean.clean import Cleaned, Rule, explain
from thaiwiki_clean.rules import RULES

__all__ = ["EDITS", "clean_table"]

#: The type of a column of edits, one list a row; offsets count characters of the raw text, ``start`` included, ``end`` not.
EDITS: Any = pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64()), ("reason", pa.string()), ("new", pa.string())]))


def clean_table(table: pa.Table, *, column: str = "text", edits: str | None = None, rules: Sequence[Rule] = RULES) -> pa.Table:
    """The table with one column cleaned; ``edits`` names a column to add that says what was taken out and why.

    >>> table = pa.table({"title": ["แมว", "ว่าง"], "text": ["แมวเป็นสัตว์ [1]", None]})
    >>> clean_table(table, edits="edits").to_pylist()[0]
    {'title': 'แมว', 'text': 'แมวเป็นสัตว์', 'edits': [{'start': 12, 'end': 16, 'reason': 'reference', 'new': ''}]}

    Nulls stay null, and so do type, chunks, the other columns and the schema's metadata; a dictionary-encoded column
    is encoded anew. Raises KeyError without such a column, TypeError when it holds no strings, ValueError when a value is
    not UTF-8 or ``edits`` is the name of a column that is there.
    """
    names = table.schema.names
    if names.count(column) != 1:
        raise KeyError(f"{names.count(column)} columns {column!r} among {', '.join(map(repr, names))}, expected one; name it: column=...")
    if edits in names:
        raise ValueError(f"a column {edits!r} is there already; give the edits another name")
    at = names.index(column)
    kind = table.schema.field(at).type
    if not _stringy(kind):
        raise TypeError(f"column {column!r} holds {kind}, expected strings")

    row = 0
    texts: list[Any] = []
    found: list[Any] = []
    for chunk in table.column(at).chunks:
        done = _explained(chunk, column, row, rules)
        texts.append(_as([None if one is None else one.text for one in done], kind))
        if edits is not None:
            found.append(pa.array([None if one is None else [edit._asdict() for edit in one.edits] for one in done], EDITS))
        row += len(chunk)
    table = table.set_column(at, table.schema.field(at), pa.chunked_array(texts, kind))
    return table if edits is None else table.append_column(pa.field(edits, EDITS), pa.chunked_array(found, EDITS))


def _explained(chunk: Any, column: str, row: int, rules: Sequence[Rule]) -> list[Cleaned | None]:
    """Every value explained; each distinct one once where the column is dictionary-encoded."""
    if pa.types.is_dictionary(chunk.type):
        distinct = _explained(chunk.dictionary, column, row, rules)
        return [None if i is None else distinct[i] for i in chunk.indices.to_pylist()]
    try:
        return [None if text is None else explain(text, rules) for text in chunk.to_pylist()]
    except UnicodeDecodeError as error:
        raise ValueError(f"column {column!r}, chunk at row {row}: not UTF-8 ({error.reason} at byte {error.start})") from None


def _as(texts: list[str | None], kind: Any) -> Any:
    if pa.types.is_dictionary(kind):
        return pa.array(texts, kind.value_type).dictionary_encode().cast(kind)
    return pa.array(texts, kind)


def _stringy(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null))

"""``Series.thaiwiki``: index, name, dtype and nulls stay; the texts are what ``clean`` makes of them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import thaiwiki_clean
from thaiwiki_clean import clean, explain

pd = pytest.importorskip("pandas")
import thaiwiki_clean.pandas  # noqa: E402, F401

DIRTY = ["แมวเป็นสัตว์ [1]", None, "", "กรุงเทพ () เป็นเมืองหลวงของประเทศไทย"]
DTYPES = [object, "str", "string", "category", pd.ArrowDtype(pa.string()), pd.ArrowDtype(pa.large_string())]
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def series(dtype=object, texts=DIRTY):
    return pd.Series(texts, index=pd.Index(list(range(10, 10 + len(texts))), name="row"), name="text", dtype=dtype)


@every_dtype
def test_texts_are_what_clean_makes_of_them(dtype):
    done = series(dtype).thaiwiki.clean()
    assert [None if null else text for text, null in zip(done, done.isna(), strict=True)] == [
        None if text is None else clean(text) for text in DIRTY
    ]


@given(st.lists(st.none() | st.text(), max_size=5))
def test_any_texts_are_what_clean_makes_of_them(texts):
    done = pd.Series(texts, dtype=object).thaiwiki.clean().tolist()
    assert done == [None if text is None else clean(text) for text in texts]


@every_dtype
@pytest.mark.parametrize("method", ["clean", "explain", "edits"])
def test_index_and_name_stay(dtype, method):
    done = getattr(series(dtype).thaiwiki, method)()
    pd.testing.assert_index_equal(done.index, series().index)
    assert done.name == "text"


@every_dtype
def test_the_dtype_stays(dtype):
    done = series(dtype).thaiwiki.clean().dtype
    assert done == series(dtype).dtype or (dtype == "category" and isinstance(done, pd.CategoricalDtype))


@every_dtype
@pytest.mark.parametrize("method", ["clean", "explain", "edits"])
def test_nulls_stay_null(dtype, method):
    assert getattr(series(dtype).thaiwiki, method)().isna().tolist() == [False, True, False, False]


@pytest.mark.parametrize("null", [None, float("nan"), pd.NA], ids=str)
def test_a_null_stays_the_null_that_it_is(null):
    assert pd.Series(["ก", null], dtype=object).thaiwiki.clean()[1] is null


@every_dtype
def test_nothing_stays_nothing(dtype):
    assert pd.Series([], dtype=dtype).thaiwiki.clean().tolist() == []


def test_explain_gives_what_explain_gives():
    assert series().thaiwiki.explain()[10] == explain(DIRTY[0])


def test_edits_are_those_of_explain():
    assert series().thaiwiki.edits()[10] == explain(DIRTY[0]).edits


def test_repeated_labels_are_no_trouble():
    assert pd.Series(["ก [1]", "ข [1]"], index=[7, 7]).thaiwiki.clean().tolist() == ["ก", "ข"]


def test_the_series_itself_is_not_changed():
    before = series()
    before.thaiwiki.clean()
    assert before.tolist() == DIRTY


@pytest.mark.parametrize("values", [[1, 2], [1.5], [True], pd.to_datetime(["2024-01-01"])], ids=str)
def test_a_series_that_holds_no_texts_has_no_accessor(values):
    assert not hasattr(pd.Series(values), "thaiwiki")


def test_what_the_series_holds_instead_is_said():
    with pytest.raises(AttributeError, match=r"\.thaiwiki is for texts, this Series holds int64; choose the column of texts"):
        _ = pd.Series([1]).thaiwiki


@pytest.mark.parametrize("value", [1, b"x", ["x"]], ids=str)
def test_a_value_that_is_no_text_is_named_by_its_label(value):
    with pytest.raises(TypeError, match=f"label 'b': a text is a str, got {type(value).__name__}"):
        pd.Series(["ก", value], index=["a", "b"], dtype=object).thaiwiki.clean()

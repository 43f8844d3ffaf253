"""``Series.thaiwiki``: cleaning for pandas. Importing this module registers it.

>>> import pandas as pd
>>> import thaiwiki_clean.pandas
>>> pages = pd.Series(["แมวเป็นสัตว์ [1]", None], index=["แมว", "ว่าง"], name="text")
>>> pages.thaiwiki.clean().tolist()
['แมวเป็นสัตว์', nan]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    import pandas as pd
except ImportError as error:
    raise ImportError("Series.thaiwiki needs pandas: pip install 'thaiwiki-clean[pandas]'") from error

from thaiwiki_clean.clean import clean, explain

__all__ = ["ThaiWiki"]


@pd.api.extensions.register_series_accessor("thaiwiki")
class ThaiWiki:
    """The accessor of a Series of texts. Index, name and nulls stay as they are."""

    def __init__(self, series: pd.Series) -> None:
        if not _holds_text(series.dtype):
            # AttributeError is what pandas asks of an accessor, so that hasattr() and dir() say the truth.
            raise AttributeError(f".thaiwiki is for texts, this Series holds {series.dtype}; choose the column of texts")
        self._series = series

    def clean(self) -> pd.Series:
        """The clean texts, of the same dtype.

        >>> pd.Series(["กรุงเทพ () เป็นเมืองหลวงของประเทศไทย"]).thaiwiki.clean()[0]
        'กรุงเทพ เป็นเมืองหลวงของประเทศไทย'

        Raises TypeError, with its label, when a value is neither a str nor null.
        """
        dtype = "category" if isinstance(self._series.dtype, pd.CategoricalDtype) else self._series.dtype
        return pd.Series(self._each(clean), index=self._series.index, name=self._series.name, dtype=dtype)

    def explain(self) -> pd.Series:
        """A :class:`thaiwiki_clean.Cleaned` for every text: raw, text and edits."""
        return self._objects(explain)

    def edits(self) -> pd.Series:
        """The edits of every text, a tuple of :class:`thaiwiki_clean.Edit` each.

        >>> pd.Series(["แมวเป็นสัตว์ [1]"]).thaiwiki.edits()[0]
        (Edit(start=12, end=16, reason='reference', new=''),)
        """
        return self._objects(lambda text: explain(text).edits)

    def _objects(self, function: Callable[[str], Any]) -> pd.Series:
        return pd.Series(self._each(function), index=self._series.index, name=self._series.name, dtype=object)

    def _each(self, function: Callable[[str], Any]) -> list[Any]:
        """The function of every text; what is null stays the null that it is."""
        nulls = self._series.isna().tolist()
        done: list[Any] = []
        for label, value, null in zip(self._series.index, self._series.tolist(), nulls, strict=True):
            if not null and not isinstance(value, str):
                raise TypeError(
                    f"label {label!r}: a text is a str, got {type(value).__name__}; decode bytes as UTF-8, or leave the row out"
                )
            done.append(value if null else function(value))
        return done


def _holds_text(dtype: Any) -> bool:
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    return bool(pd.api.types.is_string_dtype(dtype) or pd.api.types.is_object_dtype(dtype))

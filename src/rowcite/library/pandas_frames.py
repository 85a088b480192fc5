"""Frames of pandas. The index, the labels and the columns that are not filled are never converted, so nothing of them is lost."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
from pandas.api.types import is_datetime64_dtype

from rowcite.errors import TableError
from rowcite.library.frames import check_names, frame_of
from rowcite.table.sources import FrameSource, Rows
from rowcite.table.sources.arrow_types import to_frame

_DEFAULT_TEXT = pd.Series([""]).dtype
_TYPES = {
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    **({pa.large_string(): _DEFAULT_TEXT} if isinstance(_DEFAULT_TEXT, pd.StringDtype) else {}),
}
"""The types of added columns where numpy has none with a missing value, or the choice of pyarrow depends on the values."""


class PandasFrame:
    """A frame of pandas. Named levels of its index are read as columns, and are not columns of the result."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        if frame.columns.nlevels > 1:
            raise TableError(
                'the columns have several levels. Flatten them: frame.columns = frame.columns.map("_".join)'
            )
        self._columns = [str(label) for label in frame.columns]
        levels = [str(name) for name in frame.index.names if name is not None]
        self._levels = [name for name in levels if name not in self._columns]
        self.names: Sequence[str] = [*self._columns, *self._levels]
        check_names(self.names)
        self._before = pl.DataFrame()

    def source(self, used: Collection[str], filled: Collection[str] = ()) -> FrameSource:
        """Return the used columns and levels as a frame."""
        for name in self._levels:
            if name in filled:
                raise TableError(
                    f"{name!r} is a level of the index, which cannot be filled: frame.reset_index({name!r})"
                )
        for name in (name for name in self._columns if name in filled):
            if isinstance(self._values(name).dtype, (pd.PeriodDtype, pd.SparseDtype)):
                kind = self._values(name).dtype
                raise TableError(f"column {name!r} is {kind}, which cannot be filled: {_as_text(name)}")
        names = [name for name in self.names if name in used]
        arrow = pa.table(
            {name: _to_arrow(name, self._values(name), is_filled=name in filled) for name in names}
        )
        self._before = to_frame(arrow)
        return FrameSource(frame_of(self.names, self._before, len(self._frame)))

    def enriched(self, added: pl.DataFrame, filled: Sequence[Rows]) -> Any:
        """Return the frame with its new columns.

        Texts have the default type of pandas, whole numbers Int64, booleans boolean, dates datetime64, lists are Python lists.
        """
        new = pd.DataFrame({name: _to_pandas(added[name]) for name in added.columns})
        new.index, new.columns.name = self._frame.index, self._frame.columns.name
        frame = pd.concat([self._frame, new], axis=1)
        frame.attrs = dict(self._frame.attrs)
        after = pl.concat([rows.frame for rows in filled]) if filled else pl.DataFrame()
        for name in after.columns:
            place = self._columns.index(name)
            column = _filled(self._frame.iloc[:, place], self._before[name], after[name])
            if column is not None:
                frame.isetitem(place, column)
        return frame

    def _values(self, name: str) -> Any:
        if name in self._levels:
            return self._frame.index.get_level_values(name)
        return self._frame.iloc[:, self._columns.index(name)]


def _to_arrow(name: str, values: Any, *, is_filled: bool) -> Any:
    """Return the values of a column. One without any value has no type: pandas has only floats for it."""
    if not values.notna().any():
        return pa.nulls(len(values))
    if isinstance(values.dtype, pd.PeriodDtype):  # Arrow would have the number of periods since 1970
        values = values.astype("string")
    elif isinstance(values.dtype, pd.SparseDtype):
        values = values.astype(values.dtype.subtype)
    elif (
        is_filled
        and is_datetime64_dtype(values.dtype)
        and (values.dropna() == values.dropna().dt.normalize()).all()
    ):
        return pa.array(values.dt.date, pa.date32(), from_pandas=True)  # pandas has no dates but these
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise TableError(
            f'column "{name}" has values of several types: {error}. Give it one type: {_as_text(name)}'
        ) from error


def _as_text(name: str) -> str:
    return f"frame[{name!r}] = frame[{name!r}].astype('string')"


def _to_pandas(values: pl.Series) -> Any:
    if values.dtype.is_nested():
        return pd.Series(values.to_list(), dtype=object)
    arrow = values.to_arrow(compat_level=pl.CompatLevel.oldest())
    return arrow.to_pandas(date_as_object=False, types_mapper=_TYPES.get)


def _filled(column: Any, before: pl.Series, after: pl.Series) -> Any:
    """Return a column with found values in place of its own, in its own type; None if there are none."""
    changed = after.ne_missing(before.cast(after.dtype))
    if not changed.any():
        return None
    if before.dtype == pl.Null:
        return _on(column, _to_pandas(after))
    places, values = changed.arg_true().to_list(), after.filter(changed).to_list()
    column = column.copy()
    if isinstance(column.dtype, pd.CategoricalDtype):
        new = [value for value in dict.fromkeys(values) if value not in column.cat.categories]
        column = column.cat.add_categories(new)
    column.iloc[places] = pd.Series(
        values, dtype=column.dtype
    ).array  # all at once: each time copies a column of texts
    return column


def _on(column: Any, values: Any) -> Any:
    """Return values with the index of a column."""
    values.index = column.index
    return values

"""The columns that a spec adds to a table: name, type and value of each, listed here alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from rowcite.accept.judge import CellColumn
from rowcite.inert import FORMULA, NUMBER_OR_PHONE, without_formula
from rowcite.model import RowStatus
from rowcite.rows.columns import ResolvedColumns
from rowcite.rows.given import given_columns
from rowcite.spec.fields import Field, FieldType, fields, value_column
from rowcite.spec.models import Spec
from rowcite.table.cell_values import (
    as_texts,
    citations_of_list,
    evidence,
    evidence_of_given,
    full_citations,
    json_texts,
    replacing,
    urls,
    urls_texts,
)
from rowcite.table.sources.arrow_types import is_same_in_polars

FOUND = "\0found "
"""Before the name of a column of the table: the values found for it."""
EVIDENCE = "\0evidence "
"""Before the name of a field's column: the evidence of each found value, as `evidence_of` reads it. Only for workbooks."""
CELL_CHARS = 32_767
"""Characters that a cell of a workbook holds, as UTF-16 counts them."""

_CITATION = pl.Struct({"url": pl.String, "title": pl.String, "excerpts": pl.List(pl.String)})
_CITATION_OF_LIST = pl.Struct([*_CITATION.fields, pl.Field("element", pl.Int64())])
_DTYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "json": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
}


class Column(NamedTuple):
    """A column: its name, its type, and its values as a function of the cells of `field`, or of whole rows (None)."""

    name: str
    dtype: pl.DataType
    values: Callable[[Any], Iterable[Any]]
    field: int | None = None


class ColumnLayout:
    """The columns that come from resolved rows, in their order.

    A field whose column is in the table already has its values under `FOUND` and the column's name: they go into the
    table's own column. `schema` has the other columns, those that are added. In a native table (Parquet, JSONL, a
    frame) lists and objects keep their type, in any other they are JSON text. A workbook runs no text, and has the evidence
    of each found value.
    """

    def __init__(self, spec: Spec, table: pl.Schema, *, native: bool, workbook: bool = False) -> None:
        self._spec, self._table, self._native, self._workbook = spec, table, native, workbook
        self.escapes = not native and not workbook and spec.columns.formulas == "escape"
        self.given = given_columns(spec, table)
        self.columns = [
            *(column for at, field in enumerate(fields(spec)) for column in self._of_field(at, field)),
            *_OF_ROW,
        ]
        self.schema = pl.Schema(
            {column.name: column.dtype for column in self.columns if not column.name.startswith(FOUND)}
        )
        self.shows_texts = spec.columns.reasoning or spec.columns.citations == "full" or workbook
        self.full_schema = pl.Schema({column.name: column.dtype for column in self.columns})

    @property
    def headings(self) -> dict[str, str]:
        """Return the headings of the added columns by name: a name that a spreadsheet would run has an apostrophe."""
        return {name: without_formula(name) if self.escapes else name for name in self.schema}

    def frame(self, rows: Iterable[ResolvedColumns]) -> pl.DataFrame:
        """Return all columns for these rows. Built by column: row by row takes polars several times as long."""
        values: list[list[Any]] = [[] for _ in self.columns]
        for some in rows:
            for column, collected in zip(self.columns, values, strict=True):
                collected.extend(column.values(some if column.field is None else some.cells[column.field]))
        found = pl.DataFrame(
            [
                _series(column.name, collected, column.dtype)
                for column, collected in zip(self.columns, values, strict=True)
            ]
        )
        return self._within_cells(found) if self._workbook else found

    def _within_cells(self, found: pl.DataFrame) -> pl.DataFrame:
        """Return the columns with every value rejected that is too long for a cell of a workbook."""
        names = [column.removeprefix(EVIDENCE) for column in found.columns if column.startswith(EVIDENCE)]
        places = {name: FOUND + name if name in self.given else name for name in names}
        for name, column in places.items():
            if found[column].dtype != pl.String:
                continue
            chars = utf16_chars(pl.col(column))
            reason = pl.format(
                "{}: {} characters, and a cell of a workbook holds {}",
                pl.lit(name),
                chars,
                pl.lit(CELL_CHARS),
            )
            too_long = chars > CELL_CHARS
            rejected = pl.lit(RowStatus.REJECTED.value)
            is_completed = pl.col("rowcite_status") == RowStatus.COMPLETED.value
            found = found.with_columns(
                pl.when(~too_long).then(pl.col(column)).alias(column),
                pl.when(~too_long).then(pl.col(EVIDENCE + name)).alias(EVIDENCE + name),
                pl.when(too_long & is_completed)
                .then(rejected)
                .otherwise("rowcite_status")
                .alias("rowcite_status"),
                pl.when(too_long)
                .then(pl.concat_str("rowcite_error", reason, separator="; ", ignore_nulls=True))
                .otherwise("rowcite_error")
                .alias("rowcite_error"),
            )
        return found

    def _of_field(self, at: int, field: Field) -> Iterator[Column]:
        """Yield the columns of one field. A new kind of column has its line here."""
        columns, name = self._spec.columns, value_column(self._spec, field.name)
        yield self._value_column(at, field, name)
        if self._workbook:
            found = evidence_of_given if name in self.given else evidence
            yield Column(EVIDENCE + name, pl.Binary(), found, at)
        if columns.confidence:
            yield Column(f"{name}_confidence", pl.String(), attrgetter("confidences"), at)
        if columns.citations == "full":
            is_list = field.type.kind == "array"
            full = citations_of_list if is_list else full_citations
            kind = pl.List(_CITATION_OF_LIST if is_list else _CITATION) if self._native else pl.String()
            yield Column(f"{name}_citations", kind, full if self._native else as_texts(full), at)
        if columns.citations == "urls":
            dtype = pl.List(pl.String) if self._native else pl.String()
            yield Column(f"{name}_citations", dtype, urls if self._native else urls_texts, at)
        if columns.reasoning:
            yield Column(f"{name}_reasoning", pl.String(), attrgetter("reasonings"), at)

    def _value_column(self, at: int, field: Field, name: str) -> Column:
        found = dtype(field.type)
        own = self._table[name] if name in self.given else None
        is_text = own == pl.String or (own is None and not self._native)
        is_text = is_text and found.is_nested()
        values: Callable[[CellColumn], list[Any]] = json_texts if is_text else attrgetter("values")
        kind = pl.String() if is_text else found
        if own is None:
            return Column(name, kind, values, at)
        return Column(FOUND + name, kind, lambda cells: replacing(cells, values(cells)), at)


_OF_ROW = (
    Column("rowcite_status", pl.String(), attrgetter("statuses")),
    Column("rowcite_error", pl.String(), attrgetter("errors")),
    Column(
        "rowcite_processor", pl.String(), lambda rows: [" ".join(names) or None for names in rows.processors]
    ),
    Column("rowcite_run_id", pl.String(), lambda rows: [" ".join(ids) or None for ids in rows.run_ids]),
)
STATUS_COLUMNS = tuple(column.name for column in _OF_ROW)


def column_names(spec: Spec) -> list[str]:
    """Return the names of the columns that a spec adds to a table without any of them."""
    return [column.name for column in ColumnLayout(spec, pl.Schema(), native=True).columns]


def dtype(kind: FieldType) -> pl.DataType:
    """Return the polars type of a field's column in a native table."""
    if kind.kind == "array":
        assert kind.items is not None
        return pl.List(dtype(kind.items))
    if kind.kind == "object":
        return pl.Struct({name: dtype(part) for name, part in kind.properties})
    return _DTYPES[kind.kind]


def column_type_problems(spec: Spec, table: pl.Schema, original: pa.Schema | None = None) -> Iterator[str]:
    """Yield a message for each column of the table that cannot hold the values of its field.

    `original` is the schema of an Arrow table, whose types polars does not all have.
    """
    for name, field in given_columns(spec, table).items():
        kind = original.field(name).type if original is not None else None
        has_own_type = kind is None or is_same_in_polars(kind)
        if not has_own_type or not _holds(table[name], field.type):
            yield (
                f'column "{name}" is {table[name] if has_own_type else kind}, and the field `{field.name}` is'
                f" {field.type.kind}: a found value would not fit. Give the field the column's type, or rename it"
            )


def _holds(column: pl.DataType, kind: FieldType) -> bool:
    if column in (pl.String, dtype(kind)) or (kind.kind == "string" and column in (pl.Categorical, pl.Enum)):
        return True
    if column.is_integer():
        return kind.kind == "integer"
    return column.is_float() and kind.kind in ("integer", "number")


def utf16_chars(text: pl.Expr) -> pl.Expr:
    """Return the length of a text as UTF-16 counts it."""
    return text.str.len_chars() + text.str.count_matches("[\U00010000-\U0010ffff]")


def without_formulas(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return a frame with an apostrophe before each formula of these text columns, as `inert.without_formula` does for one text."""
    begin = {name: pl.col(name).str.contains(f"^(?:{FORMULA})") for name in names}
    found = frame.select(is_formula.any() for is_formula in begin.values())  # most columns have none
    return frame.with_columns(
        pl.when(begin[name] & ~pl.col(name).str.contains(f"^(?:{NUMBER_OR_PHONE})$"))
        .then(pl.concat_str(pl.lit("'"), name))
        .otherwise(name)
        .alias(name)
        for name in found.columns
        if found[name][0]
    )


def _series(name: str, values: list[Any], kind: pl.DataType) -> pl.Series:
    if not kind.is_nested():
        return pl.Series(name, values, kind)
    form = pl.Series([], dtype=kind).to_arrow().type  # polars takes lists one by one, Arrow all at once
    return pl.Series(name, pa.array(values, form), kind)

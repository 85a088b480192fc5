"""The truth: a table with the key of some rows and the right values of some fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rowcite.errors import TableError, UsageError
from rowcite.inert import without_formula
from rowcite.spec.fields import fields, value_column
from rowcite.spec.models import CsvOptions, Spec
from rowcite.table.sources import WHICH_INPUT, Source, open_source
from rowcite.table.sources.members import own_texts
from rowcite.table.where import no_column

NONE_MARKER = "(none)"
STRATUM, STRATUM_ROWS = "rowcite_stratum", "rowcite_stratum_rows"


class NotThese(NamedTuple):
    """A label that says only which values are wrong."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """Labels by key and field; the label None means that there is truly nothing.

    `strata` has the stratum of each key and the number of tasks in it, if the sample was drawn by `--draw`. `duplicates`
    are keys that came more than once: they are left out. `notes` say what the labels are, if they are not a sample of the table.
    """

    labels: dict[str, dict[str, Any]]
    strata: dict[str, tuple[str, int]] = field(default_factory=dict)
    duplicates: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _opened(path: str, flag: str) -> Source:
    try:
        return open_source(path, None, CsvOptions())
    except TableError as error:
        raise TableError(f"{flag}: {str(error).removesuffix(WHICH_INPUT)}") from error


def read_truth(
    table: str | Source,
    key: str,
    columns: Mapping[str, str],
    none_marker: str = NONE_MARKER,
    flag: str = "--truth",
) -> Truth:
    """Read a truth table from a path, which `flag` gave, or an open table. `columns` has the field of each column with labels.

    A blank cell is not labelled; `none_marker` means that there is truly nothing.

    Raises:
        TableError: the table cannot be read.
        UsageError: it has no key column, no column of a field, or two of one field.
    """
    path = table if isinstance(table, str) else "truth"
    source = _opened(table, flag) if isinstance(table, str) else table
    if key not in source.schema:
        raise UsageError(f"{path}: {no_column(key, source.schema)}")
    labelled = _labelled(source, key, columns, path)
    labels: dict[str, dict[str, Any]] = {}
    strata: dict[str, tuple[str, int]] = {}
    times = Counter[str]()
    for rows in source.batches():
        keys = own_texts(rows, [key]).to_series().to_list()
        for own, row in zip(keys, rows.frame.iter_rows(named=True), strict=True):
            name = key_text(own)
            if not name:
                continue
            times[name] += 1
            labels[name] = _labels(row, labelled, columns, none_marker)
            if row.get(STRATUM) and row.get(STRATUM_ROWS):
                strata[name] = (str(row[STRATUM]), _rows(row[STRATUM_ROWS], path))
    twice = tuple(name for name, count in times.items() if count > 1)
    for name in twice:
        del labels[name]
    return Truth({name: values for name, values in labels.items() if values}, strata, twice)


def _labelled(source: Source, key: str, columns: Mapping[str, str], path: str) -> list[str]:
    """Return the columns of a truth table that have labels."""
    labelled = [name for name in source.schema if name in columns and name != key]
    if not labelled:
        raise UsageError(f"{path}: no column is a field of the spec. Fields: {', '.join(columns.values())}")
    times = Counter(columns[name] for name in labelled)
    if twice := [name for name in labelled if times[columns[name]] > 1]:
        shown = ", ".join(map(repr, twice))
        raise UsageError(f"{path}: the columns {shown} have labels of the same field. Leave one of them out")
    return labelled


def label_columns(spec: Spec) -> dict[str, str]:
    """Return the field of each column that may have labels: named as the field, or as its column in the output.

    Of a name that is a formula, the files of rowcite have an apostrophe before it.
    """
    names = [item.name for item in fields(spec)]
    columns = {value_column(spec, name): name for name in names} | {name: name for name in names}
    return {without_formula(column): name for column, name in columns.items()} | columns


def key_text(value: Any) -> str:
    """Return a key as the text by which rows are matched; whole numbers without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()


def _labels(
    row: Mapping[str, Any], labelled: Sequence[str], columns: Mapping[str, str], none_marker: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in labelled:
        value = row[column]
        text = value.strip() if isinstance(value, str) else value
        if text in (None, "", "[]") or text != text or (isinstance(value, list) and not value):  # noqa: PLR0124 - NaN
            continue
        is_marker = isinstance(text, str) and text.casefold() == none_marker.casefold()
        found[columns[column]] = None if is_marker else value
    return found


def _rows(value: Any, path: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise UsageError(f"{path}: {STRATUM_ROWS} is {value!r}, not a number of rows") from None

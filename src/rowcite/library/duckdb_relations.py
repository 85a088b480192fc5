"""Relations of duckdb: their rows are taken once, and given back as a relation of the same connection."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import duckdb
import pyarrow as pa

_VIEW = "rowcite_given"
_CHANGED_BY_ARROW = re.compile(r"\b(BIT|UHUGEINT|TIME WITH TIME ZONE)\b")


def readable(relation: Any) -> Any:
    """Return a relation whose rows Arrow can have: values that it would change are texts, which `GiveBack` reads again."""
    names = [
        _quoted(name)
        for name, kind in zip(relation.columns, relation.types, strict=True)
        if _CHANGED_BY_ARROW.search(str(kind))
    ]
    texts = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in names)
    return relation.project(f"* REPLACE ({texts})") if names else relation


class GiveBack:
    """Makes relations of enriched tables, with the connection of the relation that was given."""

    def __init__(self, relation: Any) -> None:
        self._relation = relation
        self._types = list(relation.types)

    def __call__(self, rowcite_enriched_rows: pa.Table) -> Any:
        """Return a table as a relation. Columns whose type Arrow does not have get it back.

        A closed connection, or one that does not look for variables of Python, cannot have it: it is of the default one then.
        """
        query = f"SELECT {self._columns(rowcite_enriched_rows)} FROM rowcite_enriched_rows"  # noqa: S608 - names are quoted
        try:  # the connection finds the table by the name of the variable
            relation = self._relation.query(_VIEW, query)
            with suppress(duckdb.Error):  # duckdb 1 leaves a view, later ones none
                self._relation.query(_VIEW, f"DROP VIEW IF EXISTS {_VIEW}")
        except duckdb.Error:
            relation = duckdb.from_arrow(rowcite_enriched_rows)
        return relation.set_alias("enriched")

    def _columns(self, table: pa.Table) -> str:
        """Return the columns to select. duckdb renames one whose name differs only in case from another."""
        now = duckdb.from_arrow(table)
        types = [*self._types, *now.types[len(self._types) :]]
        return ", ".join(_column(now, *column) for column in zip(now.columns, now.types, types, strict=True))


def _column(table: Any, name: str, kind: Any, own: Any) -> str:
    """Return a column as its own type; as it is now if that has no place for a value that was found for it."""
    quoted, wanted = _quoted(name), str(own)
    if own == kind or wanted.strip('"') == "NULL":  # a column without a type may have been filled
        return quoted
    if own.id == "enum":
        wanted = _with_new_values(own, table.select(quoted).distinct().fetchall())
    lost = table.filter(f"{quoted} IS NOT NULL AND TRY_CAST({quoted} AS {wanted}) IS NULL")
    return quoted if lost.limit(1).fetchall() else f"CAST({quoted} AS {wanted}) AS {quoted}"


def _with_new_values(own: Any, rows: list[tuple[Any]]) -> str:
    """Return an ENUM with the values that were found, after its own."""
    found = sorted(text for (text,) in rows if text is not None)
    values = dict.fromkeys([*dict(own.children)["values"], *found])
    return f"ENUM({', '.join(map(_text, values))})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

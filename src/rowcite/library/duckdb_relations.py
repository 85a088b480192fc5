"""Relations of duckdb: their rows are taken once, and given back as a relation of the same connection."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

_VIEW = "rowcite_given"


class GiveBack:
    """Makes relations of enriched tables, with the connection of the relation that was given."""

    def __init__(self, relation: Any) -> None:
        self._relation = relation
        self._types = dict(zip(relation.columns, relation.types, strict=True))

    def __call__(self, rowcite_enriched_rows: pa.Table) -> Any:
        """Return a table as a relation. Columns whose type Arrow does not have get it back.

        A closed connection, or one that does not look for variables of Python, cannot have it: it is of the default one then.
        """
        query = f"SELECT {self._columns(rowcite_enriched_rows)} FROM rowcite_enriched_rows"  # noqa: S608 - names are quoted
        try:  # the connection finds the table by the name of the variable
            relation = self._relation.query(_VIEW, query)
        except duckdb.Error:
            relation = duckdb.from_arrow(rowcite_enriched_rows)
        return relation.set_alias("enriched")

    def _columns(self, table: pa.Table) -> str:
        now = duckdb.from_arrow(table.schema.empty_table())
        types = dict(zip(now.columns, now.types, strict=True))
        return ", ".join(self._column(name, types[name]) for name in table.schema.names)

    def _column(self, name: str, kind: Any) -> str:
        quoted = '"' + name.replace('"', '""') + '"'
        own = self._types.get(name, kind)
        return quoted if own == kind else f"CAST({quoted} AS {own}) AS {quoted}"

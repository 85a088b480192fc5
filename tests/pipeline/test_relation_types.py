"""Columns of duckdb relations that are filled with values for which their types have no place."""

import duckdb
import pytest

import rowcite
from support import WEB, small_spec

FIELD = {"type": "string", "description": "Main industry"}
TASK = {"processor": "core", "inputs": {"company_name": {"column": "name"}}, "outputs": {"industry": FIELD}}


@pytest.mark.parametrize(
    ("kind", "becomes"),
    [
        ("ENUM('it''s', 'b')", "ENUM('it''s', 'b', 'handloom textiles')"),
        ("ENUM('handloom textiles')", "ENUM('handloom textiles')"),
        ("UUID", "VARCHAR"),
        ("BIT", "VARCHAR"),
    ],
)
def test_a_filled_column_can_be_read_whatever_its_type(tmp_path, kind, becomes):
    """A relation that cannot be read would lose answers that were paid for."""
    spec = small_spec(
        task=TASK, local={"corpus": str(WEB / "www.malabarloom.example")}, columns={"existing": "fill"}
    )
    given = duckdb.connect().sql(f"SELECT 'Malabar Loom' AS name, NULL::{kind} AS industry")
    after = rowcite.enrich(given, spec, ledger=tmp_path / "ledger").select("industry")
    assert [str(item) for item in after.types] == [becomes]
    assert after.fetchall() == [("handloom textiles",)]

"""What a type checker knows of the library: the kind that was given comes back. Run with the types of pandas and duckdb."""

import os
import subprocess
import sys

import pytest

from support import ROOT

pytestmark = pytest.mark.integration

PROGRAM = """
from pathlib import Path
import duckdb, pandas as pd, polars as pl, pyarrow as pa  # type: ignore[import-untyped]
import rowcite

async def main() -> None:
    reveal_type(rowcite.enrich("accounts.csv", "spec.yaml"))
    reveal_type(rowcite.enrich(Path("accounts.csv"), {}, limit=5))
    reveal_type(rowcite.enrich(pl.DataFrame(), "spec.yaml"))
    reveal_type(rowcite.enrich(pl.LazyFrame(), "spec.yaml"))
    reveal_type(rowcite.enrich(pd.DataFrame(), "spec.yaml", max_cost_usd=5, progress=False))
    reveal_type(rowcite.enrich(duckdb.connect().table("accounts"), "spec.yaml"))
    reveal_type(await rowcite.aenrich(pd.DataFrame(), "spec.yaml"))
    reveal_type(rowcite.run(pd.DataFrame(), "spec.yaml"))
    reveal_type(rowcite.run(pd.DataFrame(), "spec.yaml").table)
    rowcite.plan(pa.table({}), "spec.yaml", limit=3).cost
    rowcite.enrich(1, "spec.yaml")
    rowcite.enrich("accounts.csv", "spec.yaml", limit="5")
    rowcite.enrich("accounts.csv", "spec.yaml", max_cost=5)
    rowcite.enrish("accounts.csv", "spec.yaml")
"""
REVEALED = [
    "polars.dataframe.frame.DataFrame",
    "polars.dataframe.frame.DataFrame",
    "polars.dataframe.frame.DataFrame",
    "polars.lazyframe.frame.LazyFrame",
    "pandas.core.frame.DataFrame",
    "DuckDBPyRelation",
    "pandas.core.frame.DataFrame",
    "rowcite.library.result.Result[pandas.core.frame.DataFrame]",
    "pandas.core.frame.DataFrame",
]


def test_mypy_knows_the_kind_that_comes_back_and_refuses_wrong_arguments(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", "program.py"],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    revealed = [line.split('"')[1] for line in lines if "Revealed type" in line]
    assert len(revealed) == len(REVEALED), done.stdout
    for found, expected in zip(revealed, REVEALED, strict=True):
        assert found.endswith(expected)
    wrong = PROGRAM.count("\n") - 3
    errors = {int(line.split(":")[1]) for line in lines if "error:" in line and line.startswith("program.py")}
    assert errors == set(range(wrong, wrong + 4)), done.stdout

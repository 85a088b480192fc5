"""Time and memory of a frame in and a frame out, all answers stored: `python benchmarks/frames.py`, some minutes.

    python benchmarks/frames.py [--rows 100000]

Each kind is enriched in a separate process, with 5 columns and with 25 (20 texts of 100 characters more, which the spec does
not use). Memory is the growth of the process's peak from before the call: the result, and what is copied on the way. Writes
benchmarks/frames.md.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl
from bed import HERE, PYTHON, make_spec, make_table, measure, report
from full import URL, fill

KINDS = ("a path", "polars", "polars, lazy", "pandas", "pyarrow", "a reader", "duckdb")
COLUMNS = {5: KINDS, 25: ("polars", "pandas", "pyarrow")}


def main() -> None:
    """Measure each kind in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kind", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--spec", help=argparse.SUPPRESS)
    parser.add_argument("--table", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.kind:
        print(json.dumps(one(given.kind, given.spec, given.table)))
        return
    with tempfile.TemporaryDirectory(prefix="rowcite-bench-") as name:
        report("frames.md", "python benchmarks/frames.py", list(rows(Path(name), given.rows)))


def rows(folder: Path, count: int) -> Any:
    """Yield the lines of the report."""
    make_table(folder / "table.parquet", count, count)
    spec = make_spec(folder, "table.parquet")
    assert fill(spec) == count
    table = pl.read_parquet(folder / "table.parquet").drop("note")
    texts = [(pl.col("name") + "-" * 90 + str(number)).alias(f"text_{number}") for number in range(20)]
    yield "programs that wanted one of the cores at the beginning", "", f"{os.getloadavg()[0]:.0f}"
    for columns, kinds in COLUMNS.items():
        wide = table.with_columns(texts[: columns - table.width])
        wide.write_parquet(folder / "given.parquet")
        wide.clear().write_parquet(folder / "given-0.parquet")
        for kind in kinds:
            done = measure(
                PYTHON,
                HERE / "frames.py",
                "--kind",
                kind,
                "--spec",
                spec,
                "--table",
                folder / "given.parquet",
            )
            found = json.loads(done.out)
            figures = f"{found['wall']:.1f} s, {found['cpu']:.1f} s, {found['grew']:.0f} MB (given {found['given']:.0f} MB)"
            print(kind, columns, figures, flush=True)
            goal = "the growth of 5 columns" if columns > min(COLUMNS) else ""
            yield f"{count:,} rows of {columns} columns, {kind}: wall, CPU, growth of the peak", goal, figures


def one(kind: str, spec: str, table: str) -> dict[str, float]:
    """Enrich one frame and return the figures."""
    import rowcite

    rowcite.plan(
        pl.DataFrame({"name": ["x"], "website": ["x"], "account": ["x"]}), spec, base_url=URL
    )  # imports
    opened(kind, table[: -len(".parquet")] + "-0.parquet")  # imports
    before = _memory("VmRSS")
    given = opened(kind, table)
    held = _memory("VmRSS") - before
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins again
    base, began, cpu = _memory("VmHWM"), time.monotonic(), time.process_time()
    enriched = rowcite.enrich(given, spec, base_url=URL)
    figures = {"wall": time.monotonic() - began, "cpu": time.process_time() - cpu, "given": held}
    figures["grew"] = _memory("VmHWM") - base
    assert enriched is not given
    return figures


def opened(kind: str, table: str) -> Any:
    """Return the table as a kind of frame."""
    import pyarrow.parquet as pq

    if kind == "a path":
        return table
    if kind.startswith("polars"):
        return pl.scan_parquet(table) if "lazy" in kind else pl.read_parquet(table)
    if kind == "pandas":
        import pandas as pd

        return pd.read_parquet(table)
    if kind == "duckdb":
        import duckdb

        return duckdb.connect().read_parquet(table)
    arrow = pq.read_table(table)
    return arrow.to_reader() if kind == "a reader" else arrow


def _memory(name: str) -> float:
    """Return a figure of this process in MB (Linux)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()

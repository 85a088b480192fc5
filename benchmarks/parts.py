"""A folder of parts with `engine: daft` beside one process, in an environment with the extras `daft` and `local`.

    python benchmarks/parts.py [--rows 5000000] [--many 2000000]

First a run with 20,000 distinct rows against the bench server, and the same table written by one process: the values are compared.
Then one large part beside a small one, and many distinct rows with answers in the ledger. Prints the figures of docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from bed import MACHINE, PYTHON, make_spec, make_table, server
from full import URL, fill

PARTS = 8


@dataclass
class Figures:
    """Seconds of wall and CPU, peak MB of the command and of its largest worker, and what it printed."""

    wall: float
    cpu: float
    driver: float
    worker: float
    out: str

    def __str__(self) -> str:
        worker = f", largest worker {self.worker:,.0f} MB" if self.worker else ""
        return f"{self.wall:.1f} s, {self.cpu:.1f} s of CPU, command {self.driver:,.0f} MB{worker}"


def tree(pid: int) -> Iterator[int]:
    """Yield a process and all that it started."""
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from tree(int(child))


def peak(pid: int) -> float:
    """Return the peak memory of a process in MB."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def measured(*command: str | Path) -> Figures:
    """Run the command, and look at its processes while it runs."""
    began, before = time.monotonic(), os.times()
    process = subprocess.Popen(
        [PYTHON, "-m", "rowcite", *map(str, command)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    peaks: dict[int, float] = {}
    while process.poll() is None:
        for pid in tree(process.pid):
            peaks[pid] = max(peaks.get(pid, 0.0), peak(pid))
        time.sleep(0.05)
    out = process.stdout.read().decode() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    driver = peaks.pop(process.pid)
    return Figures(time.monotonic() - began, cpu, driver, max(peaks.values(), default=0.0), out)


def make_parts(folder: Path, rows: int, distinct: int, parts: int = PARTS) -> Path:
    """Write a table in parts, and a spec for it; return the spec."""
    whole = folder / "whole.parquet"
    (folder / "in").mkdir(parents=True)
    make_table(whole, rows, distinct)
    size = -(-rows // parts)
    for part in range(parts):
        some = pl.scan_parquet(whole).slice(part * size, size)
        some.sink_parquet(folder / "in" / f"part-{part:03}.parquet")
    whole.unlink()
    return make_spec(folder, "in", "out/")


def fill_ledger(folder: Path) -> int:
    """Fill the ledger with the answers of a table in parts, as one process plans it; return their number."""
    count = fill(make_spec(folder, "in", "out.parquet"))
    make_spec(folder, "in", "out/")
    return count


def equal(folder: Path, file: Path) -> bool:
    """Return True if the parts of a folder have the rows of a file, in its order."""
    whole, before = pl.scan_parquet(file), 0
    for part in sorted(folder.glob("*.parquet")):
        rows = pl.read_parquet(part)
        if not whole.slice(before, rows.height).collect().equals(rows):
            return False
        before += rows.height
    return before == whole.select(pl.len()).collect().item()


def run(folder: Path, rows: int, distinct: int) -> None:
    spec = make_parts(folder, rows, distinct)
    with server(folder, "--journal", str(folder / "journal.jsonl")) as bench:
        flags = ("-q", "--json", "--base-url", bench.url)
        print(f"{rows:,} rows in {PARTS} parts, {distinct:,} distinct")
        print("  daft, first pass and plan:  ", measured("plan", spec, "--engine", "daft", *flags))
        ran = measured("run", spec, "--engine", "daft", "--yes", *flags)
        summary = json.loads(ran.out)
        print("  daft, run:                  ", ran, f"submitted {summary['submitted']:,}")
        assert summary["rows"]["completed"] == rows
        assert summary["submitted"] == distinct
        one = folder / "one.parquet"
        print(
            "  one process, plan:          ", measured("plan", spec, "--engine", "polars", "-o", one, *flags)
        )
        whole = measured("run", spec, "--engine", "polars", "-o", one, *flags)
        print("  one process, plan and merge:", whole, f"submitted {json.loads(whole.out)['submitted']}")
        for file in (folder / "out").iterdir():
            file.unlink()
        print("  daft, plan and merge:       ", measured("run", spec, "--engine", "daft", *flags))
        created = sum('"input_sha256"' in line for line in bench.journal.read_text().splitlines())
        print("  equal:", equal(folder / "out", one), f"runs created: {created:,}")


def sizes(folder: Path, rows: int) -> None:
    for size in (rows // 8, rows):
        place = folder / str(size)
        spec = make_parts(place, size, 20_000, 1)
        fill_ledger(place)
        flags = ("--engine", "daft", "-q", "--base-url", URL)
        print(f"one part of {size:,} rows, 20,000 distinct")
        print("  first pass:", measured("plan", spec, *flags))
        print("  both:      ", measured("write", spec, *flags))


def many(folder: Path, distinct: int) -> None:
    spec = make_parts(folder, distinct, distinct)
    print(f"{distinct:,} rows in {PARTS} parts, {distinct:,} distinct")
    flags = ("--engine", "daft", "-q", "--base-url", URL)
    print("  first pass and plan:   ", measured("plan", spec, *flags))
    print("  answers in the ledger: ", f"{fill_ledger(folder):,}")
    print("  plan, tasks known:     ", measured("plan", spec, *flags))
    print("  second pass:           ", measured("write", spec, *flags))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--many", type=int, default=2_000_000)
    given = parser.parse_args()
    print(MACHINE)
    with tempfile.TemporaryDirectory(prefix="rowcite-parts-") as name:
        run(Path(name), given.rows, 20_000)
    with tempfile.TemporaryDirectory(prefix="rowcite-parts-") as name:
        sizes(Path(name), given.rows)
    with tempfile.TemporaryDirectory(prefix="rowcite-parts-") as name:
        many(Path(name), given.many)


if __name__ == "__main__":
    main()

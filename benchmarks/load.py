"""A large run under every fault at once: no row lost, no run created twice, each answer on its own row.

    python benchmarks/load.py [--rows 200000] [--seed 1]

The command and `rowcite serve --bench` are separate processes. 5% of the runs fail, 1% take 40 s longer than the rest.
The server has a rate limit below the client's, returns bursts of 429, and drops connections every few seconds: before
and after handling a request, and inside streams. The command is killed with SIGKILL halfway and run again. Then each row
is compared with the server's answer, and the server's journal with the tasks. Seeded; ends after 30 minutes at the
latest. Writes benchmarks/load.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
TIMEOUT = 1_800
FAIL, SLOW, SLOW_BY, MEAN = 0.05, 0.01, 40, 2.0
RATE = 300  # requests a minute that the server accepts; the limit of the client is 2,000
FIELDS = {
    "industry": {"type": "string", "description": "Main industry or line of business"},
    "employee_count": {"type": "integer", "description": "Latest number of employees"},
    "headquarters": {"type": "string", "description": "City and country of the headquarters"},
}


def fault_plan(seed: int) -> dict[str, Any]:
    """Return the seeded faults."""
    busy = {"status": 429, "headers": {"retry-after": "3"}}
    return {
        "seed": seed,
        "fail": FAIL,
        "slow": SLOW,
        "slow_by": SLOW_BY,
        "http": [
            {"nth": [20, 21, 22, 23, 24, 25, 150, 151, 152, 153, 400, 401, 402], **busy},  # bursts
            {
                "method": "POST",
                "path": "/runs$",
                "every": 31,
                "when": "after",
                "cut": True,
            },  # creates its runs
            {"method": "POST", "path": "/runs$", "every": 17, "when": "before", "cut": True},
            {"method": "GET", "every": 11, "when": "after", "cut": True},
            {"every": 43, "status": 503, "headers": {"retry-after": "1"}},
            {"probability": 0.02, **busy},
        ],
        "sse": {"cut_after": 200, "probability": 0.15},
    }


def inputs(number: int) -> dict[str, str]:
    """Return the input of a row, computed from its number alone."""
    return {"company_name": f"Company {number}", "website": f"company{number}.example"}


def make_table(file: Path, rows: int) -> None:
    with file.open("w", encoding="utf-8") as out:
        out.write("id,name,website\n")
        for number in range(rows):
            out.write(f"{number:07},Company {number},https://www.company{number}.example/about\n")


def make_spec(folder: Path) -> Path:
    columns = {"company_name": {"column": "name"}, "website": {"column": "website", "transform": "domain"}}
    spec = {
        "name": "load",
        "input": {"path": "table.csv"},
        "output": {"path": "out.parquet"},
        "task": {"processor": "core", "inputs": columns, "outputs": FIELDS},
        "limits": {"max_cost_usd": 1_000_000, "max_failed": "10%"},
    }
    file = folder / "spec.yaml"
    file.write_text(json.dumps(spec, indent=1))
    return file


@contextmanager
def serving(folder: Path, seed: int) -> Iterator[tuple[str, Path]]:
    """Run the server in a process; yield its URL and journal."""
    port, journal = folder / "port", folder / "journal.jsonl"
    flags = ["--latency-mean", str(MEAN), "--rate-limit", str(RATE), "--faults", json.dumps(fault_plan(seed))]
    command = [PYTHON, "-m", "rowcite", "serve", "--bench", "--port", "0", *flags]
    process = subprocess.Popen(
        [*command, "--port-file", str(port), "--journal", str(journal)], stderr=subprocess.DEVNULL
    )
    try:
        until(port.exists, 60)
        yield f"http://127.0.0.1:{port.read_text().strip()}", journal
    finally:
        process.terminate()
        process.wait(60)


def until(true: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise SystemExit(f"not true within {seconds} s: {true}")
        time.sleep(0.2)


@dataclass
class Finished:
    """A command that ended: exit code, seconds of wall and CPU, peak MB of memory, and what it printed."""

    code: int
    wall: float
    cpu: float
    peak: float
    out: str


def finished(folder: Path, *command: str | Path, kill_when: Any = None) -> Finished:
    """Run a command to its end, or kill it when a condition holds."""
    began, output = time.monotonic(), folder / "stdout"
    with output.open("wb") as out:
        process = subprocess.Popen([PYTHON, "-m", "rowcite", *map(str, command)], cwd=folder, stdout=out)
        if kill_when is not None:
            until(lambda: kill_when() or process.poll() is not None, TIMEOUT)
            process.send_signal(signal.SIGKILL)
        stop = time.monotonic() + TIMEOUT
        while not (gone := os.wait4(process.pid, os.WNOHANG))[0]:
            if time.monotonic() > stop:
                process.kill()
            time.sleep(0.1)
    _, status, usage = gone
    process.returncode = code = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    return Finished(code, time.monotonic() - began, cpu, usage.ru_maxrss / 1024, output.read_text())


class Journal:
    """The server's journal: runs created, requests by status."""

    def __init__(self, file: Path) -> None:
        self.statuses: Counter[int | None] = Counter()
        self.keys: Counter[str] = Counter()
        self.inputs: set[str] = set()
        self.first = self.last = ""
        with file.open("rb") as lines:
            for line in map(json.loads, lines):
                if "path" in line:
                    self.statuses[line["status"]] += 1
                    self.first = self.first or line["at"]
                    self.last = line["at"]
                elif "input_sha256" in line:
                    self.keys[line["metadata"]["rowcite_key"]] += 1
                    self.inputs.add(line["input_sha256"])


def created(journal: Path) -> int:
    """Count the runs created so far."""
    with journal.open("rb") as lines:
        return sum(b"input_sha256" in line for line in lines)


def check_rows(folder: Path, rows: int, seed: int) -> dict[str, int]:
    """Compare each row of the output with the server's answer; return the number of rows by status."""
    import polars as pl

    from rowcite.local.server.bench import number_of
    from rowcite.local.server.faults import read_plan
    from rowcite.local.server.shapes import RunInput

    plan = read_plan(fault_plan(seed))
    frame = pl.read_parquet(folder / "out.parquet")
    assert frame.height == rows, f"{frame.height} rows came out of {rows}"
    assert frame["id"].to_list() == [f"{number:07}" for number in range(rows)], "rows are out of order"
    columns = ["rowcite_status", "employee_count", "industry", "headquarters_citations"]
    statuses: Counter[str] = Counter()
    for number, (status, count, industry, cited) in enumerate(frame.select(columns).iter_rows()):
        given = inputs(number)
        statuses[status] += 1
        if plan.planned_status(RunInput("core", given)) == "failed":
            assert (status, count, industry) == ("failed", None, None), f"row {number} should have failed"
            continue
        mine = number_of(given)
        assert (status, count, industry) == ("completed", mine, f"bench {mine}"), (
            f"row {number} has the answer of another row"
        )
        assert str(mine) in str(cited), f"row {number} has the citations of another row"
    return dict(statuses)


def load(rows: int, seed: int) -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory(prefix="rowcite-load-") as name:
        folder = Path(name)
        make_table(folder / "table.csv", rows)
        spec = make_spec(folder)
        with serving(folder, seed) as (url, journal):
            command = ("run", spec, "--json", "-q", "--base-url", url)
            killed = finished(folder, *command, kill_when=lambda: created(journal) >= rows * 0.45)
            before = created(journal)
            assert killed.code == -signal.SIGKILL, f"not killed, ended with {killed.code}"
            done = finished(folder, *command)
        assert done.code == 0, f"the command ended with {done.code}: {done.out}"
        summary, seen = json.loads(done.out), Journal(journal)
        statuses = check_rows(folder, rows, seed)
        verified = finished(folder, "ledger", "verify", spec)
        assert verified.code == 0, verified.out
        assert summary["rows"]["total"] == rows, summary
        assert summary["rows"]["failed"] == statuses["failed"], summary
        assert len(seen.inputs) == len(seen.keys) == rows, f"{len(seen.keys)} tasks were created of {rows}"
        twice = sum(count - 1 for count in seen.keys.values())
        assert twice == 0, f"{twice} runs were created twice"
        ledger = sum(file.stat().st_size for file in (folder / ".rowcite" / "load").iterdir()) / 2**20
    wall, requests = killed.wall + done.wall, sum(seen.statuses.values())
    return [
        ("rows in, rows out", f"{rows:,}, {sum(statuses.values()):,}"),
        ("answers on another row, rows lost", "0, 0"),
        (
            "completed, failed",
            f"{statuses['completed']:,}, {statuses['failed']:,} (as the fault plan states)",
        ),
        ("runs created, tasks created twice", f"{sum(seen.keys.values()):,}, {twice}"),
        ("killed with SIGKILL after", f"{killed.wall:.0f} s, {before:,} runs created"),
        ("wall, both commands", f"{wall:.0f} s"),
        (
            "client CPU of the second command",
            f"{done.cpu:.1f} s ({summary['submitted']:,} runs submitted by it)",
        ),
        ("client peak memory", f"{max(killed.peak, done.peak):.0f} MB"),
        ("requests", f"{requests:,} ({requests * 1000 / rows:.1f} per 1,000 runs)"),
        ("of those refused with 429, with 503", f"{seen.statuses[429]:,}, {seen.statuses[503]:,}"),
        (
            "connections dropped instead of an answer",
            f"{seen.statuses[None]:,} (one every {wall / max(seen.statuses[None], 1):.1f} s)",
        ),
        ("ledger, `rowcite ledger verify`", f"{ledger:.0f} MB, clean"),
    ]


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rows", type=int, default=200_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    measured = load(chosen.rows, chosen.seed)
    lines = ["| what | measured |", "| --- | --- |", *(f"| {what} | {value} |" for what, value in measured)]
    where = f"Measured by `make load` (seed {chosen.seed}) on {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}."
    what = (
        f"{FAIL:.0%} of the runs fail, {SLOW:.0%} take {SLOW_BY} s longer than the rest (mean {MEAN:.0f} s); the server accepts "
        f"{RATE} requests a minute; bursts of 429, 503s, dropped connections and streams; one SIGKILL and resume."
    )
    text = "\n".join([where, "", what, "", *lines, ""])
    (ROOT / "benchmarks" / "load.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

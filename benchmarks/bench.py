"""Time, memory and requests of a whole run, beside what a bare client needs for the same runs.

    python benchmarks/bench.py [--rows 100000] [--distinct 20000] [--repeat 1]

A table of made-up accounts (each a sample company with an account number of its own, so that every task is
distinct and every answer has real evidence) is enriched by the command against `rowcite serve --latency 0`, which
runs as a process of its own over the sample pages. Prints a table and writes it to benchmarks/results.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
FIELDS = {
    "industry": {"type": "string", "description": "Main industry or line of business"},
    "employee_count": {"type": "integer", "description": "Latest number of employees"},
    "founded_year": {"type": "integer", "description": "Year the company was founded"},
    "headquarters": {"type": "string", "description": "City and country of the headquarters"},
    "key_products": {"type": "array", "items": "string", "description": "Up to five main products"},
}


@dataclass
class Measured:
    """One process: seconds of wall and CPU, peak MB of memory, and what it printed."""

    wall: float
    cpu: float
    peak: float
    out: str


def measure(*command: str | Path, cwd: Path = ROOT) -> Measured:
    began = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], cwd=cwd, stdout=subprocess.PIPE)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return Measured(
        time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.decode()
    )


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, int]]:
    port = folder / "port"
    port.unlink(missing_ok=True)
    command = [PYTHON, "-m", "rowcite", "serve", "--corpus", str(ROOT / "sample_data" / "web"), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--port-file", str(port), "--latency", "0"], stderr=subprocess.DEVNULL
    )
    while not port.exists():
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port.read_text().strip()}", process.pid
    finally:
        process.terminate()
        process.wait()


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process has used (Linux)."""
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def make_table(file: Path, rows: int, distinct: int) -> None:
    with (ROOT / "sample_data" / "accounts.csv").open(encoding="utf-8", newline="") as source:
        companies = [row for row in csv.DictReader(source) if row["name"].strip() and row["website"].strip()]
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "account", "name", "website", "city", "note"])
        for number in range(rows):
            account = number * 7919 % distinct  # a prime: repeats are spread over the table
            row = companies[account % len(companies)]
            writer.writerow(
                [f"{number:07}", f"A-{account:06}", row["name"], row["website"], row["city"], 'said, "no"']
            )


def make_spec(folder: Path) -> Path:
    inputs = {
        "company_name": {"column": "name"},
        "website": {"column": "website", "transform": "domain"},
        "account": {"column": "account", "description": "Our own number of the account"},
    }
    spec = {
        "name": "bench",
        "input": {"path": "table.csv"},
        "output": {"path": "out.csv"},
        "task": {"processor": "core", "inputs": inputs, "outputs": FIELDS},
        "limits": {"max_cost_usd": 1_000_000},
    }
    file = folder / "spec.yaml"
    file.write_text(json.dumps(spec, indent=1))
    return file


def bodies(folder: Path, spec: Path, url: str) -> Path:
    """Write the bodies that rowcite posts, for the bare client to post them too."""
    from rowcite.ledger import open_ledger
    from rowcite.pipeline import unanswered
    from rowcite.planning import look
    from rowcite.prepare import Overrides, prepare
    from rowcite.submitter import MOST_RUNS
    from rowcite.wire import runs_body

    job = prepare(spec, Overrides(base_url=url)).job
    ledger = open_ledger(folder / "nothing", writing=False)
    tasks = list(unanswered(job, ledger, look(job, ledger)))
    file = folder / "bodies.jsonl"
    parts = [tasks[start : start + MOST_RUNS] for start in range(0, len(tasks), MOST_RUNS)]
    file.write_bytes(b"\n".join(runs_body(job.asked, part) for part in parts))
    return file


def whole_run(rows: int, distinct: int) -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory(prefix="rowcite-bench-") as name:
        folder = Path(name)
        make_table(folder / "table.csv", rows, distinct)
        spec = make_spec(folder)
        command = [PYTHON, "-m", "rowcite", "run", spec, "--json", "-q"]
        with server(folder) as (url, pid):
            ours = measure(*command, "--base-url", url)
            served = cpu_of(pid)
            again = measure(*command, "--base-url", url)
            posts = bodies(folder, spec, url)
        with server(folder) as (url, pid):
            bare = measure(PYTHON, ROOT / "benchmarks" / "bare.py", url, posts)
        told = json.loads(ours.out)
        assert told["rows"]["completed"] == rows, told
        assert int(bare.out) == distinct, bare.out
        ledger = sum(file.stat().st_size for file in (folder / ".rowcite" / "bench").iterdir()) / 2**20
    return [
        ("rows, distinct tasks", f"{rows:,}, {distinct:,}"),
        ("first run: wall", f"{ours.wall:.1f} s"),
        ("first run: client CPU", f"{ours.cpu:.1f} s"),
        ("first run: client peak memory", f"{ours.peak:.0f} MB"),
        ("first run: the server's own CPU (its research)", f"{served:.1f} s"),
        (
            "first run: requests",
            f"{told['requests']:,} ({told['requests'] / distinct * 1000:.1f} per 1,000 tasks)",
        ),
        (
            "bare client, same runs: wall, CPU, memory",
            f"{bare.wall:.1f} s, {bare.cpu:.1f} s, {bare.peak:.0f} MB",
        ),
        (
            "first run against the bare client: wall, CPU",
            f"{ours.wall / bare.wall:.2f} x, {ours.cpu / bare.cpu:.1f} x",
        ),
        ("second run (nothing to submit): wall, peak memory", f"{again.wall:.1f} s, {again.peak:.0f} MB"),
        ("ledger", f"{ledger:.0f} MB"),
    ]


def one_thousand() -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory(prefix="rowcite-bench-") as name:
        folder = Path(name)
        make_table(folder / "table.csv", 1_000, 1_000)
        with server(folder) as (url, _):
            ours = measure(
                PYTHON, "-m", "rowcite", "run", make_spec(folder), "--json", "-q", "--base-url", url
            )
    return [("1,000 distinct rows: requests, wall", f"{json.loads(ours.out)['requests']}, {ours.wall:.1f} s")]


def start_up() -> list[tuple[str, str]]:
    pairs = [
        (
            measure(Path(PYTHON).with_name("rowcite"), "--help").wall,
            measure(PYTHON, "-c", "import click").wall,
            measure(PYTHON, "-c", "pass").wall,
        )
        for _ in range(15)
    ]
    ours, peer, bare = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b, _ in pairs)
    return [
        (
            "`rowcite --help` against `import click` (and `pass`)",
            f"{ours:.0f} ms, {peer:.0f} ms: {ratio:.2f} x ({bare:.0f} ms)",
        )
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--distinct", type=int, default=20_000)
    asked = parser.parse_args()
    figures = [*start_up(), *one_thousand(), *whole_run(asked.rows, asked.distinct)]
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    lines = [
        f"Measured by `make bench` on {machine}. Read seconds as ±30%, ratios as they are.",
        "",
        "| what | measured |",
        "| --- | --- |",
    ]
    lines += [f"| {what} | {value} |" for what, value in figures]
    (ROOT / "benchmarks" / "results.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()

"""Helpers of the benchmarks: measured processes, servers, tables and reports."""

from __future__ import annotations

import atexit
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
PYTHON = sys.executable
FIELDS = {
    "industry": {"type": "string", "description": "Main industry or line of business"},
    "employee_count": {"type": "integer", "description": "Latest number of employees"},
    "founded_year": {"type": "integer", "description": "Year the company was founded"},
    "headquarters": {"type": "string", "description": "City and country of the headquarters"},
    "key_products": {"type": "array", "items": "string", "description": "Up to five main products"},
}
EVERY_TYPE = {
    "industry": {"type": "string", "description": "Main industry or line of business"},
    "employee_count": {"type": "integer", "description": "Latest number of employees"},
    "revenue": {"type": "number", "description": "Latest revenue in millions of US dollars"},
    "listed": {"type": "boolean", "description": "Whether its shares are listed"},
    "founded": {"type": "date", "description": "Date of foundation"},
    "key_products": {"type": "array", "items": "string", "description": "Up to five main products"},
}
MACHINE = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


@dataclass
class Measured:
    """One process: seconds of wall and CPU, peak MB of memory, and what it printed."""

    wall: float
    cpu: float
    peak: float
    out: str


_LAUNCH = """
import os, sys
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
open(sys.argv[1], "w").write(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A small launcher: a process starts with the peak memory of its parent, and this one is large."""


def measure(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> Measured:
    """Run a command to its end."""
    with tempfile.NamedTemporaryFile() as used:
        began = time.monotonic()
        done = subprocess.run(
            [PYTHON, "-S", "-E", "-c", _LAUNCH, used.name, *map(str, command)],
            cwd=cwd,
            stdout=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            check=False,
        )
        wall = time.monotonic() - began
        if done.returncode:
            raise SystemExit(f"{command} ended with {done.returncode}")
        cpu, peak = Path(used.name).read_text().split()
    return Measured(wall, float(cpu), float(peak) / 1024, done.stdout.decode())


def rowcite(*command: str | Path) -> Measured:
    """Run the command to its end."""
    return measure(client(), "-m", "rowcite", *command, env={"PYTHONPATH": ""})


@cache
def client() -> Path:
    """Return the Python of a virtual environment with rowcite as users have it: compiled, without the tools of its developers.

    If it cannot be made, return that of the developers.
    """
    venv = Path(tempfile.mkdtemp(prefix="rowcite-bench-own-"))
    atexit.register(shutil.rmtree, venv)
    try:
        subprocess.run([PYTHON, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "python", "-m", "pip", "install", "--quiet", ROOT], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"rowcite is measured with the developers' packages: {error}", file=sys.stderr)
        return Path(PYTHON)
    return venv / "bin" / "python"


@dataclass
class Server:
    """A running server and its journal, whose last line has the makespan."""

    url: str
    pid: int
    journal: Path


@contextmanager
def server(folder: Path, *flags: str) -> Iterator[Server]:
    """Run `rowcite serve --bench` in a process."""
    port, journal = folder / "port", folder / "journal.jsonl"
    for file in (port, journal):
        file.unlink(missing_ok=True)
    command = [PYTHON, "-m", "rowcite", "serve", "--bench", "--port", "0", "--port-file", str(port), *flags]
    log = folder / "server.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stderr=errors)
    while not port.exists():
        if process.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text()}")
        time.sleep(0.05)
    try:
        yield Server(f"http://127.0.0.1:{port.read_text().strip()}", process.pid, journal)
    finally:
        process.terminate()
        process.wait()


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process has used (Linux)."""
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def make_table(file: Path, rows: int, distinct: int) -> None:
    """Write rows of distinct companies, repeated across the table; CSV, Parquet or JSON lines by the suffix."""
    step = 1_000_000
    account = pl.col("id") * 7919 % distinct  # a prime: repeats are far apart
    table = pl.LazyFrame({"part": range(-(-rows // step))}).select(
        pl.int_ranges(pl.col("part") * step, pl.min_horizontal((pl.col("part") + 1) * step, rows))
        .explode()
        .alias("id")
    )
    table = table.select(
        pl.format("{}", pl.col("id")).str.zfill(9).alias("id"),
        pl.format("A-{}", account).alias("account"),
        pl.format("Company {} Ltd", account).alias("name"),
        pl.format("https://www.company{}.example/", account).alias("website"),
        pl.lit("Bregenz").alias("city"),
        pl.lit('said, "no"').alias("note"),
    )
    if file.suffix == ".parquet":
        table.sink_parquet(file)
    elif file.suffix == ".jsonl":
        table.sink_ndjson(file)
    else:
        table.sink_csv(file)


def make_spec(
    folder: Path, table: str = "table.csv", out: str = "out.csv", fields: Mapping[str, Any] = FIELDS
) -> Path:
    """Write the spec of all benchmarks: three inputs, and five fields unless others are given."""
    inputs = {
        "company_name": {"column": "name"},
        "website": {"column": "website", "transform": "domain"},
        "account": {"column": "account", "description": "Account number"},
    }
    spec = {
        "name": "bench",
        "input": {"path": table},
        "output": {"path": out},
        "task": {"processor": "core", "inputs": inputs, "outputs": fields},
        "limits": {"max_cost_usd": 1_000_000},
    }
    file = folder / "spec.yaml"
    file.write_text(json.dumps(spec, indent=1))
    return file


def bodies(folder: Path, spec: Path, url: str) -> Path:
    """Write the bodies that rowcite posts, for the bare clients."""
    from rowcite.api.bodies import runs_body
    from rowcite.api.facts import RUNS_PER_REQUEST
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.overrides import Overrides
    from rowcite.pipeline.plan import look
    from rowcite.pipeline.prepare import prepare
    from rowcite.pipeline.rounds import unanswered

    job = prepare(spec, Overrides(base_url=url)).job
    ledger = open_ledger(folder / "nothing", writing=False)
    tasks = list(unanswered(job, ledger.task_states, survey=look(job, ledger)))
    file = folder / "bodies.jsonl"
    parts = [tasks[start : start + RUNS_PER_REQUEST] for start in range(0, len(tasks), RUNS_PER_REQUEST)]
    file.write_bytes(b"\n".join(runs_body(job.question, part) for part in parts))
    return file


def report(file: str, made_by: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """Print and write a table: what, goal, measured."""
    lines = [
        f"Measured by `{made_by}` on {MACHINE}. Seconds vary by ±30%; compare ratios.",
        "",
        "| what | goal | measured |",
        "| --- | --- | --- |",
        *(f"| {what} | {goal} | {value} |" for what, goal, value in rows),
    ]
    (HERE / file).write_text("\n".join(lines) + "\n")
    print("\n".join(lines))

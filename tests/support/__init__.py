"""Helpers of many tests: the command and the server as processes, small tables and specs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from rowcite.cli import main
from rowcite.local.research.corpus import Corpus, open_corpus
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.bench import Bench
from rowcite.local.server.serving import embedded

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "sample_data" / "web"
SECRETS = ("PARALLEL_API_KEY", "PARALLEL_BASE_URL", "PARALLEL_API_URL", "ROWCITE_LEDGER")

QUICK = bool(os.environ.get("ROWCITE_QUICK"))

BASE_SPEC = """\
name: accounts
task:
  processor: core
  inputs: {company: {column: name}}
  outputs:
    industry: {type: string}
"""
"""A spec of six lines: what a test adds begins on line 7."""


def numbered(count: int) -> list[Any]:
    """Return the numbers of seeded cases for `parametrize`; those after the first are slow."""
    return [pytest.param(number, marks=[pytest.mark.slow] * (number > 0)) for number in range(count)]


def examples(number: int) -> int:
    """Return the number of examples of a property: `number`, a quarter in `make test`, or what ROWCITE_EXAMPLES says."""
    return int(os.environ.get("ROWCITE_EXAMPLES") or (max(number // 4, 5) if QUICK else number))


def with_slow(cases: Iterable[Any], *slow: Any) -> list[Any]:
    """Return cases for `parametrize`, and mark as slow those that find only what another case finds too."""
    return [pytest.param(case, marks=[pytest.mark.slow] * (case in slow)) for case in cases]


def diagonal(rows: Iterable[Any], columns: Iterable[Any]) -> list[Any]:
    """Return all pairs for `parametrize`; those that are not needed to have each row and each column once are slow."""
    rows, columns = list(rows), list(columns)
    longer = range(max(len(rows), len(columns)))
    needed = {(number % len(rows), number % len(columns)) for number in longer}
    return [
        pytest.param(row, column, marks=[pytest.mark.slow] * ((i, j) not in needed))
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
    ]


def environment(**extra: str) -> dict[str, str]:
    """Return this environment without the variables that configure rowcite."""
    return {**{name: value for name, value in os.environ.items() if name not in SECRETS}, **extra}


def rowcite(
    *args: str | Path, cwd: Path, stdin: bytes = b"", **env: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end in this process, with its own folder, environment and streams."""
    command = list(map(str, args))
    given, out, err = (
        TextIOWrapper(BytesIO(data), "utf-8", write_through=True) for data in (stdin, b"", b"")
    )
    before, sys.stdin = (dict(os.environ), sys.stdin), given
    _set_environment(environment(**env))
    try:
        with chdir(cwd), redirect_stdout(out), redirect_stderr(err):
            code = main(command)
        return subprocess.CompletedProcess(command, code, out.buffer.getvalue(), err.buffer.getvalue())
    finally:
        sys.stdin = before[1]
        _set_environment(before[0])


def _set_environment(variables: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def rowcite_process(*args: str | Path, cwd: Path, timeout: float = 300) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end as a process, where its start or its end is part of the behaviour."""
    return subprocess.run(
        [sys.executable, "-m", "rowcite", *map(str, args)],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )


def started(
    *args: str | Path, cwd: Path, stdin: int = subprocess.DEVNULL, **env: str
) -> subprocess.Popen[bytes]:
    """Start the command and leave it running."""
    return subprocess.Popen(
        [sys.executable, "-m", "rowcite", *map(str, args)],
        cwd=cwd,
        env=environment(**env),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@dataclass
class Server:
    """A running server and its journal of requests."""

    url: str
    journal_file: Path

    def journal(self) -> list[dict[str, Any]]:
        """Return the journal's complete lines; the server may be in the middle of the last one."""
        if not self.journal_file.exists():
            return []
        *lines, _ = self.journal_file.read_text().split("\n")
        return [json.loads(line) for line in lines]

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests in the journal."""
        return [line for line in self.journal() if "path" in line]

    def created(self) -> list[dict[str, Any]]:
        """Return the created runs in the journal."""
        return [line for line in self.journal() if "input_sha256" in line]


@dataclass
class ServerProcess(Server):
    """A server as a process."""

    process: subprocess.Popen[bytes]


@cache
def sample_pages() -> Corpus:
    """Return the sample pages, read once."""
    return open_corpus(WEB)


@contextmanager
def served(
    folder: Path, corpus: Path | None = WEB, *, bench: bool = False, **settings: Any
) -> Iterator[Server]:
    """Run the server in this process on a free loopback port, with a journal in `folder`."""
    journal = folder / "journal.jsonl"
    pages = sample_pages() if corpus == WEB else open_corpus(corpus)
    with embedded(
        create_app(Bench() if bench else pages, ServerSettings(journal=journal, **settings))
    ) as url:
        yield Server(url, journal)


@contextmanager
def serving(folder: Path, *flags: str, corpus: Path | None = WEB, **env: str) -> Iterator[ServerProcess]:
    """Run `rowcite serve` as a process on a free loopback port, with a journal in `folder`."""
    port_file, journal = folder / "port", folder / "journal.jsonl"
    process = started(
        "serve",
        *(("--corpus", corpus) if corpus is not None else ()),
        "--port",
        "0",
        "--port-file",
        port_file,
        "--journal",
        journal,
        *flags,
        cwd=folder,
        **env,
    )
    try:
        until(lambda: port_file.exists() or process.poll() is not None, 120)
        if process.poll() is not None:
            raise RuntimeError(process.communicate()[1].decode())
        yield ServerProcess(f"http://127.0.0.1:{port_file.read_text().strip()}", journal, process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def refusing() -> Iterator[int]:
    """Return a port that refuses connections: it is bound, so that no other process gets it, and does not listen."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def until(true: Any, seconds: float) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"not true within {seconds} s")
        time.sleep(0.02)


def quick(call: Callable[[], object], seconds: float) -> bool:
    """Return True if a call takes less than `seconds`, once in ten: a busy machine delays some calls, a fault each."""

    def taken() -> float:
        began = time.monotonic()
        call()
        return time.monotonic() - began

    return any(taken() < seconds for _ in range(10))


def small_spec(**changes: Any) -> dict[str, Any]:
    """Return a spec as a dict: table.csv to out.csv, answered by the shipped server from the sample pages."""
    spec: dict[str, Any] = {
        "name": "small",
        "input": {"path": "table.csv"},
        "output": {"path": "out.csv"},
        "task": {
            "processor": "core",
            "inputs": {
                "company_name": {"column": "name", "required": True},
                "website": {"column": "website", "transform": "domain"},
            },
            "outputs": {
                "employee_count": {"type": "integer", "description": "Number of employees"},
                "founded_year": {"type": "integer", "description": "Year founded"},
            },
        },
        "backend": "local",
        "local": {"corpus": str(WEB)},
    }
    return {**spec, **changes}


def write_spec(folder: Path, spec: dict[str, Any], name: str = "spec.yaml") -> Path:
    """Write a spec file (JSON is YAML)."""
    file = folder / name
    file.write_text(json.dumps(spec, indent=2, ensure_ascii=False))
    return file

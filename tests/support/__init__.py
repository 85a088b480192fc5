"""Helpers of many tests: the command and the server as processes, small tables and specs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "sample_data" / "web"
SECRETS = ("PARALLEL_API_KEY", "PARALLEL_BASE_URL", "PARALLEL_API_URL", "ROWCITE_LEDGER")

BASE_SPEC = """\
name: accounts
task:
  processor: core
  inputs: {company: {column: name}}
  outputs:
    industry: {type: string}
"""
"""A spec of six lines: what a test adds begins on line 7."""


def environment(**extra: str) -> dict[str, str]:
    """Return this environment without the variables that configure rowcite."""
    return {**{name: value for name, value in os.environ.items() if name not in SECRETS}, **extra}


def rowcite(
    *args: str | Path, cwd: Path, stdin: bytes | None = None, timeout: float = 60, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end, as a process."""
    return subprocess.run(
        [sys.executable, "-m", "rowcite", *map(str, args)],
        cwd=cwd,
        env=environment(**env),
        input=stdin if stdin is not None else b"",
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
    process: subprocess.Popen[bytes]
    journal_file: Path
    env: dict[str, str] = field(default_factory=dict)

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


@contextmanager
def serving(folder: Path, *flags: str, corpus: Path | None = WEB, **env: str) -> Iterator[Server]:
    """Run `rowcite serve` in a process on a free loopback port, with a journal in `folder`."""
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
        until(lambda: port_file.exists() or process.poll() is not None, 30)
        if process.poll() is not None:
            raise RuntimeError(process.communicate()[1].decode())
        yield Server(f"http://127.0.0.1:{port_file.read_text().strip()}", process, journal)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def until(true: Any, seconds: float) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"not true within {seconds} s")
        time.sleep(0.02)


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

"""The capacity of the server with `--bench`: runs created and outputs streamed per second, CPU per run.

    python benchmarks/ceiling.py [--runs 20000] [--flags "--quirks all"]

The client posts prepared bodies of 1,000 runs, reads the events of each group to the end and then its runs with
outputs, one request after another, without decoding them. CPU is that of the server process.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BATCH = 1_000
FIELDS = {
    "industry": {"type": "string", "description": "Main industry or line of business"},
    "employee_count": {"type": "integer", "description": "Latest number of employees"},
    "founded_year": {"type": "integer", "description": "Year the company was founded"},
    "headquarters": {"type": "string", "description": "City and country of the headquarters"},
    "key_products": {"type": "array", "items": {"type": "string"}, "description": "Up to five main products"},
}


@contextmanager
def server(flags: list[str]) -> Iterator[tuple[int, int]]:
    """Run the server; yield its port and its process's id."""
    with tempfile.TemporaryDirectory(prefix="rowcite-ceiling-") as name:
        port = Path(name) / "port"
        command = [sys.executable, "-m", "rowcite", "serve", "--port", "0", "--port-file", str(port), *flags]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while not port.exists():
            if process.poll() is not None:
                raise SystemExit(f"{shlex.join(command)} ended with {process.returncode}")
            time.sleep(0.02)
        try:
            yield int(port.read_text()), process.pid
        finally:
            process.terminate()
            process.wait()


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process has used (Linux)."""
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def bodies(runs: int) -> list[bytes]:
    """Return POST bodies like those of rowcite."""
    json_schema = {
        "type": "object",
        "properties": FIELDS,
        "required": list(FIELDS),
        "additionalProperties": False,
    }
    spec = {"output_schema": {"type": "json", "json_schema": json_schema}}
    made = []
    for start in range(0, runs, BATCH):
        inputs = [
            {
                "processor": "core",
                "input": {
                    "company_name": f"Company {n}",
                    "website": f"company{n}.example",
                    "account": f"A-{n:07}",
                },
                "metadata": {"rowcite_key": f"{n:032x}"},
            }
            for n in range(start, min(start + BATCH, runs))
        ]
        made.append(json.dumps({"default_task_spec": spec, "inputs": inputs}).encode())
    return made


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def post(self, path: str, body: bytes) -> bytes:
        """Send a POST and return the response body."""
        self.connection.request("POST", path, body, {"content-type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status in (200, 202), text
        return text

    def drain(self, path: str) -> int:
        """Read a response to its end and return its length."""
        self.connection.request("GET", path, headers={"parallel-beta": "events-sse-2025-07-24"})
        answer = self.connection.getresponse()
        assert answer.status == 200
        buffer, total = bytearray(1 << 20), 0
        while size := answer.readinto(buffer):
            total += size
        return total


def measure(runs: int, flags: list[str]) -> dict[str, float]:
    """Return seconds of wall and server CPU for creating, for events and for outputs, and the outputs' bytes."""
    posts = bodies(runs)
    found: dict[str, float] = {}
    with server(flags) as (port, pid):
        client = Client(port)

        def timed(name: str, steps: list) -> list:
            began, cpu = time.monotonic(), cpu_of(pid)
            done = [step() for step in steps]
            found[f"{name} wall"], found[f"{name} CPU"] = time.monotonic() - began, cpu_of(pid) - cpu
            return done

        groups = [json.loads(client.post("/v1/tasks/groups", b"{}"))["taskgroup_id"] for _ in posts]
        paths = [f"/v1/tasks/groups/{group}" for group in groups]
        pairs = list(zip(paths, posts, strict=True))
        timed("create", [lambda p=p, b=b: client.post(f"{p}/runs?refresh_status=false", b) for p, b in pairs])
        timed("events", [lambda p=p: client.drain(f"{p}/events") for p in paths])
        sizes = timed("outputs", [lambda p=p: client.drain(f"{p}/runs?include_output=true") for p in paths])
        found["bytes"] = sum(sizes)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--flags", default="", help="more flags for the server, in one text")
    chosen = parser.parse_args()
    found = measure(chosen.runs, ["--bench", *shlex.split(chosen.flags)])
    print(f"{chosen.runs:,} runs, {found['bytes'] / chosen.runs:,.0f} bytes an output event")
    for name in ("create", "events", "outputs"):
        wall, cpu = found[f"{name} wall"], found[f"{name} CPU"]
        print(f"{name:8} {chosen.runs / wall:10,.0f} runs/s wall {cpu / chosen.runs * 1e6:8.1f} us CPU a run")
    total = sum(value for name, value in found.items() if re.search("CPU$", name))
    print(f"server CPU in all: {total:.2f} s")


if __name__ == "__main__":
    main()

"""A table with many answers is merged on several cores: to the same bytes, also when a process is killed."""

import os
import sys
from pathlib import Path

import pytest

from support import rowcite, served, small_spec, started, until, write_spec

ROWS = 52_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux" or (os.cpu_count() or 1) < 2, reason="needs cores and /proc"),
]


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """Return the folder of a table whose rows are all answered, and the bytes that one core merges it to."""
    folder = tmp_path_factory.mktemp("cores")
    rows = (f"firm {number},firm{number}.example\n" for number in range(ROWS))
    (folder / "table.csv").write_text("name,website\n" + "".join(rows))
    write_spec(folder, small_spec(backend="parallel"))
    with served(folder, bench=True) as server:
        end = rowcite(
            "run",
            "spec.yaml",
            "--yes",
            "--max-cost",
            "9000",
            "--memory",
            "500MB",
            "--base-url",
            server.url,
            cwd=folder,
        )
        assert end.returncode == 0, end.stderr.decode()
        yield folder, (folder / "out.csv").read_bytes(), server.url


def write(folder, url):
    (folder / "out.csv").unlink()
    return started("write", "spec.yaml", "--base-url", url, cwd=folder)


def ended(command):
    command.communicate(timeout=300)
    return command.returncode


def others(command):
    """Return the processes that merge beside the command's."""
    tasks = Path(f"/proc/{command.pid}/task")
    children = (pid for task in tasks.glob("*/children") for pid in task.read_text().split())
    lines = ((int(pid), Path(f"/proc/{pid}/cmdline").read_bytes()) for pid in children)
    return [pid for pid, line in lines if b"rowcite.table.processes" in line]


def test_several_processes_merge_to_the_same_bytes(answered):
    folder, expected, url = answered
    command = write(folder, url)
    until(lambda: others(command), 120)
    assert ended(command) == 0
    assert (folder / "out.csv").read_bytes() == expected


def test_a_killed_process_costs_no_row(answered):
    folder, expected, url = answered
    command = write(folder, url)
    until(lambda: others(command), 120)
    for pid in others(command):
        os.kill(pid, 9)
    assert ended(command) == 0
    assert (folder / "out.csv").read_bytes() == expected

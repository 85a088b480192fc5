"""Daft itself: a folder of parts read and written by processes of this machine, and by a Ray cluster of two nodes that loses one."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from support import ROOT, environment, served, small_spec, until, write_spec

PARTS, ROWS, DISTINCT = 8, 5_000, 400
LONG = 600
"""Seconds for what takes some on an idle machine: a cluster, a pass over a part. No test here is about time."""
STARTS = 3

# The group runs one after another in one worker: beside the tests of test_lowest, a cluster takes minutes to start.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("busy")]


@pytest.fixture(scope="module")
def programs():
    """Return the folder of the programs of an environment with Daft and Ray, which take an older pyarrow than the tests."""
    with TemporaryDirectory() as folder:
        for arguments in (
            ("venv", "--python", sys.executable, folder),
            ("pip", "install", "-q", "--python", folder, f"{ROOT}[local,ray]"),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "uv", *arguments], check=False, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
        yield Path(folder, "bin")


class Lake:
    """A folder with a table of several parts, its spec, and a server of bench answers."""

    def __init__(self, folder: Path, server: Any, programs: Path) -> None:
        self.folder, self.server, self.programs = folder, server, programs
        self.spec = small_spec(
            input={"path": "in"}, output={"path": "out/"}, engine="daft", backend="parallel"
        )
        self.spec["task"]["outputs"] = {
            "industry": "Main industry",
            "products": {"type": "array", "items": "string"},
        }
        self.spec["limits"] = {"max_cost_usd": 1_000}

    def make_table(self, parts: int = PARTS, rows: int = ROWS) -> None:
        (self.folder / "in").mkdir()
        for part in range(parts):
            numbers = [(part * rows + row) * 7_919 % DISTINCT for row in range(rows)]
            names, sites = (
                [f"Company {number}" for number in numbers],
                [f"c{number}.example" for number in numbers],
            )
            kinds = pa.array([f"kind {number % 3}" for number in numbers]).dictionary_encode()
            columns = {
                "name": names,
                "website": sites,
                "kind": kinds,
                "row": pa.array(range(rows), pa.int32()),
            }
            pq.write_table(
                pa.table(columns, metadata={"owner": "revops"}),
                self.folder / "in" / f"part-{part:02}.parquet",
            )

    def start(self, command: str, *flags: str) -> subprocess.Popen[str]:
        spec = write_spec(self.folder, self.spec)
        return subprocess.Popen(
            [self.programs / "rowcite", command, spec, "--base-url", self.server.url, "-q", *flags],
            cwd=self.folder,
            env=environment(PYTHONPATH=str(ROOT / "src"), PARALLEL_API_KEY="key-of-the-account"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rowcite(self, command: str, *flags: str, code: int = 0) -> None:
        finish(self.start(command, *flags), code)

    def check_equal(self) -> None:
        """Check that the parts are those of one process, and that each distinct row was paid for once."""
        self.rowcite("write", "--engine", "polars", "-o", "whole.parquet")
        whole = pq.read_table(self.folder / "whole.parquet")
        parts = [pq.read_table(file) for file in sorted((self.folder / "out").glob("*.parquet"))]
        assert [part.num_rows for part in parts] == [
            pq.read_metadata(file).num_rows for file in sorted((self.folder / "in").iterdir())
        ]
        assert all(part.schema.equals(whole.schema, check_metadata=True) for part in parts)
        assert pl.concat([pl.DataFrame(part) for part in parts]).equals(pl.DataFrame(whole))
        assert set(whole["rowcite_status"].to_pylist()) == {"completed"}
        assert len(self.server.created()) == DISTINCT
        assert (self.folder / "out" / "_SUCCESS").exists()

    def surveyed(self) -> list[Path]:
        return list((self.folder / ".rowcite" / "small" / "parts").glob("*.json"))

    def merged(self) -> list[Path]:
        return list((self.folder / "out" / ".rowcite-parts").glob("*/record.json"))


def finish(process: subprocess.Popen[str], code: int = 0) -> None:
    try:
        _, errors = process.communicate(timeout=2 * LONG)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == code, errors


@pytest.fixture
def lake(tmp_path, programs):
    with served(tmp_path, bench=True) as server:
        yield Lake(tmp_path, server, programs)


def descendants(process: int) -> Iterator[int]:
    """Yield the processes that a process started, and those that they started."""
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from descendants(child)


def kill_tree(process: int) -> None:
    for found in [process, *descendants(process)]:
        with suppress(ProcessLookupError):
            os.kill(found, signal.SIGKILL)


def is_worker(process: int) -> bool:
    with suppress(OSError):
        return b"daft.execution.udf_worker" in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


def test_processes_write_what_one_process_writes_without_the_key_and_the_ledger(lake):
    lake.make_table()
    command, seen = lake.start("run"), set[int]()
    while command.poll() is None:
        for worker in filter(is_worker, descendants(command.pid)):
            with suppress(OSError):
                variables = Path(f"/proc/{worker}/environ").read_bytes()
                files = [str(file.readlink()) for file in Path(f"/proc/{worker}/fd").iterdir()]
                assert b"key-of-the-account" not in variables
                assert not [file for file in files if "ledger.db" in file]
                seen.add(worker)
    finish(command)
    assert len(seen) >= 2  # one for each pass at least
    lake.check_equal()


def test_a_killed_process_leaves_its_part_to_another_one(lake):
    lake.make_table(rows=20_000)
    for command, done in (("submit", lake.surveyed), (f"collect --wait {LONG}s", lake.merged)):
        process = lake.start(*command.split())
        until(lambda done=done: done(), LONG)
        os.kill(next(filter(is_worker, descendants(process.pid))), signal.SIGKILL)
        finish(process)
    lake.check_equal()


def test_a_killed_command_that_is_started_again_skips_finished_parts(lake):
    lake.make_table(rows=20_000)
    lake.rowcite("submit")
    lake.rowcite("collect", "--wait", f"{LONG}s", "-o", "other/")
    command = lake.start("write")
    until(lambda: len(lake.merged()) >= 2, LONG)
    kill_tree(command.pid)
    command.communicate()
    before = {file: file.stat().st_mtime_ns for file in lake.merged()}
    assert not (lake.folder / "out" / "_SUCCESS").exists()
    assert not list((lake.folder / "out").glob("*.parquet"))
    times = [file.stat().st_mtime_ns for record in before for file in record.parent.glob("*.parquet")]
    lake.rowcite("write")
    kept = {file.stat().st_mtime_ns for file in (lake.folder / "out").glob("*.parquet")}
    assert kept >= set(times)
    lake.check_equal()


@contextmanager
def node(programs: Path, *flags: str, log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a node of a Ray cluster, which may write to a log."""
    limits = ("--num-cpus=1", "--object-store-memory=80000000", "--disable-usage-stats", "--block")
    with (log or Path(os.devnull)).open("wb") as output:
        process = subprocess.Popen(
            [programs / "ray", "start", *flags, *limits],
            env=environment(PYTHONPATH=str(ROOT / "src")),
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        kill_tree(process.pid)
        process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def cluster(programs):
    """Yield the ports of a Ray cluster with one node: for further nodes, and for commands.

    One cluster at a time: all give their workers ports of the same range.
    """
    lock = FileLock(Path(gettempdir()) / "rowcite-test-cluster.lock")
    with lock, ExitStack() as stack:
        for _ in range(STARTS):
            folder = stack.enter_context(TemporaryDirectory(prefix="r", ignore_cleanup_errors=True))
            if ports := started_head(programs, Path(folder), stack):
                yield ports
                return
        pytest.fail(f"Ray ended {STARTS} times while it started:\n{Path(folder, 'log').read_text()[-5_000:]}")


def started_head(programs: Path, folder: Path, stack: ExitStack) -> tuple[int, int] | None:
    """Start the first node of a cluster and return its ports; None if it ends at once, as where a port is taken."""
    port, client = free_port(), free_port()
    head = (
        "--head",
        f"--port={port}",
        f"--ray-client-server-port={client}",
        "--include-dashboard=false",
        f"--temp-dir={folder}",
    )
    process = stack.enter_context(node(programs, *head, log=folder / "log"))
    try:
        until(
            lambda: process.poll() is not None or (is_open(client) and nodes(programs, port) == 1),
            LONG,
        )
    except TimeoutError:
        pytest.fail(f"no Ray cluster within {LONG} s:\n{(folder / 'log').read_text()[-5_000:]}")
    return None if process.poll() is not None else (port, client)


def is_open(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def nodes(programs: Path, port: int) -> int:
    """Return the number of a cluster's nodes that are alive."""
    code = (
        f"import ray; ray.init('127.0.0.1:{port}', log_to_driver=False, logging_level='ERROR');"
        "print('alive', sum(node['Alive'] for node in ray.nodes()))"
    )
    done = subprocess.run([programs / "python", "-c", code], check=False, capture_output=True, text=True)
    found = re.search(r"^alive (\d+)", done.stdout, re.MULTILINE)
    return int(found[1]) if found else 0


def test_a_cluster_that_loses_a_node_in_each_pass_writes_the_same_table_and_pays_once(
    lake, cluster, programs
):
    lake.make_table(parts=12, rows=40_000)
    port, client = cluster
    lake.spec["engine"] = {"name": "daft", "address": f"ray://127.0.0.1:{client}"}
    passes: list[tuple[str, Callable[[], list[Path]]]] = [
        ("submit", lake.surveyed),
        (f"collect --wait {LONG}s", lake.merged),
    ]
    for command, done in passes:
        with node(programs, f"--address=127.0.0.1:{port}") as second:
            until(lambda: nodes(programs, port) == 2, LONG)
            process = lake.start(*command.split())
            until(lambda done=done: done(), LONG)
            assert len(done()) < 12
            kill_tree(second.pid)
            finish(process)
    lake.check_equal()


def test_a_node_with_another_version_is_refused_before_anything_is_spent(lake, cluster, programs):
    lake.make_table(parts=2)
    lake.spec["engine"] = {"name": "daft", "address": f"ray://127.0.0.1:{cluster[1]}"}
    version = (ROOT / "src" / "rowcite" / "version.py").read_text()
    (lake.folder / "src" / "rowcite").mkdir(parents=True)
    package = lake.folder / "src" / "rowcite"
    for item in (ROOT / "src" / "rowcite").iterdir():
        if item.name != "version.py":
            (package / item.name).symlink_to(item)
    (package / "version.py").write_text(version.replace('__version__ = "', '__version__ = "9'))
    spec = write_spec(lake.folder, lake.spec)
    done = subprocess.run(
        [programs / "rowcite", "run", spec, "--base-url", lake.server.url, "-q"],
        check=False,
        env=environment(PYTHONPATH=str(lake.folder / "src")),
        cwd=lake.folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert "has rowcite" in done.stderr
    assert not lake.server.created()

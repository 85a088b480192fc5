"""Time, memory and requests of whole runs, compared with other clients: `make bench`, some minutes.

    python benchmarks/bench.py

The server is `rowcite serve --bench` in another process. It answers at once with generated values: five fields, three
citations each; or six fields, one of each type, with 30% hostile texts. Every client gets the same answers, with the basis of each list
element. Peers: `parallel-cli`; a bare client that posts the same bytes and stores nothing; one that also stores each answer in a SQLite
file. rowcite and `parallel-cli` are installed into a virtual environment each. Writes benchmarks/results.md.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from bed import (
    EVERY_TYPE,
    FIELDS,
    HERE,
    PYTHON,
    Measured,
    Server,
    bodies,
    client,
    cpu_of,
    make_spec,
    make_table,
    measure,
    report,
    rowcite,
    server,
)
from peer import PEER, enrich, installed, peer_environment

REPEAT = 5
HOSTILE = ("--hostile", "0.3")
Row = tuple[str, str, str]


def median(runs: list[Measured]) -> Measured:
    """Return the run with the median wall time."""
    return sorted(runs, key=lambda run: run.wall)[len(runs) // 2]


@dataclass(frozen=True)
class Table:
    """A table to enrich, and the answers: every client in `peers` enriches it in turn, `repeat` times."""

    rows: int
    fields: Mapping[str, Any] = field(default_factory=lambda: FIELDS)
    flags: tuple[str, ...] = ()  # of the server
    repeat: int = REPEAT
    bare: bool = True  # also with the bare clients

    @property
    def name(self) -> str:
        """Return what the table is called in the results."""
        hostile = ", six types, hostile answers" if self.flags else ""
        return f"{self.rows:,} distinct rows{hostile}"


class Clients:
    """The measurements of every client on one table."""

    def __init__(self, table: Table, folder: Path, peer: Path | None) -> None:
        self.table, self.folder, self.peer = table, folder, peer
        self.runs: dict[str, list[Measured]] = {}
        self.served: list[float] = []
        self.again: Measured | None = None  # once more with the answers of the last time
        make_table(folder / "table.csv", table.rows, table.rows)
        self.spec = make_spec(folder, fields=table.fields)

    def run_all(self) -> None:
        """Enrich the table with each client, each time with a new server."""
        for turn in range(self.table.repeat):
            with self._server() as at:
                own = self._ledger(turn)
                without_output(self.folder)
                ours = rowcite("run", self.spec, "--json", "-q", "--base-url", at.url, "--ledger", own)
                self.served.append(cpu_of(at.pid))
                posts = bodies(self.folder, self.spec, at.url) if self.table.bare else None
            self.summary = json.loads(ours.out)
            assert self.summary["rows"]["completed"] == self.table.rows, self.summary
            self.size = answer_bytes(own)
            self.share = share_in_columns(self.spec, own)
            self._add("ours", ours)
            if posts is not None:
                with self._server() as at:
                    self._add("bare", measure(PYTHON, HERE / "bare.py", at.url, posts))
                with self._server() as at:
                    store = self.folder / f"d{turn}.db"
                    self._add("durable", measure(PYTHON, HERE / "durable.py", at.url, posts, store))
            if self.peer is not None:
                with self._server() as at:
                    environment = peer_environment(at.url, self.folder)
                    command = enrich(self.peer, self.table.fields)
                    self._add("peer", measure(*command, cwd=self.folder, env=environment))
        if self.table.bare and not self.table.flags:
            self.again = rowcite(
                "run", self.spec, "--json", "-q", "--base-url", base_url_of(own), "--ledger", own
            )

    def median(self, client: str) -> Measured:
        """Return the median run of a client."""
        return median(self.runs[client])

    def _server(self) -> AbstractContextManager[Server]:
        return server(self.folder, *self.table.flags)

    def _ledger(self, turn: int) -> Path:
        return self.folder / f"ledger-{turn}"

    def _add(self, client: str, run: Measured) -> None:
        self.runs.setdefault(client, []).append(run)


def measured(table: Table) -> Clients:
    """Enrich one table with every client."""
    with tempfile.TemporaryDirectory(prefix="rowcite-bench-") as name:
        clients = Clients(table, Path(name), installed())
        clients.run_all()
    return clients


def against_peers(clients: Clients, goals: Mapping[str, str]) -> list[Row]:
    """Compare the clients."""
    table, mine = clients.table, clients.median("ours")
    shown: list[Row] = [
        (
            f"{table.name}, {clients.size / 1000:.1f} KB each: wall, client CPU, peak memory",
            "",
            _figures(mine),
        ),
        ("the server's own CPU meanwhile", "", f"{statistics.median(clients.served):.1f} s"),
    ]
    for name, what in (
        ("bare", "bare client, stores nothing"),
        ("durable", "client that stores each answer in a synced SQLite file"),
    ):
        if name in clients.runs:
            floor = clients.median(name)
            shown += [
                (what, "", _figures(floor)),
                ("client CPU against it", goals.get(name, ""), f"{mine.cpu / floor.cpu:.1f} x"),
            ]
    requests = clients.summary["requests"] / table.rows * 1000
    shown.append((f"requests per 1,000 of {table.name}", goals.get("requests", ""), f"{requests:.1f}"))
    if table.flags and table.bare:
        shown.append(
            ("share of these answers that are resolved in columns", "at least 90%", f"{clients.share:.0%}")
        )
    if clients.again is not None:
        shown.append(("the same again, all answered", "", _figures(clients.again)))
    if "peer" in clients.runs:
        other = clients.median("peer")
        shown += [
            (f"`{PEER}`", "", _figures(other)),
            ("its wall against ours", goals["peer"], f"{other.wall / mine.wall:.2f} x"),
        ]
    return shown


def row_cost(clients: Clients) -> list[Row]:
    """Return the CPU of a row beyond start-up: that of the table's rows less that of 1,000.

    Beside it stands what the other clients need for a row, and the part of parallel-cli's wall time, which depends least on
    the machine.
    """
    few = measured(replace(clients.table, rows=1_000))
    rows = clients.table.rows - few.table.rows

    def micros(client: str, what: str) -> float:
        most, least = (getattr(one.median(client), what) for one in (clients, few))
        return (most - least) / rows * 1e6

    used, stored, bare = (micros(client, "cpu") for client in ("ours", "durable", "bare"))
    shown: list[Row] = [
        (
            f"client CPU a row beyond start-up, hostile answers of {clients.size / 1000:.1f} KB",
            "at most 80 µs",
            f"{used:.0f} µs",
        ),
        (
            "the same of the client that stores each answer; of the bare client",
            "",
            f"{stored:.0f} µs; {bare:.0f} µs",
        ),
    ]
    if "peer" in clients.runs and "peer" in few.runs:
        # 80 µs was set where parallel-cli took 93 µs a row, 16.7 s for 180,000: a share of 0.86.
        wall, cpu = micros("peer", "wall"), micros("peer", "cpu")
        shown += [
            (f"wall and CPU a row of `{PEER}`, beyond start-up", "", f"{wall:.0f} µs, {cpu:.0f} µs"),
            ("client CPU a row against its wall a row", "at most 0.86 x", f"{used / wall:.2f} x"),
        ]
    return shown


def without_output(folder: Path) -> None:
    """Delete the table of an earlier run, whose runs another ledger would not know, and look for."""
    (folder / "out.csv").unlink(missing_ok=True)


def base_url_of(folder: Path) -> str:
    """Return the base URL in a ledger; no request is sent there."""
    from rowcite.ledger import open_ledger

    ledger = open_ledger(folder, writing=False)
    body = next(ledger.records()).question
    ledger.close()
    return str(json.loads(body)["api"])


def answer_bytes(ledger: Path) -> int:
    """Return the mean size of the first 1,000 answers in a ledger, as they were received."""
    from rowcite.ledger import open_ledger

    with closing(open_ledger(ledger, writing=False)) as opened:
        return round(statistics.mean(len(run.output or b"") for run in islice(opened.records(), 1_000)))


def share_in_columns(spec_file: Path, folder: Path) -> float:
    """Return the share of a ledger's first 1,000 answers that become no object of their own."""
    from rowcite.accept.policy import acceptance_policy
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.spec_file import load_spec
    from rowcite.rows.columns import StoredRow, resolve_accepted
    from rowcite.spec.fields import fields

    spec = load_spec(str(spec_file))
    policy = acceptance_policy(fields(spec), spec.accept)
    with closing(open_ledger(folder, writing=False)) as ledger:
        keys = [run.key for run in islice(ledger.records(), 1_000)]
        rows = [StoredRow(runs, {}, {}) for runs in ledger.runs_by_task(keys)]
    _, others = resolve_accepted(rows, policy, datetime.now(UTC).date(), texts=False)
    return 1 - len(others) / len(rows)


def _figures(run: Measured) -> str:
    return f"{run.wall:.1f} s, {run.cpu:.1f} s, {run.peak:.0f} MB"


def makespan(rows: int, mean: float) -> list[Row]:
    """Enrich rows with lognormal latencies, and compare the wall time with the server's makespan."""
    with tempfile.TemporaryDirectory(prefix="rowcite-bench-") as name:
        folder = Path(name)
        make_table(folder / "table.csv", rows, rows)
        spec = make_spec(folder)
        journal = folder / "made.jsonl"
        with server(folder, "--latency-mean", str(mean), "--journal", str(journal)) as at:
            ours = rowcite("run", spec, "--json", "-q", "--base-url", at.url)
        served = json.loads(journal.read_text().splitlines()[-1])["makespan"]
    summary = json.loads(ours.out)
    assert summary["rows"]["completed"] == rows, summary
    return [
        (
            f"{rows:,} rows, latency lognormal with mean {mean:g} s: wall, the server's own makespan",
            "",
            f"{ours.wall:.1f} s, {served:.1f} s",
        ),
        ("wall against the makespan", "at most 1.03 x", f"{ours.wall / served:.2f} x"),
    ]


def small() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="rowcite-bench-") as name:
        folder = Path(name)
        make_table(folder / "table.csv", 1_000, 1_000)
        with server(folder) as at:
            ours = rowcite("run", make_spec(folder), "--json", "-q", "--base-url", at.url)
    return [
        ("1,000 distinct rows: requests, wall", "6", f"{json.loads(ours.out)['requests']}, {ours.wall:.1f} s")
    ]


def start_up() -> list[Row]:
    pairs = [
        (
            measure(client().with_name("rowcite"), "--help").wall,
            measure(client(), "-c", "import click").wall,
            measure(client(), "-c", "pass").wall,
        )
        for _ in range(15)
    ]
    ours, peer, bare = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    return [
        (
            "`rowcite --help` against `python -c pass` (and `import click`)",
            "at most 4.8 x",
            f"{ours:.0f} ms, {bare:.0f} ms: {ours / bare:.1f} x ({peer:.0f} ms)",
        )
    ]


if __name__ == "__main__":
    os.environ.pop("PARALLEL_API_KEY", None)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # installed programs are compiled
    hostile = Table(20_000, EVERY_TYPE, HOSTILE)
    of_three_citations = measured(hostile)
    of_one = measured(replace(hostile, flags=(*HOSTILE, "--citations", "1")))
    rows = [
        *start_up(),
        *small(),
        *against_peers(
            measured(Table(20_000)),
            {"bare": "at most 2.5 x", "requests": "at most 4", "peer": "at least 4 x"},
        ),
        *against_peers(of_three_citations, {"durable": "at most 2.3 x", "peer": "at least 1.15 x"}),
        *row_cost(of_one),
        *row_cost(of_three_citations),
        *against_peers(
            measured(replace(hostile, rows=200_000, bare=False, repeat=3)), {"peer": "at least 1.2 x"}
        ),
        *makespan(2_000, 5),
        *makespan(50_000, 5),
    ]
    report("results.md", "make bench", rows)

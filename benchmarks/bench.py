"""Time, memory and requests of whole runs, compared with other clients: `make bench`, some minutes.

    python benchmarks/bench.py

The server is `rowcite serve --bench` in another process. It answers at once with generated values: five fields, three
citations each, 1.8 KB and more. Peers: `parallel-cli` in a virtual environment; a bare client that posts the same bytes
and stores nothing; one that also stores each answer in a SQLite file. Writes benchmarks/results.md.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bed import (
    FIELDS,
    HERE,
    PYTHON,
    Measured,
    bodies,
    cpu_of,
    make_spec,
    make_table,
    measure,
    report,
    rowcite,
    server,
)

PEER = "parallel-web-tools[cli]==0.9.4"
REPEAT = 3
Row = tuple[str, str, str]


def median(runs: list[Measured]) -> Measured:
    """Return the run with the median wall time."""
    return sorted(runs, key=lambda run: run.wall)[len(runs) // 2]


def against_peers(rows: int) -> list[Row]:
    """Enrich `rows` distinct rows with every client in turn, three times."""
    with tempfile.TemporaryDirectory(prefix="rowcite-bench-") as name:
        folder = Path(name)
        make_table(folder / "table.csv", rows, rows)
        spec, peer = make_spec(folder), installed(folder)
        ours: list[Measured] = []
        bare: list[Measured] = []
        durable: list[Measured] = []
        cli: list[Measured] = []
        served: list[float] = []
        for turn in range(REPEAT):
            with server(folder) as at:
                ours.append(
                    rowcite(
                        "run",
                        spec,
                        "--json",
                        "-q",
                        "--base-url",
                        at.url,
                        "--ledger",
                        folder / f"ledger-{turn}",
                    )
                )
                served.append(cpu_of(at.pid))
                posts = bodies(folder, spec, at.url)
            summary = json.loads(ours[-1].out)
            assert summary["rows"]["completed"] == rows, summary
            with server(folder) as at:
                bare.append(measure(PYTHON, HERE / "bare.py", at.url, posts))
            with server(folder) as at:
                durable.append(measure(PYTHON, HERE / "durable.py", at.url, posts, folder / f"d{turn}.db"))
            if peer is not None:
                with server(folder) as at:
                    cli.append(measure(*enrich(peer), cwd=folder, env=peer_environment(at.url, folder)))
        again = rowcite(
            "run", spec, "--json", "-q", "--base-url", base_url_of(folder), "--ledger", folder / "ledger-0"
        )
    mine, floor, safe = median(ours), median(bare), median(durable)
    shown: list[Row] = [
        (f"{rows:,} distinct rows: wall, client CPU, peak memory", "", _figures(mine)),
        ("the server's own CPU meanwhile", "", f"{statistics.median(served):.1f} s"),
        ("bare client, stores nothing", "", _figures(floor)),
        ("client CPU against it", "at most 2.5 x", f"{mine.cpu / floor.cpu:.1f} x"),
        ("client that stores each answer in SQLite", "", _figures(safe)),
        ("client CPU against it", "", f"{mine.cpu / safe.cpu:.1f} x"),
        (
            f"requests per 1,000 of {rows:,} distinct rows",
            "at most 4",
            f"{summary['requests'] / rows * 1000:.1f}",
        ),
        ("the same again, all answered", "", _figures(again)),
    ]
    if cli:
        other = median(cli)
        shown += [
            (f"`{PEER}`", "", _figures(other)),
            ("its wall against ours", "at least 4 x", f"{other.wall / mine.wall:.1f} x"),
        ]
    return shown


def base_url_of(folder: Path) -> str:
    """Return the base URL in the first ledger; no request is sent there."""
    from rowcite.ledger import open_ledger

    ledger = open_ledger(folder / "ledger-0", writing=False)
    body = next(ledger.records()).question
    ledger.close()
    return str(json.loads(body)["api"])


def _figures(run: Measured) -> str:
    return f"{run.wall:.1f} s, {run.cpu:.1f} s, {run.peak:.0f} MB"


def installed(folder: Path) -> Path | None:
    """Install the peer into a virtual environment; return None if that fails."""
    venv = folder / "peer"
    try:
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "python", "-m", "pip", "install", "--quiet", PEER], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{PEER} cannot be installed and is skipped: {error}", file=sys.stderr)
        return None
    return venv / "bin" / "parallel-cli"


def enrich(peer: Path) -> list[str | Path]:
    columns = [{"name": name, "description": name} for name in ("name", "website", "account")]
    fields = [{"name": name, "description": field["description"]} for name, field in FIELDS.items()]
    return [
        *(peer, "enrich", "run", "--source-type", "csv", "--source", "table.csv", "--target", "peer.csv"),
        *(
            "--source-columns",
            json.dumps(columns),
            "--enriched-columns",
            json.dumps(fields),
            "--processor",
            "core",
        ),
    ]


def peer_environment(url: str, folder: Path) -> dict[str, str]:
    return {"HOME": str(folder), "PARALLEL_API_URL": url, "PARALLEL_API_KEY": "k"}


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
        ("wall against the makespan", "at most 1.05 x", f"{ours.wall / served:.2f} x"),
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
            measure(Path(PYTHON).with_name("rowcite"), "--help").wall,
            measure(PYTHON, "-c", "import click").wall,
            measure(PYTHON, "-c", "pass").wall,
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
    report("results.md", "make bench", [*start_up(), *small(), *against_peers(20_000), *makespan(2_000, 5)])

"""Tables of millions of rows with answers in the ledger: `make bench-full`, up to an hour.

    python benchmarks/full.py [--rows 10000000] [--only second] [--only growth]

Each part writes its lines beside those of the other parts, and can be run alone: `rows`, `growth` (memory of each pair of
formats), `second` (a tenth of the rows), `distinct` (plan, merge and status of all rows), `curve`. The figures of fewer
rows are not those of `--rows 10000000`: their lines give the number.

The ledger is filled as a run fills it, with answers of 1.8 KB and more. Then the whole command (plan and merge, nothing
submitted) is compared with a bare scan-to-sink of the output table, and with a bare merge of the same answers. Writes
benchmarks/full.md, benchmarks/full.json and docs/plots/*.svg.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import tempfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bed import FIELDS, HERE, PYTHON, ROOT, Measured, make_spec, make_table, measure, report, rowcite

if TYPE_CHECKING:
    from rowcite.model import Task

URL = "http://127.0.0.1:9"  # no server listens here
BARE = "import polars as pl, sys; pl.scan_parquet(sys.argv[1]).sink_parquet(sys.argv[2])"
BARE_CSV = "import polars as pl, sys; pl.scan_csv(sys.argv[1], infer_schema=False).sink_csv(sys.argv[2])"
FORMATS = (".csv", ".parquet", ".jsonl")
Row = tuple[str, str, str]


def _template() -> bytes:
    """Return a typical output of two kilobytes, five fields with three citations each; `%` marks a number."""
    content = dict(
        zip(FIELDS, ["Industry %", -1, -2, "Town %, Austria", ["Product %", "Service"]], strict=True)
    )
    basis = [
        {
            "field": field,
            "reasoning": "The company's own page and a register say the same.",
            "citations": [
                {
                    "url": f"https://site{at}.example/{field}/%",
                    "title": "About",
                    "excerpts": ["Words that say it."],
                }
                for at in range(3)
            ],
            "confidence": "high",
        }
        for field in FIELDS
    ]
    whole = json.dumps({"type": "json", "content": content, "basis": basis}, separators=(",", ":"))
    return whole.replace("-1", "%").replace("-2", "19%").encode()


_PARTS = _template().split(b"%")


def answer(number: int) -> bytes:
    """Return an output that contains a number."""
    return (b"%d" % (10 + number % 90)).join(_PARTS[:4]) + (b"%d" % number).join([b"", *_PARTS[4:]])


def fill(spec: Path) -> int:
    """Fill the ledger with an answer to each task of a table; return the number of answers.

    The rows equal those of a run but are written in large unsynced transactions, since filling is not measured.
    """
    from rowcite.ledger import open_ledger
    from rowcite.pipeline.overrides import Overrides
    from rowcite.pipeline.plan import look
    from rowcite.pipeline.prepare import prepare
    from rowcite.pipeline.rounds import unanswered

    ready = prepare(spec, Overrides(base_url=URL))
    job, ledger = ready.job, open_ledger(ready.ledger, writing=True)
    question = ledger.record_question(job.question.fingerprint, json.dumps(job.question.named).encode())
    db = ledger._db  # noqa: SLF001 - only this benchmark fills a ledger
    db.execute("PRAGMA synchronous = OFF")
    db.execute(f"PRAGMA cache_size = -{1 << 20}")
    tasks = unanswered(job, ledger.task_states, survey=look(job, ledger))
    done = 0
    while part := list(islice(tasks, 20_000)):
        db.execute("BEGIN")
        for first in range(0, len(part), 1_000):
            _batch(db, question, done + first, part[first : first + 1_000])
        db.execute("COMMIT")
        done += len(part)
    ledger.close()
    return done


def _batch(db: sqlite3.Connection, question: int, before: int, tasks: list[Task]) -> None:
    from rowcite.ledger.stored_answers import stored

    number, ids = before // 1_000 + 1, range(before + 1, before + 1 + len(tasks))
    db.execute(
        "INSERT INTO batch (id, question, group_id, processor, sent_at, run_ids) VALUES (?, ?, ?, 'core', 1, '[]')",
        (number, question, f"tgrp_{number}"),
    )
    db.executemany(
        "INSERT INTO run (id, batch, key, state, run_id, price, ended_at) VALUES (?, ?, ?, 'completed', ?, 25000, 2)",
        [(run, number, task.key, f"trun_{run:032}") for run, task in zip(ids, tasks, strict=True)],
    )
    db.executemany(
        "INSERT INTO input VALUES (?, ?)", [(run, task.input) for run, task in zip(ids, tasks, strict=True)]
    )
    db.executemany(
        "INSERT INTO answer VALUES (?1, ?2, answer_checksum(?1, ?2))",
        [(run, stored(answer(run))) for run in ids],
    )


class Figures(NamedTuple):
    """The figures of the command, of the plan alone, of status after it, and of the bare scan-to-sink."""

    ours: Measured
    planned: Measured
    status: Measured
    bare: Measured


def merged(folder: Path, rows: int, distinct: int, suffix: str = ".parquet") -> Figures:
    """Return the figures of a table whose answers are all in the ledger."""
    make_table(folder / f"table{suffix}", rows, distinct)
    spec = make_spec(folder, f"table{suffix}", f"out{suffix}")
    count = fill(spec)
    assert count == distinct, count
    planned = rowcite("plan", spec, "--json", "-q", "--base-url", URL)
    ours = rowcite("run", spec, "--json", "-q", "--base-url", URL)
    summary = json.loads(ours.out)
    assert summary["rows"]["completed"] == rows, summary
    assert summary["submitted"] == 0, summary
    status = rowcite("status", spec, "--json", "-q", "--base-url", URL)
    assert json.loads(status.out)["rows"] == summary["rows"], status.out
    bare = measure(
        PYTHON,
        "-c",
        BARE_CSV if suffix == ".csv" else BARE,
        folder / f"out{suffix}",
        folder / f"bare{suffix}",
    )
    (folder / f"bare{suffix}").unlink()
    return Figures(ours, planned, status, bare)


def scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="rowcite-full-")


def _figures(run: Measured) -> str:
    return f"{run.wall:.1f} s, {run.cpu:.1f} s, {run.peak:,.0f} MB"


def many_rows(rows: int, distinct: int) -> list[Row]:
    shown: list[Row] = []
    for suffix in (".parquet", ".csv"):
        with scratch() as name:
            ours, planned, _, bare = merged(Path(name), rows, distinct, suffix)
            size = (Path(name) / f"out{suffix}").stat().st_size / 1e9
        what = f"{rows:,} rows, {distinct:,} distinct, {suffix[1:]} ({size:.1f} GB out)"
        shown += [
            (f"{what}: plan and merge: wall, CPU, peak memory", "under 1,500 MB", _figures(ours)),
            ("bare scan-to-sink of the same output", "", _figures(bare)),
            (
                "wall against it; CPU",
                "at most 2 x",
                f"{ours.wall / bare.wall:.1f} x; {ours.cpu / bare.cpu:.1f} x",
            ),
            ("the plan alone", "", _figures(planned)),
        ]
    return shown


def many_distinct(rows: int) -> list[Row]:
    with scratch() as name:
        folder = Path(name)
        ours, planned, status, bare = merged(folder, rows, rows)
        size = sum(file.stat().st_size for file in (folder / ".rowcite" / "bench").iterdir())
        verified = rowcite("ledger", "verify", folder / "spec.yaml", "-q") if rows <= 1_000_000 else None
    return [
        (
            f"{rows:,} rows, all distinct, answers in the ledger: plan and merge",
            "must 400 s, goal 240 s and 2,000 MB",
            _figures(ours),
        ),
        ("the plan alone", "must 60 s, goal 40 s", _figures(planned)),
        ("`rowcite status` after it: counts of the last write", "must 5 s, goal 2 s", _figures(status)),
        ("bare scan-to-sink of the same output", "", _figures(bare)),
        ("the ledger: bytes a run", "", f"{size / rows:,.0f}"),
        *([("`rowcite ledger verify` of it", "", _figures(verified))] if verified else []),
    ]


def second_run(rows: int) -> list[Row]:
    """Compare a second run of answered rows with a bare merge of the same answers."""
    with scratch() as name:
        folder = Path(name)
        ours, _, _, bare = merged(folder, rows, rows, ".csv")
        ledger = folder / ".rowcite" / "bench" / "ledger.db"
        least = measure(PYTHON, HERE / "bare_merge.py", folder / "table.csv", ledger, folder / "least.csv")
    return [
        (f"second run of {rows:,} answered rows, csv", "", _figures(ours)),
        ("bare merge of the same answers", "", _figures(least)),
        (
            "wall against it; CPU",
            "must 1.8 x, goal 1.4 x",
            f"{ours.wall / least.wall:.1f} x; {ours.cpu / least.cpu:.1f} x",
        ),
        ("bare scan-to-sink of the same output", "", _figures(bare)),
    ]


def growth(few: int, many: int, distinct: int) -> list[Row]:
    """Compare the peak memory of a large table with that of a small one, for each pair of input and output formats."""
    found: list[Row] = []
    with scratch() as name:
        folder = Path(name)
        make_table(folder / "table.csv", distinct, distinct)
        spec = make_spec(folder)
        fill(spec)
        for given in FORMATS:
            for rows in (few, many):
                make_table(folder / f"{rows}{given}", rows, distinct)
            for wanted in FORMATS:
                small, large = (_peak(folder, f"{rows}{given}", f"out{wanted}") for rows in (few, many))
                found.append(
                    (
                        f"peak memory, {given[1:]} to {wanted[1:]}, {many:,} rows against {few:,} ({distinct:,} distinct)",
                        "must 1.5 x, goal 1.3 x",
                        f"{large:,.0f} MB, {small:,.0f} MB: {large / small:.2f} x",
                    )
                )
            for rows in (few, many):
                (folder / f"{rows}{given}").unlink()
    return found


def _peak(folder: Path, table: str, out: str) -> float:
    flags = ("--input", folder / table, "--output", folder / out, "-q", "--base-url", URL)
    peak = rowcite("write", folder / "spec.yaml", *flags).peak
    (folder / out).unlink()
    return peak


def curve(most: int) -> list[dict[str, object]]:
    """Measure plan and merge from 100 rows on."""
    points: list[dict[str, object]] = []
    rows = 100
    while rows <= most:
        with scratch() as name:
            ours, _, _, bare = merged(Path(name), rows, min(rows, 20_000))
        points += [
            {"rows": rows, "who": "rowcite", "seconds": ours.wall, "MB": ours.peak},
            {"rows": rows, "who": "bare scan-to-sink", "seconds": bare.wall, "MB": bare.peak},
        ]
        rows *= 10
    return points


def draw(points: list[dict[str, object]]) -> None:
    if not points:
        return
    from vl_convert import vegalite_to_svg

    folder = ROOT / "docs" / "plots"
    folder.mkdir(parents=True, exist_ok=True)
    for name, title in (("seconds", "wall time, s"), ("MB", "peak memory, MB")):
        x = {"title": "rows (20,000 distinct at most)", "scale": {"type": "log"}}
        encoding = {
            "x": {"field": "rows", "type": "quantitative", **x},
            "y": {"field": name, "type": "quantitative", "title": title, "scale": {"type": "log"}},
            "color": {"field": "who", "type": "nominal", "title": None},
        }
        chart = {
            "data": {"values": points},
            "mark": {"type": "line", "point": True},
            "encoding": encoding,
            "width": 480,
            "height": 260,
            "title": f"Plan and merge of answered rows: {title}",
        }
        (folder / f"merge_{name.lower()}.svg").write_text(vegalite_to_svg(chart))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--only", choices=["rows", "growth", "second", "distinct", "curve"], action="append")
    chosen = parser.parse_args()
    most = chosen.rows
    free, needed = shutil.disk_usage(tempfile.gettempdir()).free, most * 2_500
    if free < needed:
        raise SystemExit(
            f"{tempfile.gettempdir()}: {free / 1e9:.0f} GB free, and {needed / 1e9:.0f} GB are needed: set TMPDIR, or give"
            " fewer --rows"
        )
    parts = {
        "rows": lambda: many_rows(most, 20_000),
        "growth": lambda: growth(max(most // 50, 1_000), max(most * 2 // 5, 1_000), min(20_000, most // 50)),
        "second": lambda: second_run(most // 10),
        "distinct": lambda: many_distinct(most),
        "curve": lambda: curve(most),
    }
    kept = HERE / "full.json"
    found = json.loads(kept.read_text()) if kept.exists() else {}
    for name in chosen.only or parts:
        found[name] = parts[name]()
        kept.write_text(json.dumps(found, indent=1) + "\n")
    draw(found.get("curve", []))
    rows = [tuple(row) for name in parts if name != "curve" for row in found.get(name, [])]
    report("full.md", "make bench-full", rows)


if __name__ == "__main__":
    main()

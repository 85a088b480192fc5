"""`status` shows the counts of the last write while nothing that decides them has changed, and says which counts it shows."""

import json
import os
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import polars as pl
import pytest

from rowcite.cli import main
from rowcite.ledger import open_ledger
from rowcite.model import Counts, Decision
from rowcite.pipeline.last_write import FILE, kept
from support.answers import NOWHERE, answer, answered, found, known, ready, spec

LEDGER = Path(".rowcite/known")
SPEC = Path("spec.yaml")
TABLE = Path("table.csv")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder of a spec whose rows are completed, rejected and failed, and a copy of it."""
    path, copy = tmp_path_factory.mktemp("written"), tmp_path_factory.mktemp("copy")
    rows = [{"name": name} for name in ("Alpha", "Beta", "Gamma")]
    outputs = [answer(industry=found("pumps")), answer(industry=found("mills", "low")), "no page found"]
    answered(known(path, rows), outputs)
    shutil.copytree(path, copy, dirs_exist_ok=True)
    return path, copy


@pytest.fixture
def folder(made, monkeypatch):
    """Return the folder as it was made, with its table written and its counts kept."""
    path, copy = made
    monkeypatch.chdir(path)
    for file in (SPEC, TABLE, LEDGER / "ledger.db"):
        if file.read_bytes() != (copy / file).read_bytes():
            shutil.copy(copy / file, file)
    write()
    return path


def write():
    """Write the table when a further change of it would show in its times."""
    time.sleep(max(0.0, TABLE.stat().st_ctime + 2.05 - time.time()))
    assert main(["write", "spec.yaml", "--base-url", NOWHERE, "-q"]) == 0


@pytest.fixture
def counts(folder, capsys):
    """Return what `status --json` shows, and how it was counted."""

    def status():
        capsys.readouterr()
        assert main(["status", "spec.yaml", "--json", "--base-url", NOWHERE]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert main(["status", "spec.yaml", "--base-url", NOWHERE]) == 0
        text = capsys.readouterr().out.splitlines()[0]
        return shown, text[text.index("; ") + 2 : -1]

    return status


def decide(value):
    key = next(iter(keys()))
    with closing(open_ledger(LEDGER, writing=True)) as ledger:
        ledger.record_decisions([Decision(key, "industry", "correct", value, "Ada", time.time())])


def keys():
    with closing(sqlite3.connect(LEDGER / "ledger.db")) as db:
        return [key for (key,) in db.execute("SELECT key FROM run ORDER BY id")]


def test_the_totals_of_the_last_write_are_those_of_counting_anew(counts):
    kept, how = counts()
    assert how == f"counted by the last write, {kept['last_write'][:16].replace('T', ' ')} UTC"
    (LEDGER / FILE).unlink()
    anew, how = counts()
    assert how == "counted now"
    assert (kept.pop("last_write"), anew.pop("last_write")) != (None, None)
    assert kept == anew
    assert [anew["rows"][name] for name in ("completed", "rejected", "failed")] == [1, 1, 1]
    assert anew["spent_on_failed_usd"] > 0


def rewrite_in_place():
    """Give the table as many bytes and the times that it had."""
    before, text = TABLE.stat(), TABLE.read_text()
    TABLE.write_text(text.replace("Gamma", "Delta"))
    os.utime(TABLE, ns=(before.st_atime_ns, before.st_mtime_ns))


def change_a_byte_of_an_answer():
    with closing(sqlite3.connect(LEDGER / "ledger.db", isolation_level=None)) as db:
        db.execute("UPDATE answer SET output = CAST(replace(output, 'pumps', 'lamps') AS BLOB)")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (rewrite_in_place, "the table changed"),
        (lambda: SPEC.write_text(json.dumps(spec(accept={"min_confidence": "high"}))), "the spec changed"),
        (lambda: decide('"pumps and valves"'), "decisions were made"),
        (lambda: answered(SPEC, ["no page"]), "the ledger changed"),
        (
            lambda: shutil.copy(shutil.copy(LEDGER / "ledger.db", "copy.db"), LEDGER / "ledger.db"),
            "the ledger changed",
        ),
        (change_a_byte_of_an_answer, "the ledger changed"),
    ],
    ids=["table", "spec", "decision", "run", "restored", "damage"],
)
def test_after_a_change_rows_are_counted_anew_with_the_reason(counts, change, reason):
    before, _ = counts()
    change()
    after, how = counts()
    assert before["last_write"] is not None
    assert after["last_write"] is None
    assert how == f"counted now: {reason} since the last write"


def test_another_limit_on_cost_or_time_changes_no_count(counts):
    SPEC.write_text(json.dumps(spec(limits={"max_cost_usd": 3, "deadline": "1h"})))
    assert counts()[0]["last_write"] is not None


def test_a_change_during_the_write_is_not_taken_for_counted(folder, counts):
    job = ready(SPEC).job
    with closing(open_ledger(LEDGER, writing=False)) as ledger, kept(job, ledger, LEDGER, Counts()):
        decide('"turbines"')
    assert counts()[1] == "counted now: decisions were made since the last write"


def test_a_table_that_was_just_made_is_counted_anew(counts):
    """Its times may not show a change within the same tick of the file system's clock."""
    TABLE.touch()
    assert main(["write", "spec.yaml", "--base-url", NOWHERE, "-q"]) == 0
    assert counts()[0]["last_write"] is None


def has_clock():
    """Return True if polars' SQL can read the clock, as that of 2.0.0 cannot."""
    with suppress(pl.exceptions.SQLInterfaceError):
        return pl.sql_expr("current_date") is not None
    return False


@pytest.mark.skipif(not has_clock(), reason="polars' SQL cannot read the clock")
def test_where_that_reads_the_clock_is_counted_anew(counts):
    clocked = spec(input={"path": "table.csv", "where": "current_date > '2020-01-01'"})
    SPEC.write_text(json.dumps(clocked))
    write()
    assert counts()[1] == "counted now"

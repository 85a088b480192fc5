"""Bytes of a ledger that a disk changed: a message and no traceback, other rows are served, and `verify` finds the damage.

`ROWCITE_DAMAGE=500` tries more places.
"""

import json
import logging
import os
import random
import shutil
import sqlite3
from contextlib import closing

import polars as pl
import pytest

from rowcite.api.keys import canonical
from rowcite.cli import main
from rowcite.errors import LedgerError
from rowcite.ledger import open_ledger
from rowcite.ledger.maintenance import verify
from rowcite.ledger.stored_answers import stored
from rowcite.model import EndedRun, RunState, Task
from rowcite.pipeline.job import make_job
from rowcite.pipeline.spec_file import load_spec
from rowcite.spec.models import CsvOptions
from rowcite.table.reader import Reader
from rowcite.table.sources import open_source
from support import QUICK, small_spec, write_spec

PLACES = int(os.environ.get("ROWCITE_DAMAGE") or (10 if QUICK else 20))
ROWS, BATCH = 400, 100  # the last batch is in the write-ahead log alone
TASK = {
    "processor": "lite",
    "inputs": {"company": {"column": "name"}},
    "outputs": {"founded_year": {"type": "integer"}},
}


def output_of(number):
    """Return an answer that is stored compressed, in about half of its bytes."""
    reasoning = f"{random.Random(number).randbytes(300).hex()} " * 2
    basis = {"field": "founded_year", "reasoning": reasoning, "citations": []}
    content = {"founded_year": 1000 + number}
    return json.dumps({"type": "json", "content": content, "basis": [basis]}).encode()


def tasks_of(path):
    spec = load_spec(str(path))
    source = open_source(str(path.parent / "table.csv"), None, CsvOptions())
    job = make_job(spec, Reader(source, spec), "https://api.parallel.ai")
    found = [batch.tasks for batch in job.reader.batches(job.question)]
    return job.question, [Task(key, text) for tasks in found for key, text in tasks.items()]


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """Return a folder with a spec, its table, and the ledger that a killed run left with an answer for each row."""
    folder = tmp_path_factory.mktemp("answered")
    (folder / "table.csv").write_text("name\n" + "".join(f"Company {number}\n" for number in range(ROWS)))
    spec = small_spec(task=TASK, backend="parallel", local=None)
    path = write_spec(folder, spec)
    question, tasks = tasks_of(path)
    held = folder / ".rowcite" / "small"
    with closing(open_ledger(held, writing=True)) as ledger:
        number = ledger.record_question(question.fingerprint, canonical(question.named))
        for start in range(0, ROWS, BATCH):
            some = tasks[start : start + BATCH]
            batch = ledger.record_intent(number, f"group-{start}", some, processor="lite", price=5_000)
            ended = [
                EndedRun(task.key, f"run-{at}", RunState.COMPLETED, output_of(at))
                for at, task in enumerate(some, start)
            ]
            ledger.save(batch.id, ended)
            if start + BATCH * 2 == ROWS:
                ledger._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copytree(held, folder / "left")
    shutil.rmtree(held)
    (folder / "left").rename(held)
    return folder, {task.key: output_of(at) for at, task in enumerate(tasks)}


def damage(held, seed):
    """Change one to eight bytes at a random place of the ledger's files."""
    rng = random.Random(seed)
    files = [held / "ledger.db", held / "ledger.db-wal"]
    file = rng.choices(files, [item.stat().st_size for item in files])[0]
    data = bytearray(file.read_bytes())
    at = rng.randrange(len(data))
    for place in range(at, min(len(data), at + rng.randint(1, 8))):
        data[place] ^= rng.randint(1, 255)
    file.write_bytes(data)


def damaged_answers(held):
    """Return the number of answers in the file that are there, are not those that were received, or cannot be read."""
    wrong = 0
    with closing(sqlite3.connect(held / "ledger.db")) as db:
        for run in range(1, ROWS + 1):
            try:
                row = db.execute("SELECT output FROM answer WHERE run = ?", (run,)).fetchone()
            except sqlite3.Error:
                wrong += 1
            else:
                wrong += row is not None and row[0] != stored(output_of(run - 1))
    return wrong


def served(held, expected):
    """Return the number of rows with their own answer; fail if a row has another one."""
    right = 0
    with closing(open_ledger(held, writing=False)) as ledger:
        for run, *_ in ledger.runs_by_task(expected):
            assert run.output in (None, expected[run.key])
            right += run.output is not None
    return right


def test_damage_anywhere_is_a_message_and_is_found(answered, tmp_path, monkeypatch, capsys):
    folder, expected = answered
    damaged = found = whole = 0
    for seed in range(PLACES):
        place = tmp_path / str(seed)
        shutil.copytree(folder, place)
        monkeypatch.chdir(place)
        held = place / ".rowcite" / "small"
        damage(held, seed)
        for command in (["ledger", "verify"], ["status"], ["write"], ["plan"], ["ledger", "export"]):
            more = ["-o", "runs.parquet"] if command[-1] == "export" else []
            assert main([*command, "spec.yaml", "--json", *more]) in (0, 5, 7), (seed, command)
        assert "Traceback" not in capsys.readouterr().err
        wrong = 0
        try:
            wrong = damaged_answers(held)
            right = served(held, expected)
            with closing(open_ledger(held, writing=False)) as ledger:
                faults = verify(ledger).faults
        except (sqlite3.Error, LedgerError) as error:  # nothing can be read, which every command reports
            faults, right = [str(error)], 0
        damaged += wrong
        found += wrong if faults else 0
        whole += right + wrong >= ROWS - BATCH
        shutil.rmtree(place)
    logging.getLogger(__name__).info(
        "%d places: %d answers damaged, %d found; the other rows served in %d", PLACES, damaged, found, whole
    )
    assert found >= 0.99 * damaged
    assert whole >= 0.9 * PLACES


def test_a_damaged_answer_makes_its_row_failed_and_keeps_the_others(answered, tmp_path, monkeypatch, capsys):
    shutil.copytree(answered[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect(".rowcite/small/ledger.db", isolation_level=None)) as db:
        db.execute("UPDATE answer SET output = CAST(replace(output, '1006', '1999') AS BLOB) WHERE run = 7")
    assert main(["write", "spec.yaml", "-q"]) in (0, 7)
    rows = pl.read_csv("out.csv")
    assert rows["rowcite_status"].to_list() == ["completed"] * 6 + ["failed"] + ["completed"] * (ROWS - 7)
    assert "the stored answer is damaged" in rows["rowcite_error"][6]
    assert main(["ledger", "verify", "spec.yaml"]) == 5
    assert "run run-6: its answer is damaged" in capsys.readouterr().err
    assert main(["plan", "spec.yaml", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["answered"], planned["damaged"], planned["to_submit"]) == (ROWS - 1, 1, 0)
    assert main(["plan", "spec.yaml"]) == 0
    assert "1 stored answer is damaged. `rowcite ledger prune spec.yaml --damaged`" in capsys.readouterr().out
    assert main(["status", "spec.yaml", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["rows"]["completed"], status["rows"]["failed"]) == (ROWS - 1, 1)
    assert status["runs"] == {"completed": ROWS - 1, "damaged": 1}
    assert main(["ledger", "prune", "spec.yaml", "--damaged"]) == 0
    assert main(["ledger", "verify", "spec.yaml"]) == 0
    capsys.readouterr()
    assert main(["plan", "spec.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["to_submit"] == 1


@pytest.mark.parametrize("command", [["status"], ["write"], ["plan"], ["ledger", "verify"]])
def test_an_empty_ledger_file_is_an_error(answered, tmp_path, monkeypatch, capsys, command):
    shutil.copytree(answered[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(".rowcite/small")
    (tmp_path / ".rowcite" / "small").mkdir()
    (tmp_path / ".rowcite" / "small" / "ledger.db").touch()
    assert main([*command, "spec.yaml"]) == 5
    assert "the file is empty" in capsys.readouterr().err


def test_an_error_of_a_damaged_ledger_names_the_command_for_the_spec(answered, tmp_path, monkeypatch, capsys):
    shutil.copytree(answered[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").rename("my spec.yaml")
    with closing(sqlite3.connect(".rowcite/small/ledger.db", isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("UPDATE run SET state = 'odd'")
    assert main(["status", "my spec.yaml"]) == 5
    assert "`rowcite ledger verify 'my spec.yaml'` lists the damage" in capsys.readouterr().err


def test_a_ledger_that_is_deleted_while_in_use_is_noticed_at_the_next_write(answered, tmp_path):
    shutil.copytree(answered[0] / ".rowcite" / "small", tmp_path / "held")
    with closing(open_ledger(tmp_path / "held", writing=True)) as ledger:
        ledger.mark_lost(99)
        shutil.rmtree(tmp_path / "held")
        with pytest.raises(LedgerError, match="was deleted or replaced"):
            ledger.mark_lost(99)

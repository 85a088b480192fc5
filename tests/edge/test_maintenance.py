"""Maintenance of the ledger: verify, export and prune, on a real ledger that a real run has filled."""

import json
import resource
import shutil
import sqlite3
import stat
import threading
import time
from contextlib import closing

import polars as pl
import pytest

from rowcite.cli import main
from rowcite.ledger import open_ledger
from support import small_spec, write_spec

ROWS = "name,website\nFjordcell,fjordcell.example\nElsewhere,elsewhere.example\n"
PAGE = "<title>Fjordcell</title><h1>Fjordcell</h1><p>Fjordcell was founded in 1999.</p>"


@pytest.fixture(scope="module")
def enriched(tmp_path_factory):
    """Return a folder with a spec, its table, and the ledger of a run that answered both rows."""
    folder = tmp_path_factory.mktemp("enriched")
    (folder / "corpus").mkdir()
    (folder / "corpus" / "fjordcell.html").write_text(PAGE)
    (folder / "table.csv").write_text(ROWS)
    assert main(["run", str(write_spec(folder, small_spec(local={"corpus": "corpus"}))), "-q"]) == 0
    return folder


@pytest.fixture
def folder(enriched, tmp_path, monkeypatch):
    """Return a copy of the enriched folder, which is the working folder."""
    shutil.copytree(enriched, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ledger_folder(folder):
    return folder / ".rowcite" / "small"


def damage(folder, sql):
    with closing(sqlite3.connect(ledger_folder(folder) / "ledger.db", isolation_level=None)) as db:
        db.execute(sql)


# --- verify ----------------------------------------------------------------------------------------------


def test_a_ledger_that_a_run_left_is_whole(folder, capsys):
    assert main(["ledger", "verify", "spec.yaml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["runs"], found["faults"]) == (2, [])


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (
            'UPDATE input SET input = \'{"company_name":"Other"}\' WHERE run = 1',
            "its key does not match its input",
        ),
        ("DELETE FROM answer WHERE run = 1", "it is completed, and its answer is missing"),
        ("UPDATE run SET state = 'failed' WHERE id = 1", "it is failed, and has an answer"),
        (
            "UPDATE answer SET output = 'x' WHERE run = 1",
            "its answer is damaged: the checksum does not match",
        ),
        (
            "UPDATE answer SET output = CAST(replace(output, '1999', '1998') AS BLOB)",
            "its answer is damaged: the checksum does not match",
        ),
        ("UPDATE run SET batch = 99 WHERE id = 1", "refers to a row that is missing"),
    ],
)
def test_each_fault_is_named_and_ends_with_5(folder, capsys, sql, fault):
    damage(folder, sql)
    assert main(["ledger", "verify", "spec.yaml"]) == 5
    assert fault in capsys.readouterr().err


# --- export ----------------------------------------------------------------------------------------------


def test_the_export_has_a_row_for_each_run_with_the_answer_as_received(folder):
    assert main(["ledger", "export", "spec.yaml", "-o", "records/runs.parquet"]) == 0
    file = folder / "records" / "runs.parquet"
    runs = pl.read_parquet(file)
    assert runs["state"].to_list() == ["completed", "completed"]
    assert json.loads(runs["input"][0]) == {"company_name": "Fjordcell", "website": "fjordcell.example"}
    assert json.loads(runs["output"][0])["basis"]
    assert runs["task_key"].n_unique() == runs["run_id"].n_unique() == 2
    assert (runs["ended_at"] >= runs["sent_at"]).all()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


# --- backup ----------------------------------------------------------------------------------------------


def test_a_backup_is_a_whole_private_copy_made_while_the_ledger_is_in_use(folder, capsys):
    with closing(open_ledger(ledger_folder(folder), writing=True)) as ledger:
        expected = list(ledger.records())
        ledger._db.execute("BEGIN IMMEDIATE")
        ledger._db.execute("UPDATE run SET state = 'lost'")
        assert main(["ledger", "backup", "spec.yaml", "-o", "copy.db"]) == 0
        ledger._db.execute("ROLLBACK")
    assert "copy.db: a copy of" in capsys.readouterr().out
    assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600
    (folder / "restored").mkdir()
    (folder / "copy.db").rename(folder / "restored" / "ledger.db")
    with closing(open_ledger(folder / "restored", writing=False)) as ledger:
        assert list(ledger.records()) == expected
    assert main(["ledger", "verify", "spec.yaml", "--ledger", "restored"]) == 0


def test_a_backup_replaces_no_file(folder, capsys):
    (folder / "copy.db").write_text("mine")
    assert main(["ledger", "backup", "spec.yaml", "-o", "copy.db"]) == 2
    assert "never replaces a file" in capsys.readouterr().err
    assert (folder / "copy.db").read_text() == "mine"


def test_a_backup_into_a_missing_folder_or_of_no_ledger_is_an_error(folder, capsys):
    assert main(["ledger", "backup", "spec.yaml", "-o", "none/copy.db"]) == 2
    assert main(["ledger", "backup", "spec.yaml", "-o", "copy.db", "--ledger", "none"]) == 5
    assert "nothing to copy: the ledger does not exist yet" in capsys.readouterr().err


def test_a_backup_that_cannot_be_written_names_the_copy_and_leaves_nothing(folder, capsys):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))  # enough for the files beside the ledger
    try:
        assert main(["ledger", "backup", "spec.yaml", "-o", "copy.db"]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "copy.db: cannot write the file: disk I/O error" in capsys.readouterr().err
    assert not [
        file.name for file in folder.iterdir() if "copy" in file.name or file.name.startswith(".rowcite-")
    ]


def test_git_ignores_the_ledger_and_nothing_beside_it(folder):
    assert (ledger_folder(folder) / ".gitignore").read_text() == "*\n"
    (folder / "own").mkdir()
    open_ledger(folder / "own", writing=True).close()
    assert not (folder / "own" / ".gitignore").exists()


# --- packs -----------------------------------------------------------------------------------------------


@pytest.fixture
def packed(folder):
    """Return the folder with a spec whose run sent both rows in one run."""
    task = {**small_spec()["task"], "records_per_run": 2}
    write_spec(folder, small_spec(name="packs", task=task, local={"corpus": "corpus"}), "packs.yaml")
    assert main(["run", "packs.yaml", "-q"]) == 0
    return folder


def test_a_ledger_with_packed_rows_is_whole_and_counts_their_run_once(packed, capsys):
    assert main(["ledger", "verify", "packs.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 1
    assert main(["ledger", "export", "packs.yaml", "-o", "runs.parquet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 1
    assert pl.read_parquet("runs.parquet").height == 3


def test_a_changed_input_of_a_packed_row_is_found(packed, capsys):
    with closing(sqlite3.connect(packed / ".rowcite" / "packs" / "ledger.db", isolation_level=None)) as db:
        db.execute('UPDATE input SET input = \'{"company_name":"Other"}\' WHERE run = 3')
    assert main(["ledger", "verify", "packs.yaml"]) == 5
    assert "its key does not match its input" in capsys.readouterr().err


# --- prune -----------------------------------------------------------------------------------------------


def test_prune_deletes_replaced_answers_and_no_other(folder, capsys):
    before = pl.read_csv(folder / "out.csv").drop("rowcite_run_id")
    assert main(["run", "spec.yaml", "--fresh", "-q"]) == 0
    assert main(["ledger", "prune", "spec.yaml"]) == 0
    assert "2 answers" in capsys.readouterr().out
    assert main(["write", "spec.yaml"]) == 0
    assert pl.read_csv(folder / "out.csv").drop("rowcite_run_id").equals(before)
    with closing(open_ledger(ledger_folder(folder), writing=False)) as ledger:
        assert ledger.state_counts() == {"pruned": 2, "completed": 2}
    assert main(["ledger", "verify", "spec.yaml"]) == 0


def test_tasks_whose_answers_were_pruned_by_age_are_sent_again(folder, capsys):
    assert main(["ledger", "prune", "spec.yaml", "--older-than", "0s"]) == 0
    assert "2 answers" in capsys.readouterr().out
    assert main(["plan", "spec.yaml", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["answered"], planned["to_submit"]) == (0, 2)


def test_an_age_that_is_not_a_duration_is_a_usage_error(folder, capsys):
    assert main(["ledger", "prune", "spec.yaml", "--older-than", "soon"]) == 2
    assert "a duration such as" in capsys.readouterr().err


# --- the lock --------------------------------------------------------------------------------------------


@pytest.fixture
def in_use(folder):
    """Hold the ledger in another thread until the test sets the event, then half a second more."""
    held, release, released = threading.Event(), threading.Event(), []

    def hold():
        with closing(open_ledger(ledger_folder(folder), writing=True)):
            held.set()
            release.wait(30)
            time.sleep(0.5)
            released.append(time.monotonic())

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    yield release, released
    release.set()
    holder.join()


def test_a_ledger_in_use_ends_the_command_with_5(in_use, capsys):
    assert main(["run", "spec.yaml"]) == 5
    assert "--wait-lock" in capsys.readouterr().err


def test_wait_lock_waits_until_the_ledger_is_free(in_use):
    release, released = in_use
    release.set()
    assert main(["run", "spec.yaml", "--wait-lock", "30", "-q"]) == 0
    assert released

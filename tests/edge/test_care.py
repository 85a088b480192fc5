"""Care of the ledger: verify, export, prune, on a real ledger that a real run has filled."""

import json
import sqlite3
import stat

import polars as pl
import pytest

from rowcite.ledger import open_ledger
from support import rowcite, small_spec, started, until, write_spec

ROWS = "name,website\nFjordcell,fjordcell.example\nNobody,nobody.example\n"


@pytest.fixture
def done(tmp_path):
    (tmp_path / "table.csv").write_text(ROWS)
    spec = write_spec(tmp_path, small_spec())
    assert rowcite("run", spec, "-q", cwd=tmp_path).returncode == 0
    return tmp_path


def damaged(folder, sql):
    with sqlite3.connect(folder / ".rowcite" / "small" / "ledger.db") as db:
        db.execute(sql)
    db.close()


def test_a_ledger_that_a_run_left_is_whole(done):
    said = rowcite("ledger", "verify", "spec.yaml", "--json", cwd=done)
    assert (said.returncode, json.loads(said.stdout)["runs"], json.loads(said.stdout)["faults"]) == (0, 2, [])


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (
            'UPDATE input SET input = \'{"company_name":"Other"}\' WHERE run = 1',
            "its key does not match its input",
        ),
        ("DELETE FROM answer WHERE run = 1", "it is completed, and its answer is missing"),
        ("UPDATE answer SET output = 'x' WHERE run = 1", "its answer is not JSON"),
        ("UPDATE run SET batch = 99 WHERE id = 1", "refers to a row that is missing"),
    ],
)
def test_what_is_wrong_is_named_and_ends_with_5(done, sql, fault):
    damaged(done, sql)
    said = rowcite("ledger", "verify", "spec.yaml", cwd=done)
    assert said.returncode == 5
    assert fault in said.stderr.decode()


def test_the_export_has_a_row_a_run_with_the_answer_as_it_came(done):
    assert rowcite("ledger", "export", "spec.yaml", "-o", "chain/record.parquet", cwd=done).returncode == 0
    chain = pl.read_parquet(done / "chain" / "record.parquet")
    assert chain["state"].to_list() == ["completed", "completed"]
    assert json.loads(chain["input"][0]) == {"company_name": "Fjordcell", "website": "fjordcell.example"}
    assert json.loads(chain["output"][0])["basis"]
    assert chain["task_key"].n_unique() == chain["run_id"].n_unique() == 2
    assert (chain["ended_at"] >= chain["sent_at"]).all()
    assert stat.S_IMODE((done / "chain" / "record.parquet").stat().st_mode) == 0o600


def test_prune_drops_what_was_replaced_and_nothing_else(done):
    before = (done / "out.csv").read_bytes()
    assert rowcite("run", "spec.yaml", "--fresh", "-q", cwd=done).returncode == 0
    assert rowcite("ledger", "prune", "spec.yaml", cwd=done).stdout == b"2 answers deleted\n"
    assert rowcite("run", "spec.yaml", "--json", cwd=done).returncode == 0
    after = (done / "out.csv").read_bytes()
    assert [line.rsplit(b",", 1)[0] for line in after.splitlines()] == [
        line.rsplit(b",", 1)[0] for line in before.splitlines()
    ]
    ledger = open_ledger(done / ".rowcite" / "small", writing=False)
    assert {state.value: n for state, n in ledger.state_counts().items()} == {"pruned": 2, "completed": 2}
    assert rowcite("ledger", "verify", "spec.yaml", cwd=done).returncode == 0


def test_what_is_pruned_by_age_is_asked_again(done):
    assert (
        rowcite("ledger", "prune", "spec.yaml", "--older-than", "0s", cwd=done).stdout
        == b"2 answers deleted\n"
    )
    planned = json.loads(rowcite("plan", "spec.yaml", "--json", cwd=done).stdout)
    assert (planned["answered"], planned["to_submit"]) == (0, 2)


def test_an_age_that_is_none_is_refused(done):
    said = rowcite("ledger", "prune", "spec.yaml", "--older-than", "soon", cwd=done)
    assert said.returncode == 2
    assert "a duration such as" in said.stderr.decode()


def test_a_ledger_in_use_is_waited_for_when_told_to(done):
    holder = open_ledger(done / ".rowcite" / "small", writing=True)
    try:
        busy = rowcite("run", "spec.yaml", cwd=done)
        assert busy.returncode == 5
        assert "--wait-lock" in busy.stderr.decode()
        waiting = started("run", "spec.yaml", "--wait-lock", "30", cwd=done)
        with pytest.raises(TimeoutError):
            until(lambda: waiting.poll() is not None, 1.5)
    finally:
        holder.close()
    waiting.communicate(timeout=30)
    assert waiting.returncode == 0

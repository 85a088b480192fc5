"""The format of a ledger file: pinned, migrated whole or not at all, and an error for files of other formats."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from rowcite.errors import LedgerBusy, LedgerError
from rowcite.ledger import Ledger, open_ledger
from rowcite.ledger.migrations import FORMAT
from rowcite.ledger.opening import open_file
from rowcite.ledger.stored_answers import checksum, intact, received, stored
from rowcite.model import EndedRun, Packing, RunState, Task

DATA = Path(__file__).parents[1] / "data" / "ledger"
VERSIONS = VERSION_1, _, VERSION_3, _, VERSION_5, VERSION_6 = [
    DATA / f"version_{number}.sql" for number in range(1, 7)
]
STEP = "ALTER TABLE answer ADD COLUMN digest BLOB; UPDATE answer SET digest = output;"
NEXT = FORMAT._replace(
    schema=FORMAT.schema.replace(
        "checksum BLOB NOT NULL DEFAULT x''", "checksum BLOB NOT NULL DEFAULT x'', digest BLOB"
    ),
    steps=(*FORMAT.steps, STEP),
)


def create(folder, script):
    """Create a ledger file from SQL."""
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / "ledger.db")) as db:
        db.executescript(script)
    return folder


def query(folder, sql):
    with closing(sqlite3.connect(folder / "ledger.db")) as db:
        return db.execute(sql).fetchall()


def tables(folder):
    """Return the tables and indexes of a file as SQL, without comments and line breaks."""
    found = query(folder, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: re.sub(r"\s+(?=[,)\s])", "", re.sub("--.*", "", sql)) for name, sql in found}


def open_next(folder, *, writing=True):
    return Ledger(*open_file(folder, writing=writing, wait=0, form=NEXT))


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a ledger of version 6: completed, failed, intended, packed and escalated runs, a decision.

    One of its answers is stored compressed.
    """
    return create(tmp_path / "old", VERSION_6.read_text())


# --- the format ------------------------------------------------------------------------------------------


def test_a_new_file_has_the_pinned_tables_of_its_version(folder, tmp_path):
    """Fails when `schema.sql` changed without a new version and a step that migrates older files."""
    assert FORMAT.version == 6
    open_ledger(tmp_path / "new", writing=True).close()
    assert tables(tmp_path / "new") == tables(folder)


@pytest.mark.parametrize("writing", [True, False])
@pytest.mark.parametrize("opened", [open_ledger, open_next])
@pytest.mark.parametrize("version", VERSIONS)
def test_everything_in_a_file_of_an_earlier_version_is_read(tmp_path, version, opened, writing):
    folder = create(tmp_path / "old", version.read_text())
    with closing(opened(folder, writing=writing)) as ledger:
        found = list(ledger.records())
        assert [(run.run_id, run.state, run.output) for run in found] == [
            ("run-a", "completed", b'{"content":1}'),
            ("run-b", "failed", None),
            (None, "intended", None),
            ("run-c", "completed", b'{"content":9}'),
            ("run-c", "completed", b'{"content":4}'),
            ("run-c", "lost", None),
            ("run-d", "completed", b'{"content":11}'),
        ]
        assert ledger.spent() == 4 * 25_000 + 100_000
        assert ledger.packing() == Packing(1, 1, 0)
        assert ledger.warnings() == {"warning: slow": 1}
        assert [len(runs) for runs in ledger.runs_by_task([found[0].key])] == [2]
        made = ledger.decisions()[found[0].key]["a"]
        assert (made.value, made.answer) == ('"x"', '"y"' if version >= VERSION_3 else None)
        (batch,) = ledger.active_batches()
        assert (batch.group_id, batch.unsure, batch.inputs) == ("group-2", True, {found[2].key: b'{"n":3}'})


# --- migration -------------------------------------------------------------------------------------------


def test_a_migrated_file_has_the_tables_of_a_new_one(folder, tmp_path):
    open_next(folder).close()
    open_next(tmp_path / "new").close()
    assert tables(folder) == tables(tmp_path / "new")


def test_a_file_is_migrated_once(folder):
    open_next(folder).close()
    with closing(open_next(folder)) as ledger:
        assert ledger.state_counts()[RunState.COMPLETED] == 3
    assert query(folder, "PRAGMA user_version") == [(7,)]
    assert query(folder, "SELECT count(*) FROM answer WHERE digest IS output") == [(4,)]


def test_a_step_that_fails_leaves_the_file_as_it_was(folder):
    before = query(folder, "SELECT * FROM answer")
    broken = NEXT._replace(
        steps=(
            *FORMAT.steps,
            STEP + "CREATE TABLE decision (other TEXT);",
        )
    )
    with pytest.raises(
        LedgerError, match=r"ledger\.db: cannot open the ledger: table decision already exists"
    ):
        open_file(folder, writing=True, wait=0, form=broken)
    assert query(folder, "PRAGMA user_version") == [(6,)]
    assert query(folder, "SELECT * FROM answer") == before


def test_reading_does_not_migrate_a_file_that_another_process_is_using(folder):
    with FileLock(folder / "lock"), pytest.raises(LedgerBusy, match="another rowcite"):
        open_next(folder, writing=False)
    assert query(folder, "PRAGMA user_version") == [(6,)]


def test_answers_of_every_version_have_the_checksums_of_this_one(tmp_path):
    folders = [create(tmp_path / path.stem, path.read_text()) for path in VERSIONS if path < VERSION_5]
    for folder in folders:
        open_ledger(folder, writing=True).close()
    *earlier, last = (query(folder, "SELECT * FROM answer") for folder in folders)
    assert earlier == [last] * 3
    assert {found for folder in folders for found in query(folder, "PRAGMA user_version")} == {(6,)}
    assert all(tables(folder) == tables(folders[-1]) for folder in folders)


def test_an_answer_that_was_damaged_before_the_migration_is_still_damaged(tmp_path):
    damage = "UPDATE answer SET output = x'7B22636F6E74656E74223A327D' WHERE run = 1;"
    folder = create(tmp_path / "old", VERSION_3.read_text() + damage)
    with closing(open_ledger(folder, writing=True)) as ledger:
        runs = [run for runs in ledger.runs_by_task(run.key for run in ledger.records()) for run in runs]
        assert [run.run_id for run in runs if "damaged" in (run.error or "")] == ["run-a"]


# --- files that this version does not read ---------------------------------------------------------------


@pytest.mark.parametrize("writing", [True, False])
@pytest.mark.parametrize(
    ("script", "error"),
    [
        (f"{VERSION_1.read_text()} PRAGMA user_version = {FORMAT.version + 1};", "made by a newer rowcite"),
        ("CREATE TABLE run (id); PRAGMA user_version = 2;", "rowcite ledger export SPEC -o FILE"),
        ("CREATE TABLE run (id);", "this SQLite file is not a rowcite ledger"),
        ("CREATE TABLE run (id); PRAGMA application_id = 5;", "this SQLite file is not a rowcite ledger"),
        ("PRAGMA application_id = 5; PRAGMA user_version = 1;", "this SQLite file is not a rowcite ledger"),
    ],
)
def test_a_file_of_another_format_is_an_error_and_stays_as_it_was(tmp_path, script, error, writing):
    folder = create(tmp_path / "other", script)
    before = (folder / "ledger.db").read_bytes()
    with pytest.raises(LedgerError, match=re.escape(error)):
        open_ledger(folder, writing=writing)
    assert (folder / "ledger.db").read_bytes() == before
    FileLock(folder / "lock", timeout=0).acquire().lock.release()  # and the lock is free again


# --- references ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("writing", [True, False])
def test_a_row_that_refers_to_nothing_cannot_be_written(folder, writing):
    with closing(open_ledger(folder, writing=writing)) as ledger:
        for sql in ("INSERT INTO answer (run, output) VALUES (99, '{}')", "DELETE FROM batch WHERE id = 1"):
            with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
                ledger._db.execute(sql)
        assert ledger.file_faults() == []


# --- stored answers --------------------------------------------------------------------------------------


def test_a_long_answer_is_stored_compressed_and_read_as_it_was_received(tmp_path):
    output = json.dumps(
        {"content": {"n": 1}, "basis": [{"url": f"https://a.example/{n}"} for n in range(40)]}
    )
    with closing(open_ledger(tmp_path, writing=True)) as ledger:
        task = Task(b"k" * 16, b'{"n":1}')
        batch = ledger.record_intent(
            ledger.record_question(b"f" * 32, b'{"api":"a"}'), "g", [task], processor="lite", price=1
        )
        ledger.save(batch.id, [EndedRun(task.key, "run-1", RunState.COMPLETED, output.encode())])
        (((run,),), (record,)) = (list(ledger.runs_by_task([task.key])), ledger.records())
    assert run.output == record.output == output.encode()
    assert query(tmp_path, "SELECT length(output) FROM answer")[0][0] < len(output) / 3


@given(
    st.binary(max_size=2_000)
    | st.builds(lambda some, times: some * times, st.binary(max_size=50), st.integers(0, 200))
)
def test_any_bytes_are_stored_and_received_again(output):
    form = stored(b"{" + output)
    assert received(form) == b"{" + output
    assert len(form) <= len(output) + 1
    assert intact(7, form, checksum(7, form)) == b"{" + output
    assert intact(8, form, checksum(7, form)) is None


@pytest.mark.parametrize(
    "form", [b"L", b"L\x00\x00\x00\x00", b"L\xff\xff\xff\xffabc", b"L\x09\x00\x00\x00abc"]
)
def test_a_stored_form_that_is_no_compressed_answer_is_damaged(form):
    assert intact(7, form, checksum(7, form)) is None

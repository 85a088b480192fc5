"""The input changes while a command runs: its end looks at the table again before the output appears."""

import os
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Thread

import polars as pl
import pytest
import xlsxwriter

import rowcite
from rowcite.cli import main
from rowcite.deltas import DeltaOptions, write_changes
from rowcite.errors import Incomplete, TableChanged
from rowcite.ledger import open_ledger
from rowcite.local.server.latency import Lognormal
from rowcite.pipeline.overrides import Overrides
from rowcite.pipeline.prepare import prepare
from rowcite.pipeline.run import Confirmations, run
from rowcite.pipeline.which_api import Use
from rowcite.pipeline.write import write
from rowcite.progress import Silent
from rowcite.report.gather import gather
from rowcite.spec.models import CsvOptions
from rowcite.table.sources import open_source
from support import environment, served, small_spec, until, write_spec

COMPANIES = pl.DataFrame(
    {"name": ["Acme Oy", "Zo Ltd", "Ab Oy"], "website": ["a.example", "z.example", "b.example"]}
)
LATE = pl.DataFrame({"name": ["Late Oy"], "website": ["late.example"]})
FORMATS = ("csv", "parquet", "jsonl", "xlsx")


def write_workbook(frame: pl.DataFrame, file: Path) -> None:
    with xlsxwriter.Workbook(file) as book:
        book.set_properties(
            {"created": datetime(2024, 1, 1, tzinfo=UTC)}
        )  # the same rows give the same bytes
        frame.write_excel(book)


def written(frame: pl.DataFrame, file: Path) -> None:
    """Write a frame as a program does that replaces the file."""
    new = file.with_name(f"new-{file.name}")
    writers = {".csv": frame.write_csv, ".parquet": frame.write_parquet, ".jsonl": frame.write_ndjson}
    writers[".xlsx"] = partial(write_workbook, frame)
    writers[file.suffix](new)
    new.replace(file)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    # never shorter: the table must have changed before the last answer
    with served(tmp_path_factory.mktemp("server"), latency=Lognormal(0.6, 0.01), bench=True) as running:
        yield running


class Job:
    """A table, a spec, and commands during which the table changes."""

    def __init__(self, folder: Path, server, kind: str = "csv", path: str = "") -> None:
        self.folder, self.server = folder, server
        self.table, self.output = folder / f"table.{kind}", folder / f"out.{kind}"
        self.spec(path=path or self.table.name)

    def spec(self, path: str, **changes: object) -> None:
        whole = small_spec(
            backend="parallel", input={"path": path}, output={"path": self.output.name}, **changes
        )
        write_spec(self.folder, {key: value for key, value in whole.items() if key != "local"})

    def __call__(self, command: str, *flags: str) -> int:
        return main([command, str(self.folder / "spec.yaml"), "--base-url", self.server.url, *flags])

    def run_while(self, change) -> int:
        """Run, and change the table when the runs are created but not answered."""
        with changing(self.server, change):
            return self("run", "-q")

    def rows(self) -> list[tuple[str, str]]:
        source = open_source(str(self.output), None, CsvOptions())
        frames = (rows.frame.select("name", "rowcite_status") for rows in source.batches())
        return pl.concat(frames).rows()


@contextmanager
def changing(server, change):
    """Change the table as soon as the server has created a run."""
    before = len(server.created())

    def act():
        until(lambda: len(server.created()) > before, 120)
        change()

    thread = Thread(target=act)
    thread.start()
    yield
    thread.join()


@pytest.fixture
def job(tmp_path, server, monkeypatch):
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)

    def made(kind: str = "csv", path: str = "") -> Job:
        return Job(tmp_path, server, kind, path)

    return made


DONE = [("Acme Oy", "completed"), ("Zo Ltd", "completed"), ("Ab Oy", "completed")]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_bytes_with_a_new_time_are_no_change(job, kind):
    job = job(kind)
    written(COMPANIES, job.table)
    assert job.run_while(lambda: written(COMPANIES, job.table)) == 0
    assert job.rows() == DONE


@pytest.mark.parametrize("kind", FORMATS)
def test_a_row_that_is_appended_is_written_as_pending_and_ends_with_5(job, capsys, kind):
    job = job(kind)
    written(COMPANIES, job.table)
    assert job.run_while(lambda: written(pl.concat([COMPANIES, LATE]), job.table)) == 5
    assert job.rows() == [*DONE, ("Late Oy", "pending")]
    err = capsys.readouterr().err
    assert "The input changed while this command was running: 1 row is still pending" in err
    assert f"Run `rowcite run {job.folder / 'spec.yaml'} --base-url {job.server.url}` to continue" in err
    assert job("run", "-q") == 0
    assert job.rows() == [*DONE, ("Late Oy", "completed")]


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        ("csv", COMPANIES.rename({"name": "nom"})),
        ("csv", COMPANIES.select("website", "name")),
        ("csv", COMPANIES.with_columns(note=pl.lit("x"))),
        ("parquet", COMPANIES.select("website", "name")),
        ("parquet", COMPANIES.with_columns(pl.col("website").cast(pl.Binary))),
        ("jsonl", COMPANIES.rename({"website": "site"})),
        ("xlsx", COMPANIES.rename({"website": "site"})),
    ],
    ids=[
        "renamed",
        "swapped",
        "added",
        "swapped in Parquet",
        "another type",
        "renamed in JSON lines",
        "renamed in Excel",
    ],
)
def test_another_header_writes_nothing_and_ends_with_5(job, capsys, kind, other):
    job = job(kind)
    written(COMPANIES, job.table)
    assert job.run_while(lambda: written(other, job.table)) == 5
    assert not job.output.exists()
    assert list(job.folder.glob(".rowcite-*")) == []
    assert "the header changed while this command was running" in capsys.readouterr().err
    written(COMPANIES, job.table)
    created = len(job.server.created())
    assert job("run", "-q") == 0
    assert (job.rows(), len(job.server.created())) == (DONE, created)


def test_a_changed_cell_that_is_not_sent_is_written_and_ends_with_5(job, capsys):
    job = job()
    written(COMPANIES.with_columns(note=pl.lit("old")), job.table)
    assert job.run_while(lambda: written(COMPANIES.with_columns(note=pl.lit("new")), job.table)) == 5
    assert job.rows() == DONE
    assert set(pl.read_csv(job.output)["note"]) == {"new"}
    assert "The input changed while this command was running. Run " in capsys.readouterr().err


def test_a_table_that_lost_rows_does_not_replace_a_richer_output(job):
    job = job()
    written(COMPANIES, job.table)
    assert job("run", "-q") == 0
    whole = pl.concat([COMPANIES, LATE])
    written(whole, job.table)
    assert job.run_while(lambda: written(whole.head(1), job.table)) == 5
    assert job.rows() == DONE
    assert (job.folder / "out.partial.csv").exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file.unlink(), "no such file"),
        (
            lambda file: file.write_text("name,website\nZo\n"),
            "the table changed while this command was running",
        ),
    ],
    ids=["deleted", "half written"],
)
def test_a_table_that_cannot_be_read_any_more_writes_nothing_and_ends_with_5(job, capsys, damage, message):
    job = job()
    written(COMPANIES, job.table)
    assert job.run_while(lambda: damage(job.table)) == 5
    assert not job.output.exists()
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("path", ["parts", "parts/*.csv"])
def test_a_part_that_is_added_is_written_as_pending_and_ends_with_5(job, path):
    job = job(path=path)
    parts = job.folder / "parts"
    parts.mkdir()
    written(COMPANIES, parts / "1.csv")
    assert job.run_while(lambda: written(LATE, parts / "2.csv")) == 5
    assert job.rows() == [*DONE, ("Late Oy", "pending")]


def test_the_table_is_read_again_when_it_changes_while_the_output_is_written(job):
    job = job()
    written(COMPANIES, job.table)
    assert job("run", "-q") == 0
    ready = prepare(job.folder / "spec.yaml", Overrides(base_url=job.server.url), use=Use.KEEP)
    source, changes = ready.job.reader.source, [pl.concat([COMPANIES, LATE])]
    batches = source.batches

    def batches_and_a_change():
        yield from batches()
        if changes:
            written(changes.pop(), job.table)

    source.batches = batches_and_a_change
    ledger = open_ledger(ready.ledger, writing=False)
    done = write(ready.job, ledger, str(job.output), exit_code=lambda rows: 5 if rows["pending"] else 0)
    ledger.close()
    assert (done.exit_code, done.input_changed) == (5, True)
    assert job.rows() == [*DONE, ("Late Oy", "pending")]


def test_the_columns_that_are_sent_are_checked_once_more_before_anything_is_spent(job, server):
    job = job()
    written(COMPANIES, job.table)
    ready = prepare(job.folder / "spec.yaml", Overrides(base_url=server.url))
    created = len(server.created())

    def confirm(_):
        written(COMPANIES.select("website", "name"), job.table)
        return True

    summary, stopped_by = run(ready, Silent(), Confirmations(confirm))
    assert (summary.exit_code, summary.output, len(server.created())) == (5, None, created)
    assert "the header changed" in str(stopped_by)


# --- from Python, and files other than the table ---------------------------------------------------------


def test_enrich_raises_when_the_table_changed_and_returns_no_row_without_an_answer(job, monkeypatch):
    job = job()
    monkeypatch.setenv("PARALLEL_BASE_URL", job.server.url)
    written(COMPANIES, job.table)
    late = pl.concat([COMPANIES, LATE])
    with (
        changing(job.server, lambda: written(late, job.table)),
        pytest.raises(Incomplete, match="1 row is still"),
    ):
        rowcite.enrich(job.table, job.folder / "spec.yaml")
    assert (
        rowcite.enrich(job.table, job.folder / "spec.yaml")["rowcite_status"].to_list() == ["completed"] * 4
    )


def test_run_returns_the_table_of_now_and_says_that_it_changed(job, monkeypatch):
    job = job()
    monkeypatch.setenv("PARALLEL_BASE_URL", job.server.url)
    written(COMPANIES, job.table)
    with changing(job.server, lambda: written(pl.concat([COMPANIES, LATE]), job.table)):
        result = rowcite.run(job.table, job.folder / "spec.yaml")
    assert result.table["rowcite_status"].to_list() == ["completed"] * 3 + ["pending"]
    assert result.summary.exit_code == 5
    assert "changed" in result.summary.stopped


@pytest.mark.parametrize(
    "read",
    [
        gather,
        lambda job, ledger: write_changes(job, ledger, DeltaOptions("name"), job.spec.path("changes.csv")),
    ],
    ids=["report", "deltas"],
)
def test_report_and_deltas_write_nothing_for_another_header(job, read):
    job = job()
    written(COMPANIES, job.table)
    ready = prepare(job.folder / "spec.yaml", Overrides(base_url=job.server.url), use=Use.KEEP, writes=False)
    written(COMPANIES.select("website", "name"), job.table)
    with closing(open_ledger(ready.ledger, writing=False)) as ledger, pytest.raises(TableChanged):
        read(ready.job, ledger)
    assert not (job.folder / "changes.csv").exists()

"""A table is never replaced by a poorer one: what the real command leaves in the output's place."""

import csv
import json
import os
from pathlib import Path

import pytest
from filelock import FileLock

import rowcite
from rowcite.cli import main
from rowcite.errors import LedgerBusy
from rowcite.spec.models import CsvOptions
from rowcite.table.sources import open_source
from support import environment, served, small_spec, write_spec

FORMATS = ("csv", "csv.gz", "tsv.zst", "jsonl", "jsonl.gz", "parquet", "xlsx")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "acme.html").write_text("<h1>Acme Oy</h1><p>Acme Oy was founded in 1999.</p>")
    return folder


@pytest.fixture(scope="module")
def server(corpus, tmp_path_factory):
    with served(tmp_path_factory.mktemp("server"), corpus) as running:
        yield running


@pytest.fixture
def failing(corpus, tmp_path_factory):
    """Return the URL of a server where every run fails."""
    folder = tmp_path_factory.mktemp("failing")
    with served(folder, corpus, faults={"fail": 1.0}) as running:
        yield running.url


class Job:
    """A table of five companies, a spec, and the commands on them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url, self.output = folder, url, folder / "out.csv"
        self.rows(*range(5))
        self.spec()

    def rows(self, *numbers: int) -> None:
        lines = "".join(f"Company {number},\n" for number in numbers)
        (self.folder / "table.csv").write_text(f"name,website\n{lines}")

    def spec(self, description: str = "Year founded", **changes: object) -> None:
        whole = small_spec(backend="parallel", output={"path": self.output.name}, **changes)
        if "task" not in changes:
            whole["task"]["outputs"]["founded_year"]["description"] = description
        write_spec(self.folder, {key: value for key, value in whole.items() if key != "local"})

    def __call__(self, command: str, *flags: str) -> int:
        return main([command, str(self.folder / "spec.yaml"), "--base-url", self.url, *flags])

    @property
    def partial(self) -> Path:
        stem, _, suffix = self.output.name.partition(".")
        return self.folder / f"{stem}.partial.{suffix}"

    def statuses(self, file: Path | None = None) -> list[str]:
        source = open_source(str(file or self.output), None, CsvOptions())
        return [status for rows in source.batches() for status in rows.frame["rowcite_status"]]


@pytest.fixture
def job(tmp_path, server, monkeypatch):
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)
    return Job(tmp_path, server.url)


COMPLETED, PENDING = ["completed"] * 5, ["pending"] * 5


# --- which table is kept ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_a_run_over_budget_keeps_the_full_table_and_writes_a_partial_one(job, capsys, name):
    job.output = job.folder / f"out.{name}"
    job.spec()
    assert job("run") == 0
    before = job.output.read_bytes()
    job.spec("Year of foundation")
    assert job("run", "--max-cost", "0.01") == 6
    assert job.output.read_bytes() == before
    assert job.statuses(job.partial) == PENDING
    err = capsys.readouterr().err
    assert f"{job.output} is kept: it has 5 answered rows, and the new table 0." in err
    assert f"The new table is {job.partial}. Give --replace to write it in place" in err
    assert f"{job.partial}: 5 rows: 5 pending" in err


def test_a_table_with_as_many_answered_rows_is_replaced_by_an_unfinished_command(job):
    assert job("run") == 0
    job.rows(*range(6))
    assert job("run", "--max-cost", "0") == 6
    assert job.statuses() == [*COMPLETED, "pending"]
    assert not job.partial.exists()


def test_rejected_rows_count_as_answered(job):
    rejects = {"accept": {"rules": ["founded_year < 0"], "required": ["founded_year"]}}
    job.spec(**rejects)
    assert job("run") == 0
    assert job.statuses() == ["rejected"] * 5
    job.spec("Year of foundation", **rejects)
    assert job("run", "--max-cost", "0") == 6
    assert job.statuses() == ["rejected"] * 5


def test_a_command_that_ends_with_0_replaces_a_table_with_more_answered_rows(job):
    assert job("run") == 0
    job.rows(1, 2)
    assert job("run") == 0
    assert job.statuses() == ["completed", "completed"]


def test_the_first_table_is_written_in_place_whatever_is_pending(job):
    assert job("run", "--max-cost", "0") == 6
    assert job.statuses() == PENDING
    assert not job.partial.exists()


def test_more_failed_rows_than_allowed_do_not_replace_answered_ones(job, failing):
    assert job("run") == 0
    job.url = failing
    assert job("run") == 7
    assert job.statuses() == COMPLETED
    assert job.statuses(job.partial) == ["failed"] * 5


def test_the_message_about_failed_rows_counts_those_within_the_limit(job, failing, capsys):
    job.url = failing
    assert job("run", "-q") == 7
    assert "5 rows failed, more than limits.max_failed allows" in capsys.readouterr().err
    assert job("run", "-q", "--json", "--limit", "2") == 7
    out, err = capsys.readouterr()
    assert "2 rows within --limit failed, more than limits.max_failed allows" in err
    assert json.loads(out)["stopped"].startswith("2 rows within --limit failed")


def test_write_keeps_a_richer_table_and_ends_with_5(job, capsys):
    assert job("run") == 0
    job.spec("Year of foundation")
    assert job("write") == 5
    assert job.statuses() == COMPLETED
    assert job.statuses(job.partial) == PENDING
    assert "5 rows are still pending" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "write"])
def test_replace_writes_a_poorer_table_in_place(job, command):
    assert job("run") == 0
    job.spec("Year of foundation")
    assert job(command, "--replace", *(["--max-cost", "0"] if command == "run" else [])) in {5, 6}
    assert job.statuses() == PENDING
    assert not job.partial.exists()


@pytest.mark.parametrize("command", ["run", "write"])
def test_the_json_names_the_table_that_was_written(job, capsys, command):
    assert job("run", "-q") == 0
    job.spec("Year of foundation")
    job(command, "--json", *(["--max-cost", "0"] if command == "run" else []))
    written = json.loads(capsys.readouterr().out)
    assert written["output"] == str(job.partial)
    assert "is kept: it has 5 answered rows" in written["output_warning"]


# --- tables of others ------------------------------------------------------------------------------------


def test_a_file_that_rowcite_did_not_write_counts_as_richer(job, capsys):
    job.output.write_text("name,industry\nZo,Tea\n")
    assert job("run", "--max-cost", "0") == 6
    assert job.output.read_text() == "name,industry\nZo,Tea\n"
    assert job.statuses(job.partial) == PENDING
    assert "is kept: it has no rowcite_status column" in capsys.readouterr().err


def test_a_file_that_rowcite_did_not_write_is_replaced_with_a_warning_by_a_complete_table(job, capsys):
    job.output.write_text("name,industry\nZo,Tea\n")
    assert job("run") == 0
    assert job.statuses() == COMPLETED
    assert "was replaced, although it has no rowcite_status column" in capsys.readouterr().err


def test_neither_of_two_files_that_rowcite_did_not_write_is_replaced(job, capsys):
    job.output.write_text("a\n1\n")
    job.partial.write_text("b\n2\n")
    assert job("run", "--max-cost", "0") == 6
    assert (job.output.read_text(), job.partial.read_text()) == ("a\n1\n", "b\n2\n")
    assert "so no table is written" in capsys.readouterr().err


def test_a_prefix_does_not_hide_the_answered_rows(job):
    job.spec(columns={"prefix": "ai_"})
    assert job("run") == 0
    assert "ai_founded_year" in job.output.read_text()
    job.spec("Year of foundation", columns={"prefix": "ai_"})
    assert job("run", "--max-cost", "0") == 6
    assert job.statuses() == COMPLETED


def test_the_answered_rows_of_a_table_with_a_byte_order_mark_and_crlf_are_counted(job):
    table = job.folder / "table.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
    assert job("run") == 0
    before = job.output.read_bytes()
    assert before.startswith(b"\xef\xbb\xbfname,website,")
    assert before.count(b"\r\n") == before.count(b"\n") == 6
    job.spec("Year of foundation")
    assert job("run", "--max-cost", "0") == 6
    assert job.output.read_bytes() == before


def test_the_table_of_an_earlier_separator_is_still_known_as_rowcites(job):
    table = job.folder / "table.csv"
    table.write_text(table.read_text().replace(",", ";"))
    job.spec(input={"path": "table.csv", "csv": {"separator": ";"}})
    assert job("run") == 0
    before = job.output.read_bytes()
    assert before.startswith(b"name;website;")
    job.rows(*range(5))
    job.spec("Year of foundation")
    assert job("run", "--max-cost", "0") == 6
    assert job.output.read_bytes() == before
    assert job.statuses(job.partial) == PENDING
    assert job("run") == 0
    assert job.statuses() == COMPLETED


def test_the_reports_of_a_kept_table_are_not_touched(job):
    task = {"processor": "core", "inputs": {"company_name": {"column": "name"}}, "output": {"type": "text"}}
    job.spec(task=task, columns={"reports": "reports"})
    assert job("run") == 0
    reports = {file.name: file.read_bytes() for file in (job.folder / "reports").iterdir()}
    assert len(reports) == 5
    job.rows(3, 4)
    assert job("run", "--limit", "1") == 0
    assert job.statuses(job.partial) == ["completed"] * 2
    assert {file.name: file.read_bytes() for file in (job.folder / "reports").iterdir()} == reports


# --- the partial table, and tables that stay -------------------------------------------------------------


def test_a_command_that_replaces_the_output_removes_the_partial_table(job):
    assert job("run") == 0
    job.spec("Year of foundation")
    assert job("run", "--max-cost", "0") == 6
    assert job.partial.exists()
    assert job("run") == 0
    assert not job.partial.exists()


def test_a_partial_table_that_rowcite_did_not_write_is_not_removed(job):
    job.partial.write_text("mine\n1\n")
    assert job("run") == 0
    assert job.partial.read_text() == "mine\n1\n"


def test_a_table_whose_bytes_would_not_change_is_not_touched(job):
    assert job("run") == 0
    os.utime(job.output, ns=(1, 1))
    before = job.output.stat()
    for command in ("run", "write"):
        assert job(command) == 0
    assert (job.output.stat().st_ino, job.output.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_no_table_is_written_while_another_command_uses_the_ledger(job, capsys):
    assert job("run") == 0
    before = job.output.read_bytes()
    job.spec("Year of foundation")
    with FileLock(job.folder / ".rowcite" / "small" / "lock"):
        assert job("run") == 5
    assert job.output.read_bytes() == before
    assert not job.partial.exists()
    assert "another rowcite is using this ledger" in capsys.readouterr().err


def test_run_from_python_raises_while_another_command_uses_the_ledger(job, monkeypatch):
    monkeypatch.setenv("PARALLEL_BASE_URL", job.url)
    with FileLock(job.folder / ".rowcite" / "small" / "lock"), pytest.raises(LedgerBusy):
        rowcite.run(job.folder / "table.csv", job.folder / "spec.yaml")


def test_a_link_to_a_richer_table_is_kept_and_the_partial_is_beside_its_target(job):
    (job.folder / "real").mkdir()
    job.output.symlink_to(job.folder / "real" / "table.csv")
    assert job("run") == 0
    job.spec("Year of foundation")
    assert job("run", "--max-cost", "0") == 6
    assert job.output.is_symlink()
    assert job.statuses() == COMPLETED
    assert job.statuses(job.folder / "real" / "table.partial.csv") == PENDING


# --- --limit ---------------------------------------------------------------------------------------------


def test_limit_after_a_full_run_writes_the_whole_table_and_requests_nothing(job, server):
    assert job("run") == 0
    before, requests = job.output.read_bytes(), len(server.requests())
    assert job("run", "--limit", "2") == 0
    assert job.output.read_bytes() == before
    assert len(server.requests()) == requests


def test_limit_requests_the_first_rows_and_ends_with_0_though_the_others_are_pending(job, server):
    created = len(server.created())
    assert job("run", "--limit", "2") == 0
    assert job.statuses() == ["completed"] * 2 + ["pending"] * 3
    assert len(server.created()) == created + 2


def test_limit_keeps_a_table_with_more_answered_rows(job):
    assert job("run") == 0
    job.spec("Year of foundation")
    assert job("run", "--limit", "2") == 0
    assert job.statuses() == COMPLETED
    assert job.statuses(job.partial) == ["completed"] * 2 + ["pending"] * 3


def test_stored_answers_are_used_beyond_the_limit(job):
    assert job("run") == 0
    job.rows(9, 0, 1, 2, 3, 4)
    assert job("run", "--limit", "1") == 0
    assert job.statuses() == ["completed"] * 6


def test_rows_beyond_the_limit_are_not_escalated(job, server):
    job.spec(escalate=["pro"], accept={"required": ["founded_year"]})
    assert job("run", "--limit", "2") == 0
    created = len(server.created())
    job.spec(escalate=["pro", "ultra"], accept={"required": ["founded_year"]})
    assert job("run", "--limit", "1") == 0
    assert len(server.created()) == created + 1


def test_the_plan_counts_all_rows_and_those_within_the_limit(job, capsys):
    assert job("plan", "--limit", "2", "--json") == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["rows"], planned["rows_within_limit"], planned["to_submit"]) == (5, 2, 2)
    assert job("plan", "--limit", "2") == 0
    assert "5 rows, 2 within --limit, 2 distinct tasks" in capsys.readouterr().out


def test_a_fault_beyond_the_limit_ends_the_command_before_anything_is_submitted(job, server):
    with (job.folder / "table.csv").open("a") as table:
        table.write("too,many,cells\n")
    requests = len(server.requests())
    assert job("run", "--limit", "1") == 2
    assert len(server.requests()) == requests


def test_failed_rows_beyond_the_limit_do_not_count(job, failing):
    job.url = failing
    job.rows(0)
    assert job("run") == 7
    job.rows(1, 0)
    assert job("run", "--limit", "0") == 0
    assert job.statuses() == ["pending", "failed"]


# --- pending rows and the exit code ----------------------------------------------------------------------


def test_write_ends_with_5_only_while_a_row_within_the_limit_is_pending(job):
    assert job("write") == 5
    assert job("run", "--limit", "2") == 0
    assert job("write") == 5
    assert job("write", "--limit", "2") == 0
    assert job("run") == 0
    assert job("write") == 0


def test_looking_does_not_end_with_5_for_pending_rows(job, capsys):
    for command, *flags in (["status"], ["plan"], ["explain", "--row", "1"]):
        assert job(command, *flags) == 0


def test_a_table_on_stdout_is_written_whatever_is_there(job, capsysbinary):
    assert job("run") == 0
    job.spec("Year of foundation")
    capsysbinary.readouterr()
    assert job("run", "--max-cost", "0", "-o", "-") == 6
    lines = csv.DictReader(capsysbinary.readouterr().out.decode().splitlines())
    assert [line["rowcite_status"] for line in lines] == PENDING

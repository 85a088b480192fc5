"""`run_results.json` in the ledger's folder: the document of `--json`, however the command ends."""

import json
import os
from contextlib import closing

import jsonschema
import pytest
from filelock import FileLock

import rowcite
from rowcite.cli import main
from rowcite.ledger import open_ledger
from rowcite.model import RowStatus
from rowcite.pipeline.execution import Confirmations
from rowcite.pipeline.overrides import Overrides
from rowcite.pipeline.prepare import prepare
from rowcite.pipeline.run import run
from rowcite.pipeline.summary import summary_schema
from rowcite.progress import Silent
from support import ROOT, environment, served, small_spec, write_spec

SCHEMA = ROOT / "docs" / "run_results.schema.json"
SPENT = 0.075  # three runs of core, in US$


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served(tmp_path_factory.mktemp("server"), bench=True) as running:
        yield running


@pytest.fixture
def failing(tmp_path_factory):
    with served(tmp_path_factory.mktemp("failing"), bench=True, faults={"fail": 1.0}) as running:
        yield running


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)
    (tmp_path / "table.csv").write_text("name,website\nAcme Oy,\nZo Ltd,\nAb Oy,\n")
    spec(tmp_path)
    return tmp_path


def spec(folder, **changes):
    whole = small_spec(backend="parallel", **changes)
    return write_spec(folder, {key: value for key, value in whole.items() if key != "local"})


def command(folder, server, name, *flags):
    return main([name, str(folder / "spec.yaml"), "--base-url", server.url, *flags])


def results(folder):
    found = json.loads((folder / ".rowcite" / "small" / "run_results.json").read_text())
    jsonschema.validate(found, json.loads(SCHEMA.read_text()), format_checker=jsonschema.FormatChecker())
    return found


def test_the_schema_in_the_docs_is_that_of_the_model(tmp_path):
    current = json.dumps(summary_schema(), indent=2, ensure_ascii=False) + "\n"
    (tmp_path / SCHEMA.name).write_text(current)
    assert SCHEMA.read_text() == current, f"copy {tmp_path / SCHEMA.name} to docs"


@pytest.mark.parametrize("name", ["run", "submit", "collect", "write"])
def test_the_file_is_the_document_that_json_prints(folder, server, capsys, name):
    assert command(folder, server, "run", "-q") == 0
    (folder / ".rowcite" / "small" / "run_results.json").unlink()
    assert command(folder, server, name, "-q", "--json") == 0
    assert results(folder) == json.loads(capsys.readouterr().out)
    assert results(folder)["command"] == name


def test_the_file_has_rows_runs_spend_requests_times_and_files(folder, server):
    assert command(folder, server, "run", "-q") == 0
    found = results(folder)
    assert found["rows"] == {"total": 3, "completed": 3, **dict.fromkeys(list(RowStatus)[1:], 0)}
    assert (found["tasks"], found["submitted"], found["runs"]) == (3, 3, {"completed": 3})
    assert (found["spent_usd"], found["total_spent_usd"]) == (SPENT, SPENT)
    assert found["requests"] >= 4
    assert found["files"] == [found["output"]] == [str(folder / "out.csv")]
    assert (found["api"], found["exit_code"], found["stopped"]) == (server.url, 0, None)
    assert found["began"] < found["ended"]
    assert command(folder, server, "run", "-q") == 0
    found = results(folder)
    assert (found["submitted"], found["spent_usd"], found["total_spent_usd"]) == (0, 0, SPENT)


# --- how the command ended -------------------------------------------------------------------------------


def test_over_budget(folder, server):
    assert command(folder, server, "run", "-q", "--max-cost", "0") == 6
    found = results(folder)
    assert (found["exit_code"], found["rows"]["pending"], found["spent_usd"]) == (6, 3, 0)
    assert "would cost" in found["stopped"]


def test_without_a_key(folder):
    assert main(["run", str(folder / "spec.yaml"), "-q", "--base-url", "https://api.example"]) == 3
    found = results(folder)
    assert (found["exit_code"], found["output"], found["files"]) == (3, None, [])
    assert "PARALLEL_API_KEY is not set" in found["stopped"]


def test_rows_that_failed(folder, failing):
    assert command(folder, failing, "run", "-q") == 7
    found = results(folder)
    assert (found["exit_code"], found["rows"]["failed"], found["runs"]) == (7, 3, {"failed": 3})


def test_pending_rows(folder, server):
    assert command(folder, server, "submit", "-q", "--limit", "1") == 0
    assert command(folder, server, "write", "-q") == 5
    found = results(folder)
    assert (found["command"], found["exit_code"], found["rows"]["pending"]) == ("write", 5, 3)
    assert "rows are still pending" in found["stopped"]


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt, 130), (ZeroDivisionError, 1)], ids=["a signal", "a bug"]
)
def test_an_exception(folder, server, error, code):
    ready = prepare(folder / "spec.yaml", Overrides(base_url=server.url))

    def confirm(_):
        raise error

    with pytest.raises(error):
        run(ready, Silent(), Confirmations(confirm))
    assert results(folder)["exit_code"] == code


# --- where it is not written -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["run", "write"])
def test_the_file_is_not_touched_while_another_command_has_the_ledger(folder, server, name):
    assert command(folder, server, "run", "-q") == 0
    file = folder / ".rowcite" / "small" / "run_results.json"
    before = file.read_bytes()
    with FileLock(file.with_name("lock")):
        assert command(folder, server, name, "-q") == (5 if name == "run" else 0)
    assert file.read_bytes() == before


def test_a_file_that_cannot_be_written_does_not_end_the_command(folder, server):
    (folder / ".rowcite" / "small" / "run_results.json").mkdir(parents=True)
    assert command(folder, server, "run", "-q") == 0
    assert (folder / "out.csv").exists()


def test_a_command_that_reads_leaves_no_ledger(folder, server):
    assert command(folder, server, "write", "-q") == 5
    assert not (folder / ".rowcite").exists()


def test_enrich_leaves_the_counts_of_its_table(folder, server, monkeypatch):
    monkeypatch.setenv("PARALLEL_BASE_URL", server.url)
    rowcite.enrich(folder / "table.csv", folder / "spec.yaml")
    found = results(folder)
    assert (found["rows"]["completed"], found["submitted"], found["exit_code"]) == (3, 3, 0)
    with closing(open_ledger(folder / ".rowcite" / "small", writing=False)) as ledger:
        assert found["total_spent_usd"] == ledger.spent() / 1_000_000

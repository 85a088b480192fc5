"""The command line: exit codes, stdout and stderr, and what is never printed."""

import csv
import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from rowcite.cli import main
from rowcite.cli.events import COMMON, EVENTS
from rowcite.ledger import open_ledger
from rowcite.local.server.latency import Lognormal
from rowcite.model import Task
from support import (
    ROOT,
    environment,
    refusing,
    rowcite,
    rowcite_process,
    served,
    small_spec,
    started,
    until,
    write_spec,
)

KEY = "secret-key-9f3a"
COMMANDS = ("run", "plan", "check", "write", "status")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "acme.html").write_text(
        "<title>Acme Oy</title><h1>Acme Oy</h1><p>Acme Oy was founded in 1999.</p>"
    )
    return folder


@pytest.fixture(scope="module")
def server(corpus, tmp_path_factory):
    with served(tmp_path_factory.mktemp("server"), corpus) as running:
        yield running


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)


def spec(folder: Path, rows: int = 2, **changes: object) -> Path:
    """Write a table of distinct rows and a spec for the parallel backend."""
    (folder / "table.csv").write_text("name,website\n" + "".join(f"Company {n},\n" for n in range(rows)))
    whole = small_spec(**{"backend": "parallel", **changes})
    return write_spec(folder, {key: value for key, value in whole.items() if key != "local"})


def statuses(folder: Path, name: str = "out.csv") -> list[str]:
    return [row["rowcite_status"] for row in csv.DictReader(io.StringIO((folder / name).read_text()))]


# --- exit codes ------------------------------------------------------------------------------------------


def test_0_after_a_complete_run(tmp_path, server):
    assert main(["run", str(spec(tmp_path)), "--base-url", server.url]) == 0
    assert statuses(tmp_path) == ["completed", "completed"]


@pytest.mark.parametrize(
    ("changes", "flags", "message"),
    [
        ({"naem": "x"}, [], "unknown key `naem`"),
        ({"input": {"path": "nothing.csv"}}, [], "nothing.csv: no such file"),
        ({"input": {}}, [], "no table to read. Set input.path, or give --input"),
        ({"output": {}}, [], "no table to write: set output.path in the spec, or give --output"),
        ({"output": {"path": "out.docx"}}, [], "unknown format"),
        ({"output": {"path": "-"}}, ["--json"], "--json and --output - both write to stdout"),
        ({}, ["-o", "table.csv"], "this is the input"),
        ({}, ["-o", "spec.yaml/x.csv"], "is not a folder"),
        ({}, ["-i", "table.csv/x.csv"], "no such file"),
        ({}, ["--processor", "mystery-9"], "mystery-9"),
        ({}, ["--backend", "local"], "needs `local: {corpus: FOLDER}`"),
        ({}, ["--backend", "remote"], "'remote' is not one of"),
        ({}, ["--limit", "-1"], "--limit"),
        ({}, ["--limit", "many"], "--limit"),
        ({}, ["--max-cost", "nan"], "an amount of US$"),
        ({}, ["--max-cost", "-1"], "an amount of US$"),
        ({}, ["--nope"], "No such option"),
        ({}, ["-i", ""], "must not be empty"),
        ({}, ["-o", ""], "must not be empty"),
        ({}, ["--base-url", "ftp://x"], "base URL"),
        ({}, ["--base-url", "http://api.example"], "plain http"),
    ],
)
def test_2_for_unusable_input_before_anything_is_spent(
    tmp_path, monkeypatch, capsys, changes, flags, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARALLEL_API_KEY", KEY)
    assert main(["run", str(spec(tmp_path, **changes)), *flags]) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""
    assert "Traceback" not in err
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("path", ["nothing.yaml", ".", "table.csv", "binary.yaml"])
@pytest.mark.parametrize("command", COMMANDS)
def test_2_for_a_file_that_is_not_a_spec(tmp_path, monkeypatch, capsys, command, path):
    monkeypatch.chdir(tmp_path)
    spec(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert main([command, path]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_3_without_a_key(tmp_path, capsys):
    assert main(["run", str(spec(tmp_path)), "--base-url", "https://api.example"]) == 3
    err = capsys.readouterr().err
    assert "PARALLEL_API_KEY is not set" in err
    assert "done" not in err  # no progress of a run that cannot begin
    assert not (tmp_path / "out.csv").exists()


def test_3_for_a_refused_key(tmp_path, monkeypatch, capsys, corpus):
    monkeypatch.setenv("PARALLEL_API_KEY", KEY)
    with served(tmp_path, corpus, key="another") as server:
        assert main(["run", str(spec(tmp_path)), "--base-url", server.url]) == 3
    assert KEY not in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_4_after_a_final_failure_of_the_api(tmp_path, corpus, capsys):
    faults = {"http": [{"method": "POST", "path": "/v1/tasks/groups$", "status": 404}]}
    with served(tmp_path, corpus, faults=faults) as server:
        assert main(["run", str(spec(tmp_path)), "--base-url", server.url]) == 4
    assert not (tmp_path / "out.csv").exists()
    assert "Traceback" not in capsys.readouterr().err


def test_5_while_another_command_uses_the_ledger(tmp_path, server, capsys):
    from filelock import FileLock

    file = spec(tmp_path)
    (tmp_path / ".rowcite" / "small").mkdir(parents=True)
    with FileLock(tmp_path / ".rowcite" / "small" / "lock"):
        assert main(["run", str(file), "--base-url", server.url]) == 5
    assert "another rowcite is using this ledger" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_5_at_the_deadline_and_the_next_run_continues(tmp_path, corpus):
    with served(tmp_path, corpus, latency=0.01) as server:
        limits = {"deadline": "0.4s"}
        assert main(["run", str(spec(tmp_path, limits=limits)), "--base-url", server.url]) == 5
        assert "pending" in statuses(tmp_path)
        assert main(["run", str(spec(tmp_path)), "--base-url", server.url]) == 0
        assert len(server.created()) == 2
    assert statuses(tmp_path) == ["completed", "completed"]


def test_5_a_deadline_that_passes_while_planning_submits_nothing(tmp_path, server, capsys):
    before = len(server.created())
    file = spec(tmp_path, rows=50, limits={"deadline": "0.001s"})
    assert main(["run", str(file), "--base-url", server.url]) == 5
    assert "Stopped at the 0.001 s deadline: 50 rows still pending" in capsys.readouterr().err
    assert len(server.created()) == before
    assert statuses(tmp_path) == ["pending"] * 50


def test_6_over_budget_submits_nothing_and_writes_the_table(tmp_path, server, capsys):
    before = len(server.requests())
    assert main(["run", str(spec(tmp_path, rows=5)), "--base-url", server.url, "--max-cost", "0.1"]) == 6
    assert "5 runs would cost $0.125, and --max-cost is $0.10" in capsys.readouterr().err
    assert len(server.requests()) == before
    assert statuses(tmp_path) == ["pending"] * 5


def test_6_over_the_total_limit_of_the_ledger(tmp_path, server):
    limits = {"max_total_usd": 0.06}
    assert main(["run", str(spec(tmp_path, limits=limits)), "--base-url", server.url]) == 0
    assert main(["run", str(spec(tmp_path, rows=3, limits=limits)), "--base-url", server.url]) == 6
    assert statuses(tmp_path) == ["completed", "completed", "pending"]


def test_7_when_more_rows_failed_than_allowed(tmp_path, corpus):
    with served(tmp_path, corpus, faults={"fail": 1.0}) as server:
        assert main(["run", str(spec(tmp_path)), "--base-url", server.url]) == 7
        assert statuses(tmp_path) == ["failed", "failed"]
        for allowed, code in ((2, 0), (1, 7), ("100%", 0), ("50%", 7)):
            limits = {"max_failed": allowed}
            assert main(["run", str(spec(tmp_path, limits=limits)), "--base-url", server.url]) == code
        assert len(server.created()) == 2
        assert main(["run", str(spec(tmp_path)), "--base-url", server.url, "--retry-failed"]) == 7
        assert len(server.created()) == 4


@pytest.mark.parametrize("sent", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_130_after_a_signal_writes_no_table_and_the_next_run_continues(tmp_path, corpus, sent):
    with served(tmp_path, corpus, latency=Lognormal(2.0, 0.01)) as server:
        file = spec(tmp_path)
        process = started("run", file, "--base-url", server.url, cwd=tmp_path)
        until(lambda: len(server.created()) == 2, 120)
        process.send_signal(sent)
        err = process.communicate(timeout=60)[1].decode()
        assert process.returncode == 130, err
        assert re.search(
            r"Interrupted: 0 of 2 tasks done.* Run the same command to (continue|collect them)", err
        )
        assert "Traceback" not in err
        assert not (tmp_path / "out.csv").exists()
        assert main(["run", str(file), "--base-url", server.url, "-q"]) == 0
        assert len(server.created()) == 2


def test_141_when_the_reader_of_stdout_is_gone(tmp_path):
    process = started("plan", spec(tmp_path), cwd=tmp_path)
    process.stdout.close()
    process.stdout = None
    assert process.communicate(timeout=60)[1] == b""
    assert process.returncode == 141


# --- stdout and stderr -----------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_json_is_one_object_on_stdout_and_nothing_else(tmp_path, server, command, capsys):
    assert main([command, str(spec(tmp_path)), "--base-url", server.url, "--json"]) in {0, 5}
    out = capsys.readouterr().out
    assert isinstance(json.loads(out), dict)
    assert out.count("\n") == 1


def test_the_json_summary_has_counts_and_spend(tmp_path, server, capsys):
    main(["run", str(spec(tmp_path)), "--base-url", server.url, "--json"])
    summary = json.loads(capsys.readouterr().out)
    assert summary["rows"] == {
        "total": 2,
        "completed": 2,
        "rejected": 0,
        "failed": 0,
        "pending": 0,
        "skipped": 0,
    }
    assert (summary["tasks"], summary["submitted"], summary["spent_usd"], summary["exit_code"]) == (
        2,
        2,
        0.05,
        0,
    )
    assert summary["output"] == str(tmp_path / "out.csv")


def test_the_json_summary_is_printed_when_over_budget(tmp_path, server, capsys):
    main(["run", str(spec(tmp_path)), "--base-url", server.url, "--json", "--max-cost", "0"])
    summary = json.loads(capsys.readouterr().out)
    assert summary["exit_code"] == 6
    assert "would cost" in summary["stopped"]


def test_quiet_prints_nothing_on_success(tmp_path, server, capsys):
    assert main(["run", str(spec(tmp_path)), "--base-url", server.url, "-q"]) == 0
    assert capsys.readouterr() == ("", "")


def test_quiet_prints_errors(tmp_path, server, capsys):
    assert main(["run", str(spec(tmp_path)), "--base-url", server.url, "-q", "--max-cost", "0"]) == 6
    assert capsys.readouterr().err.startswith("error: ")


def test_verbose_shows_requests_and_never_the_key(tmp_path, server, monkeypatch, capsys):
    monkeypatch.setenv("PARALLEL_API_KEY", KEY)
    assert main(["run", str(spec(tmp_path)), "--base-url", server.url, "-v"]) == 0
    out, err = capsys.readouterr()
    assert re.search(r"POST /v1/tasks/groups\b", err)
    assert KEY not in out + err
    contents = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert not any(KEY.encode() in data for data in contents)


@pytest.mark.parametrize("flags", [[], ["--max-cost", "0"], ["-o", "nowhere.docx"], ["--json", "-o", "-"]])
def test_each_log_line_is_json_on_request(tmp_path, server, capsys, flags):
    main(["run", str(spec(tmp_path)), "--base-url", server.url, "--log-format", "json", *flags])
    summary = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert summary
    for line in summary:
        assert list(line) == [*COMMON, *EVENTS[line["event"]].fields]
        assert datetime.fromisoformat(line["time"]).tzinfo is not None


def test_the_events_of_a_run_are_named_in_its_json_log(tmp_path, server, capsys):
    command = ["run", str(spec(tmp_path)), "--base-url", server.url, "--log-format", "json"]
    assert main([*command, "-v"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    first = {line["event"]: line for line in reversed(lines)}
    assert [name for name in first if name != "request"] == ["summary", "progress", "plan"]
    assert "request" in first
    assert (first["plan"]["to_submit"], first["plan"]["cost_usd"]) == (2, 0.05)
    assert (first["progress"]["tasks"], first["progress"]["spent_usd"]) == (2, 0.05)
    assert (first["summary"]["rows"]["completed"], first["summary"]["exit_code"]) == (2, 0)
    assert main([*command[:2], "--log-format", "json", "--limit", "x"]) == 2


def test_an_error_in_a_json_log_has_the_exit_code(tmp_path, server, capsys):
    command = ["run", str(spec(tmp_path)), "--base-url", server.url, "--log-format", "json"]
    assert main([*command, "--max-cost", "0"]) == 6
    last = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (last["level"], last["event"], last["exit_code"]) == ("error", "error", 6)


def test_the_docs_list_the_events_and_their_fields():
    text = (ROOT / "docs" / "commands.md").read_text()
    table = text.split("| event | when | fields |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    listed = {event.strip("`"): (when, tuple(re.findall(r"`(\w+)`", names))) for event, when, names in rows}
    assert listed == EVENTS


def test_fresh_submits_answered_rows_again(tmp_path, server):
    file = spec(tmp_path)
    before = len(server.created())
    for flags in ([], [], ["--fresh"]):
        assert main(["run", str(file), "--base-url", server.url, "-q", *flags]) == 0
    assert len(server.created()) == before + 4


# --- plan, check, status, write --------------------------------------------------------------------------


def test_plan_spends_nothing_and_leaves_no_ledger(tmp_path, server, capsys):
    before = len(server.requests())
    assert main(["plan", str(spec(tmp_path, rows=3)), "--base-url", server.url]) == 0
    out = capsys.readouterr().out
    assert "3 rows, 3 distinct tasks" in out
    assert "3 to submit to core, $0.075 at $0.025 a run; about 4 requests, 60 s to 5 min" in out
    assert out.endswith("One row's input:\n  company_name: Company 0\n")
    assert len(server.requests()) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["spec.yaml", "table.csv"]


def test_plan_shows_the_request_body_when_verbose_and_as_an_object_in_json(tmp_path, server, capsys):
    file = str(spec(tmp_path))
    assert main(["plan", file, "--base-url", server.url, "-v"]) == 0
    body = json.loads(capsys.readouterr().out.split("Its request body: ")[1])
    assert body["inputs"][0]["input"] == {"company_name": "Company 0"}
    assert main(["plan", file, "--base-url", server.url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sample"] == body


def test_plan_aligns_the_values_of_one_row(tmp_path, server, capsys):
    (tmp_path / "t.csv").write_text("name,site\nZo,zo.example\n")
    inputs = {"company_name": {"column": "name"}, "url": {"column": "site"}}
    task = {"processor": "core", "inputs": inputs, "outputs": {"city": "City"}, "records_per_run": 2}
    file = write_spec(tmp_path, {"name": "t", "input": {"path": "t.csv"}, "task": task})
    assert main(["plan", str(file), "--base-url", server.url]) == 0
    assert capsys.readouterr().out.endswith("\n  company_name: Zo\n  url:          zo.example\n")


def test_max_age_requests_older_answers_again(tmp_path, server, capsys):
    file = str(spec(tmp_path))
    flags = ["--base-url", server.url]
    assert main(["run", file, *flags, "-q"]) == 0
    assert main(["plan", file, *flags, "--max-age", "1h"]) == 0
    assert "nothing to submit" in capsys.readouterr().out
    time.sleep(0.01)
    assert main(["plan", file, *flags, "--max-age", "0.001s"]) == 0
    assert "2 stored answers are older than 0.001 s: requested again ($0.05)" in capsys.readouterr().out
    before = len(server.created())
    assert main(["run", file, *flags, "-q", "--max-age", "0.001s"]) == 0
    assert len(server.created()) == before + 2
    assert main(["plan", file, *flags, "--max-age", "soon"]) == 2


def test_plan_counts_answered_tasks(tmp_path, server, capsys):
    assert main(["run", str(spec(tmp_path)), "--base-url", server.url, "-q"]) == 0
    assert main(["plan", str(spec(tmp_path, rows=3)), "--base-url", server.url, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (
        summary["tasks"],
        summary["answered"],
        summary["to_submit"],
        summary["cost_usd"],
        summary["spent_usd"],
    ) == (
        3,
        2,
        1,
        0.025,
        0.05,
    )


@pytest.mark.parametrize("command", ["plan", "check", "write", "status"])
def test_only_run_uses_the_network(tmp_path, command):
    with refusing() as port:
        assert main([command, str(spec(tmp_path)), "--base-url", f"http://127.0.0.1:{port}", "-q"]) in {0, 5}
    assert not (tmp_path / ".rowcite").exists()


def test_check_reads_the_whole_table(tmp_path, capsys):
    file = spec(tmp_path)
    with (tmp_path / "table.csv").open("a") as table:
        table.write("ragged\n")
    assert main(["check", str(file)]) == 2
    assert "table.csv:4: 1 cell where the header has 2" in capsys.readouterr().err


def test_check_reports_a_valid_spec(tmp_path, capsys):
    file = spec(tmp_path)
    assert main(["check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: ok. 2 rows, 2 distinct tasks, 0 skipped\n"


def test_check_after_a_run_does_not_warn_about_a_ledger_that_it_does_not_open(tmp_path, server, capsys):
    file = spec(tmp_path)
    assert main(["run", str(file), "--base-url", server.url, "-q"]) == 0
    assert main(["check", str(file)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["check", "plan", "run"])
def test_a_key_with_an_old_name_draws_a_warning(tmp_path, server, capsys, command):
    address = ["--base-url", server.url] if command == "run" else []
    assert main([command, str(spec(tmp_path, accept={"otherwise": "keep"})), *address]) == 0
    assert "`accept.otherwise` is now called `accept.on_reject`: rename it" in "".join(capsys.readouterr())


def test_status_shows_rows_runs_and_spend(tmp_path, server, capsys):
    assert main(["run", str(spec(tmp_path)), "--base-url", server.url, "-q"]) == 0
    assert main(["status", str(spec(tmp_path, rows=3)), "--base-url", server.url]) == 0
    out = capsys.readouterr().out
    assert "3 rows: 2 completed, 1 pending" in out
    assert "2 runs: 2 completed" in out
    assert "$0.05 spent at list price" in out


@pytest.mark.parametrize("created", [False, True])
def test_status_calls_a_run_active_until_it_has_ended(tmp_path, server, capsys, created):
    file = spec(tmp_path)
    assert main(["run", str(file), "--base-url", server.url, "-q"]) == 0
    with closing(open_ledger(tmp_path / ".rowcite" / "small", writing=True)) as ledger:
        batch = ledger.record_intent(1, "g", [Task(b"k" * 16, b"{}")], processor="core", price=1)
        if created:
            ledger.mark_sent(batch.id)
    assert main(["status", str(file), "--base-url", server.url]) == 0
    assert "3 runs: 2 completed, 1 active" in capsys.readouterr().out


def test_write_produces_the_same_bytes_as_run(tmp_path, server):
    file = spec(tmp_path)
    assert main(["run", str(file), "--base-url", server.url, "-q"]) == 0
    first = (tmp_path / "out.csv").read_bytes()
    (tmp_path / "out.csv").unlink()
    assert main(["write", str(file), "--base-url", server.url, "-q"]) == 0
    assert (tmp_path / "out.csv").read_bytes() == first


# --- the command itself ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "message"), [("rnu", "Did you mean 'run'?"), ("frobnicate", "Commands: init, run, submit")]
)
def test_2_for_an_unknown_command(typed, message, capsys):
    assert main([typed]) == 2
    assert message in capsys.readouterr().err


def test_2_for_an_unknown_flag_with_the_nearest_one(tmp_path, capsys):
    assert main(["run", str(spec(tmp_path)), "--limt", "5"]) == 2
    error = capsys.readouterr().err.replace("'", "")  # which click has written around names since 8.3
    assert re.search(r"No such option:? --limt\.? Did you mean --limit\?$", error.strip())


@pytest.mark.parametrize("command", [[], ["ledger"]])
def test_2_with_the_help_for_no_command(command, capsys):
    assert main(command) == 2
    assert "\nCommands:\n" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", *COMMANDS, "serve"])
def test_every_command_has_help(command, capsys):
    assert main([*command.split(), "--help"]) == 0
    assert "Usage: rowcite" in capsys.readouterr().out


HEAVY = (
    "polars",
    "pyarrow",
    "httpx",
    "pydantic",
    "numpy",
    "asyncio",
    "sqlite3",
    "yaml",
    "tenacity",
    "msgspec",
    "tqdm",
    "secrets",
    "difflib",
    "rowcite.files",
    "rowcite.cli.options",
)


@pytest.mark.parametrize(
    "code",
    [
        "import rowcite",
        "import rowcite; rowcite.__version__",
        "from rowcite.cli import main; main(['--help'])",
    ],
)
def test_heavy_libraries_are_imported_late(tmp_path, code):
    script = f"{code}\nimport sys; print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stderr == "[]\n"


def test_1_for_a_bug(tmp_path, monkeypatch, capsys):
    import rowcite.pipeline.prepare

    monkeypatch.setattr(rowcite.pipeline.prepare, "prepare", lambda *_, **__: 1 / 0)
    assert main(["check", str(spec(tmp_path))]) == 1
    assert "Please report the lines above" in capsys.readouterr().err


@pytest.mark.parametrize("faults", ["{broken", "[]x", "5", '{"unknown": 1}'])
def test_2_for_an_invalid_fault_plan(corpus, faults, capsys):
    assert main(["serve", "--corpus", str(corpus), "--faults", faults]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_faulty_table_on_stdin_is_named_stdin(tmp_path):
    done = rowcite("plan", spec(tmp_path), "-i", "-", cwd=tmp_path, stdin=b"name,website\nAcme\n")
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: stdin:2: 1 cell where the header has 2")


def test_2_for_a_file_name_that_is_not_utf_8(tmp_path, capsys):
    file = spec(tmp_path)
    (tmp_path / "table.csv").rename(tmp_path / os.fsdecode(b"b\xff.csv"))
    assert main(["plan", str(file), "-i", str(tmp_path / os.fsdecode(b"b\xff.csv"))]) == 2
    assert "the name is not UTF-8" in capsys.readouterr().err


# --- terminals -------------------------------------------------------------------------------------------

BAD_NAME = "Acme \x1b[2J\x07\u202e\x9b31m"


def test_control_characters_are_not_printed(tmp_path, capsys):
    file = spec(tmp_path)
    (tmp_path / "table.csv").write_text(f"name,website\n{BAD_NAME},\n")
    for flags in ([], ["--json"]):
        assert main(["plan", str(file), *flags]) == 0
        out = capsys.readouterr().out
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out)
    payload = json.loads(out)["sample"]
    assert payload["inputs"][0]["input"]["company_name"] == BAD_NAME


def test_an_error_of_the_api_cannot_forge_lines_or_move_the_cursor(tmp_path, corpus, capsys):
    message = "no\x1b[2J\nerror: all is well\u202e" + "x" * 100_000
    body = json.dumps({"type": "error", "error": {"ref_id": "r", "message": message}})
    faults = {"http": [{"method": "POST", "path": "/groups$", "status": 404, "body": body}]}
    with served(tmp_path, corpus, faults=faults) as server:
        assert main(["run", str(spec(tmp_path)), "--base-url", server.url]) == 4
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert "\u202e" not in err
    assert [line[:20] for line in err.splitlines() if line.startswith("error: ")] == ["error: POST /v1/task"]
    assert len(err) < 10_000


def on_terminal(folder: Path, *args: str, answer: bytes = b"") -> tuple[int, str]:
    """Run the command on a new terminal; return its exit code and the terminal's content."""
    ours, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "rowcite", *args],
        cwd=folder,
        env=environment(),
        stdin=other,
        stdout=other,
        stderr=other,
    ) as process:
        os.close(other)
        os.write(ours, answer)
        seen = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # raised on Linux once the other side is closed
                break
            if not part:
                break
            seen += part
    os.close(ours)
    return process.returncode, seen.decode()


def test_on_a_terminal_there_is_a_bar(tmp_path, server):
    code, seen = on_terminal(tmp_path, "run", str(spec(tmp_path)), "--base-url", server.url)
    assert code == 0
    assert "100%" in seen


def test_no_progress_draws_no_bar(tmp_path, server):
    code, seen = on_terminal(tmp_path, "run", str(spec(tmp_path)), "--base-url", server.url, "--no-progress")
    assert code == 0
    assert "100%" not in seen


def test_a_usage_error_is_folded_between_words(tmp_path):
    code, seen = on_terminal(
        tmp_path, "deltas", str(spec(tmp_path)), "-o", "x.csv", "--key", "name", "--since", "yesterday"
    )
    assert code == 2
    assert "Error: Invalid value for '--since': 'yesterday' is not a time: write it like 2026-11-01," in seen
    assert all(len(line) <= 100 for line in seen.splitlines())


def test_a_prompt_appears_above_one_dollar_on_a_terminal(tmp_path, server):
    file, before = str(spec(tmp_path, rows=41)), len(server.created())
    code, seen = on_terminal(tmp_path, "run", file, "--base-url", server.url, answer=b"n\n")
    assert code == 5
    assert "Spend $1.025? [y/N]" in seen
    assert "Nothing was submitted, nothing was spent" in seen
    assert not (tmp_path / "out.csv").exists()
    assert len(server.created()) == before
    assert on_terminal(tmp_path, "run", file, "--base-url", server.url, answer=b"y\n")[0] == 0
    assert len(server.created()) == before + 41


def test_no_prompt_appears_with_yes_or_without_a_terminal(tmp_path, server):
    code, seen = on_terminal(tmp_path, "run", str(spec(tmp_path, rows=41)), "--base-url", server.url, "--yes")
    assert code == 0
    assert "Spend" not in seen
    assert (
        rowcite("run", spec(tmp_path, rows=42), "--base-url", server.url, "--fresh", cwd=tmp_path).returncode
        == 0
    )


def test_a_large_table_with_an_early_fault_ends_with_2(tmp_path):
    """Arrow reads ahead in threads; a thread still active when Python exited aborted the process."""
    file = spec(tmp_path)
    with (tmp_path / "table.csv").open("ab") as table:
        table.write(b"ragged\n" + b"Acme,x\n" * 20_000_000)
    done = rowcite_process("plan", file, cwd=tmp_path)
    (tmp_path / "table.csv").unlink()
    assert done.returncode == 2, done.stderr


def test_a_run_that_stops_early_reports_its_spend(tmp_path, corpus):
    (tmp_path / "table.csv").write_text("name,website\nAcme Oy,acme.example\n")
    with served(tmp_path, corpus, latency=1) as server:
        for deadline in ("2s", "60s"):  # a busy machine may need more than two seconds to submit
            spec = write_spec(tmp_path, small_spec(backend="parallel", limits={"deadline": deadline}))
            done = rowcite("run", spec, "--json", "--base-url", server.url, cwd=tmp_path)
            summary = json.loads(done.stdout)
            if summary["submitted"]:
                break
    assert (done.returncode, summary["exit_code"], summary["submitted"], summary["rows"]["pending"]) == (
        5,
        5,
        1,
        1,
    )
    assert summary["requests"] >= 2
    assert summary["spent_usd"] == 0.025


def test_the_plan_counts_answers_to_an_earlier_spec(tmp_path, corpus):
    (tmp_path / "table.csv").write_text("name,website\nAcme Oy,acme.example\nBolt,bolt.example\n")
    local = {"corpus": str(corpus)}
    rowcite("run", write_spec(tmp_path, small_spec(local=local)), cwd=tmp_path)
    changed = small_spec(local=local)
    changed["task"]["outputs"]["founded_year"]["description"] = "Year of foundation, as the company says it"
    plan = rowcite("plan", write_spec(tmp_path, changed), cwd=tmp_path).stdout.decode()
    assert "2 to submit" in plan
    assert "The description of founded_year changed: 2 answers are requested again\n" in plan
    again = rowcite("plan", write_spec(tmp_path, small_spec(local=local)), cwd=tmp_path).stdout.decode()
    assert "2 answered" in again
    assert "requested again" not in again

"""Every command that reads a table shows how far it is: on a terminal as one line that goes, elsewhere as lines."""

import io
import json
import re
import time
from contextlib import redirect_stderr

import pytest

from rowcite.cli import main
from rowcite.cli.bar import Passes
from rowcite.cli.console import Console
from rowcite.progress import count_read, table_pass, watching
from support import with_slow
from support.answers import NOWHERE, answer, answered, found, known

COMMANDS = {
    "plan": [],
    "run": [],
    "write": [],
    "status": [],
    "report": ["-o", "report.html"],
    "deltas": ["--key", "name", "-o", "deltas.csv"],
}


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = known(tmp_path, [{"name": name} for name in ("Alpha", "Beta", "Gamma")])
    answered(path, [answer(industry=found("pumps"))] * 3)
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_rows_and_answers_are_shown_while_they_are_read(spec, monkeypatch, capsys, command):
    monkeypatch.setenv("ROWCITE_LOG_SECONDS", "0.0005")
    assert main([command, str(spec), *COMMANDS[command], "--base-url", NOWHERE]) == 0
    lines = capsys.readouterr().err.splitlines()
    answers = "" if command == "plan" else ", 3 stored answers read"
    assert any(re.fullmatch(rf"3 rows read{answers}, 0:0\d(, \d+ \w+/s)?", line) for line in lines), lines


@pytest.mark.parametrize("command", with_slow(COMMANDS, "report"))
def test_no_progress_writes_lines_to_a_terminal(spec, monkeypatch, command):
    monkeypatch.setenv("ROWCITE_LOG_SECONDS", "0.0005")
    with redirect_stderr(Terminal()) as terminal:
        assert main([command, str(spec), *COMMANDS[command], "--base-url", NOWHERE, "--no-progress"]) == 0
    assert re.search(r"^3 rows read", terminal.getvalue(), re.MULTILINE), terminal.getvalue()


def test_a_json_log_has_the_counts(spec, monkeypatch, capsys):
    monkeypatch.setenv("ROWCITE_LOG_SECONDS", "0.0005")
    assert main(["status", str(spec), "--log-format", "json", "--base-url", NOWHERE]) == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    last = [event for event in events if event["event"] == "reading"][-1]
    assert (last["rows"], last["answers"]) == (3, 3)
    assert 0 <= last["seconds"] < 60


@pytest.mark.parametrize("given", ["soon", "0", "-1", "nan", "1e9"])
def test_a_time_between_lines_that_is_none_is_an_error(spec, monkeypatch, capsys, given):
    monkeypatch.setenv("ROWCITE_LOG_SECONDS", given)
    assert main(["status", str(spec)]) == 2
    assert f"ROWCITE_LOG_SECONDS: '{given}' is not a number of seconds, such as 30" in capsys.readouterr().err


def test_a_short_pass_shows_nothing(spec, capsys):
    assert main(["status", str(spec), "--base-url", NOWHERE]) == 0
    assert capsys.readouterr().err == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def passes(console):
    reading = Passes(console)
    reading.first_seconds = 0.01
    return watching(reading)


def until(terminal, text):
    end = time.monotonic() + 60
    while text not in terminal.getvalue():
        assert time.monotonic() < end, terminal.getvalue()
        time.sleep(0.005)


def test_a_terminal_has_one_line_that_is_removed_at_the_end():
    with redirect_stderr(Terminal()) as terminal, passes(console := Console()), table_pass():
        count_read(rows=1_200, answers=7)
        until(terminal, "1,200 rows read  7 stored answers read  0:0")
        console.warning("look")
        until(terminal, "warning: look\n")
    assert console.write_above is None
    assert terminal.getvalue().replace("\r", "\n").splitlines()[-1].strip() == ""


def test_nothing_is_shown_beside_the_progress_of_tasks():
    console = Console()
    console.shows_tasks = True
    with redirect_stderr(Terminal()) as terminal, passes(console), table_pass():
        count_read(rows=5)
        time.sleep(0.05)
    assert terminal.getvalue() == ""

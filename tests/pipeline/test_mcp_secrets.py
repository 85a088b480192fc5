"""A variable in the URL of an MCP server: sent, and in nothing that rowcite writes or prints."""

import os

import pytest

from rowcite.cli import main
from support import environment, served
from support.answers import FIELDS, NOWHERE, answer, answered, found, known

TOKEN = "hunter2-7c1f"
WRITTEN = "https://tools.example/${TOKEN}/mcp"


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)
    monkeypatch.setenv("TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def spec(tmp_path):
    """Return a spec with an MCP server whose URL has a variable."""
    task = {
        "processor": "core",
        "inputs": {"company": {"column": "name"}},
        "outputs": FIELDS,
        "mcp_servers": [{"url": WRITTEN, "name": "crm"}],
    }
    return known(tmp_path, [{"name": "Alpha"}], task=task)


def with_token(folder):
    return [str(path) for path in folder.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]


def test_the_value_is_sent_and_the_written_form_stored(spec, tmp_path):
    ready = answered(spec, [answer(industry=found("pumps"))])
    assert f"https://tools.example/{TOKEN}/mcp".encode() in ready.job.question.run
    assert main(["ledger", "export", str(spec), "-o", "record.parquet"]) == 0
    assert with_token(tmp_path) == []
    assert WRITTEN.encode() in (tmp_path / ".rowcite" / "known" / "ledger.db").read_bytes()


def test_another_value_of_the_variable_does_not_pay_again(spec, monkeypatch, capsys):
    answered(spec, [answer(industry=found("pumps"))])
    monkeypatch.setenv("TOKEN", "renewed")
    assert main(["plan", str(spec), "--base-url", NOWHERE]) == 0
    assert "nothing to submit" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "plan", "run"])
def test_each_command_before_sending_warns_and_shows_the_written_form_alone(spec, tmp_path, capsys, command):
    with served(tmp_path) as server:
        assert main([command, str(spec), "--base-url", server.url]) == 0
    output = "".join(capsys.readouterr())
    assert "`mcp_servers.0.url` has a variable" in output
    assert "put a secret in `headers`" in output
    assert TOKEN not in output
    assert [path for path in with_token(tmp_path) if "ledger" in path] == []

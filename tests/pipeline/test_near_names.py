"""A name that does not exist or is missing: each command names the nearest one, or the choices; and the help."""

import json
import shutil

import pytest
from click.testing import CliRunner

from rowcite.cli import cli, main
from support import ROOT

SPEC = """\
name: accounts
input: {path: accounts.csv}
output: {path: out.csv}
task:
  processor: core
  inputs: {company: {column: name}}
  outputs: {sector: Main sector}
backend: local
local: {corpus: pages}
"""


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """Return a function that runs a command in a folder with a spec, a table and a corpus; it gives what it shows."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "sample_data" / "accounts.csv", tmp_path)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.md").write_text("# A page")

    def run(*args: str, spec: str = SPEC) -> str:
        (tmp_path / "accounts.yaml").write_text(spec)
        done = CliRunner().invoke(cli, args)
        assert done.exit_code == 2 or not isinstance(done.exception, SystemExit), done.output
        return done.output + str(done.exception or "")

    return run


@pytest.mark.parametrize("command", ["run", "plan", "check", "status", "write", "explain"])
def test_the_spec(typed, command):
    assert "acounts.yaml: no such file (did you mean accounts.yaml?)" in typed(
        command, "acounts.yaml", *["--row", "1"] * (command == "explain")
    )


def test_the_table(typed, tmp_path):
    assert f"(did you mean {tmp_path / 'accounts.csv'}?)" in typed(
        "check", "accounts.yaml", spec=SPEC.replace("accounts.csv", f"{tmp_path}/acounts.csv")
    )
    assert "(did you mean accounts.csv?)" in typed("check", "accounts.yaml", "-i", "acount.csv")


def test_the_folder_of_documents(typed):
    assert "(did you mean pages?)" in typed("check", "accounts.yaml", spec=SPEC.replace("pages", "page"))


def test_the_processor(typed):
    api = SPEC.split("backend", maxsplit=1)[0]
    assert "no price is known for `cor-fast` (did you mean `core-fast`?)" in typed(
        "check", "accounts.yaml", spec=api.replace("core", "cor-fast")
    )
    assert "`utlra` (did you mean `ultra`?)" in typed(
        "check", "accounts.yaml", "--processor", "utlra", spec=api
    )
    assert "`por` (did you mean `pro`?)" in typed("check", "accounts.yaml", spec=api + "escalate: [por]\n")


def test_the_column_of_an_input(typed):
    assert 'column "Name" is not in the table (did you mean "name"?)' in typed(
        "check", "accounts.yaml", spec=SPEC.replace("column: name", "column: Name")
    )


@pytest.mark.parametrize(
    "args", [("deltas", "-o", "changes.csv"), ("eval", "--draw", "5", "-o", "truth.csv")]
)
def test_the_column_of_the_key(typed, args):
    command, *rest = args
    assert 'column "acount_id" is not in the table (did you mean "account_id"?)' in typed(
        command, "accounts.yaml", "--key", "acount_id", *rest
    )


def test_a_field_beside_a_column_in_another_case_draws_a_warning(typed, tmp_path):
    shown = typed("check", "accounts.yaml", spec=SPEC.replace("sector: Main", "Country: Main"))
    assert (
        'the field `Country` adds the column "Country" beside "country". To fill that one, name the field `country`'
        in shown
    )
    assert json.loads(typed("check", "accounts.yaml", "--json"))["warnings"] == []


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["ledger", "--help"]])
def test_help_fits_a_narrow_terminal(monkeypatch, capsys, command):
    monkeypatch.setenv("COLUMNS", "40")
    assert main(command) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 40


def test_the_choices_of_a_missing_argument_are_on_its_line(capsys):
    assert main(["completion"]) == 2
    assert "Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish\n" in capsys.readouterr().err

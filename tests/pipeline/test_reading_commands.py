"""Commands that read stored answers: whose answers they use, what they name, and what they leave as it was."""

import csv
import json
import os
import sqlite3
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from rowcite.cli import main
from rowcite.pipeline.which_api import PARALLEL
from support import WEB, environment, served, with_slow
from support.answers import NOWHERE, answer, answered, found, known

ELSEWHERE = "http://127.0.0.1:19"
COMMANDS = {
    "status": [],
    "explain": ["--row", "1"],
    "write": [],
    "report": ["-o", "written"],
    "deltas": ["--key", "name", "-o", "written.csv"],
    "review": ["--export", "written"],
}
WRITTEN = {"write": "out/known.csv", "report": "written", "deltas": "written.csv", "review": "written"}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch, tmp_path):
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def spec(tmp_path):
    """Return a spec whose table has two rows."""
    return known(tmp_path, [{"name": "Alpha"}, {"name": "Beta"}])


def store(spec, api):
    answered(spec, [answer(industry=found("pumps")), answer(industry=found("valves"))], api=api)


def rowcite(command, spec, *flags):
    return main([command, str(spec), *COMMANDS.get(command, []), *flags])


def statuses(folder):
    with (folder / "out" / "known.csv").open() as table:
        return [row["rowcite_status"] for row in csv.DictReader(table)]


# --- which API -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_the_only_api_with_runs_is_used_and_named_where_none_is_given(spec, capsys, command):
    store(spec, NOWHERE)
    assert rowcite(command, spec) == 0
    output = capsys.readouterr()
    assert NOWHERE in output.out + output.err
    assert "warning" not in output.err


@pytest.mark.parametrize("command", with_slow(COMMANDS, "report"))
def test_json_names_the_api(spec, capsys, command):
    store(spec, NOWHERE)
    assert rowcite(command, spec, "--json", "-q") == 0
    assert json.loads(capsys.readouterr().out)["api"] == NOWHERE


def test_write_keeps_every_answer_of_a_run_at_another_base_url(spec, tmp_path):
    store(spec, NOWHERE)
    assert rowcite("write", spec, "-q") == 0
    assert statuses(tmp_path) == ["completed"] * 2


def test_the_default_api_is_used_where_it_has_runs_among_others(spec, capsys):
    for api in (NOWHERE, PARALLEL):
        store(spec, api)
    assert rowcite("status", spec, "--json") == 0
    assert json.loads(capsys.readouterr().out)["api"] == PARALLEL


@pytest.mark.parametrize("command", with_slow(COMMANDS, "report"))
def test_several_apis_with_runs_are_listed_with_the_flag_to_type(spec, tmp_path, capsys, command):
    for api in (NOWHERE, ELSEWHERE):
        store(spec, api)
    assert rowcite(command, spec) == 2
    error = capsys.readouterr().err
    assert f"2 runs: --base-url {NOWHERE}" in error
    assert f"2 runs: --base-url {ELSEWHERE}" in error
    assert not (tmp_path / WRITTEN.get(command, "none")).exists()


@pytest.mark.parametrize("command", with_slow(WRITTEN, "report"))
def test_a_named_api_without_runs_leaves_the_written_file_as_it_was(spec, tmp_path, capsys, command):
    store(spec, NOWHERE)
    assert rowcite(command, spec, "-q") == 0
    before = (tmp_path / WRITTEN[command]).read_bytes()
    assert rowcite(command, spec, "--base-url", ELSEWHERE) == 2
    assert f"2 runs: --base-url {NOWHERE}" in capsys.readouterr().err
    assert (tmp_path / WRITTEN[command]).read_bytes() == before


@pytest.mark.parametrize("command", ["status", "explain"])
def test_a_named_api_without_runs_draws_a_warning(spec, monkeypatch, capsys, command):
    store(spec, NOWHERE)
    monkeypatch.setenv("PARALLEL_API_URL", ELSEWHERE)
    assert rowcite(command, spec) == 0
    error = capsys.readouterr().err
    assert f"warning: the ledger has no answers from {ELSEWHERE}. It has" in error
    assert f"2 runs: --base-url {NOWHERE}" in error


def test_plan_warns_that_answers_of_another_api_are_requested_again(spec, capsys):
    store(spec, NOWHERE)
    assert rowcite("plan", spec) == 0
    output = capsys.readouterr().out
    assert f"API: {PARALLEL}\n" in output
    assert f"warning: 2 answers came from {NOWHERE}; this run requests {PARALLEL} again" in output
    assert "changed" not in output


def test_run_warns_and_never_takes_the_api_from_the_ledger(spec, capsys):
    store(spec, NOWHERE)
    assert rowcite("run", spec) == 3  # Parallel's API needs a key; the one in the ledger does not
    assert f"2 answers came from {NOWHERE}; this run requests {PARALLEL} again" in capsys.readouterr().err


def test_a_local_corpus_is_used_whatever_api_has_runs(tmp_path, spec, capsys):
    store(spec, NOWHERE)
    whole = json.loads(spec.read_text())
    spec.write_text(json.dumps({**whole, "backend": "local", "local": {"corpus": str(WEB)}}))
    assert rowcite("status", spec) == 0
    output = capsys.readouterr()
    assert "2 pending (answers of the local corpus;" in output.out
    assert f"2 runs: --backend parallel --base-url {NOWHERE}" in output.err


def test_the_advice_for_pending_rows_names_the_api_of_the_ledger(spec, capsys):
    answered(spec, [answer(industry=found("pumps"))])
    assert rowcite("report", spec) == 0
    assert f"run `rowcite run {spec} --base-url {NOWHERE}`" in capsys.readouterr().err


# --- base URLs -------------------------------------------------------------------------------------------


def test_another_spelling_of_the_base_url_does_not_pay_again(spec, tmp_path, monkeypatch):
    with served(tmp_path) as server:
        address = server.url.replace("http://127.0.0.1", "http://localhost")
        assert rowcite("run", spec, "--base-url", address, "-q") == 0
        created = len(server.created())
        for spelling in (f"{address}/v1/", address.replace("http://localhost", "HTTP://LocalHost") + "/"):
            assert rowcite("run", spec, "--base-url", spelling, "-q") == 0
        monkeypatch.setenv("PARALLEL_BASE_URL", f"{address}/v1beta")
        assert rowcite("run", spec, "-q") == 0
        assert len(server.created()) == created == 2


@pytest.mark.parametrize("name", ["--base-url", "PARALLEL_BASE_URL", "PARALLEL_API_URL"])
@pytest.mark.parametrize("url", [":bad", "https://[::1", "ftp://x", "http://ann:hunter2@127.0.0.1:9"])
@pytest.mark.parametrize("command", ["run", "plan", "check", *COMMANDS])
def test_an_invalid_base_url_is_a_usage_error_by_name(
    spec, tmp_path, monkeypatch, capsys, command, url, name
):
    flags = [name, url] if name.startswith("-") else []
    if not flags:
        monkeypatch.setenv(name, url)
    assert rowcite(command, spec, *flags) == 2
    output = capsys.readouterr()
    assert f"error: {name}: " in output.err
    assert "hunter2" not in output.out + output.err
    assert not (tmp_path / ".rowcite").exists()


# --- read-only folders -----------------------------------------------------------------------------------

ANY_USER = 65_534


@contextmanager
def unprivileged():
    """Run a block as a user whose writes the modes of folders prevent, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    for name in ("pyarrow.compute", "rowcite.report.page"):  # Python itself may be in a folder of root
        import_module(name)
    os.setresuid(ANY_USER, ANY_USER, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def lock(folder):
    """Make a folder and all in it readable by every user, and writable by none."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


def files(folder):
    return sorted((str(path), path.stat().st_size) for path in folder.rglob("*"))


@pytest.fixture
def folders(monkeypatch):
    """Return a folder for a spec with its table and ledger, and one that every user can write to."""
    with TemporaryDirectory() as archive, TemporaryDirectory() as elsewhere:
        Path(elsewhere).chmod(0o777)
        Path(archive, "out").mkdir()
        monkeypatch.chdir(archive)
        yield Path(archive), Path(elsewhere)
        for path in (Path(archive), *Path(archive).rglob("*")):
            path.chmod(0o755)


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("status", []),
        ("explain", ["--row", "1"]),
        ("check", []),
        ("plan", []),
        ("report", ["-o", "{}/page.html"]),
        ("review", ["--export", "{}/review.csv"]),
        ("deltas", ["--key", "name", "-o", "{}/deltas.csv"]),
        ("write", ["-o", "{}/table.csv"]),
    ],
)
def test_a_command_that_reads_needs_no_write_access(folders, capsys, command, flags):
    archive, elsewhere = folders
    spec = known(archive, [{"name": "Alpha"}, {"name": "Beta"}])
    store(spec, NOWHERE)
    lock(archive)
    before = files(archive)
    with unprivileged():
        code = main([command, str(spec), "--base-url", NOWHERE, *(flag.format(elsewhere) for flag in flags)])
    assert (code, capsys.readouterr().err.count("error")) == (0, 0)
    assert files(archive) == before
    assert len(list(elsewhere.iterdir())) == any("{}" in flag for flag in flags)


def test_the_answers_in_a_read_only_ledger_are_complete(folders, capsys):
    archive, _ = folders
    spec = known(archive, [{"name": "Alpha"}, {"name": "Beta"}])
    store(spec, NOWHERE)
    lock(archive)
    with unprivileged():
        assert main(["status", str(spec), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]["completed"] == 2


@pytest.mark.parametrize("command", ["run", "write"])
def test_a_command_that_writes_the_table_names_a_read_only_folder(folders, capsys, command):
    archive, _ = folders
    spec = known(archive, [{"name": "Alpha"}])
    lock(archive)
    with unprivileged():
        assert main([command, str(spec), "--base-url", NOWHERE]) == 2
    assert "known.csv: cannot write there: no permission for the folder" in capsys.readouterr().err


def test_a_read_only_ledger_with_answers_outside_its_file_is_never_read_without_them(folders, capsys):
    archive, _ = folders
    spec = known(archive, [{"name": "Alpha"}, {"name": "Beta"}])
    store(spec, NOWHERE)
    ledger = archive / ".rowcite" / "known"
    with closing(sqlite3.connect(ledger / "ledger.db")) as killed:
        killed.execute("DELETE FROM answer")
        killed.execute("UPDATE run SET state = 'failed'")
        killed.commit()
        copies = [(ledger / name).read_bytes() for name in ("ledger.db", "ledger.db-wal")]
    for name, content in zip(("ledger.db", "ledger.db-wal"), copies, strict=True):
        (ledger / name).write_bytes(content)
    lock(archive)
    with unprivileged():
        assert main(["status", str(spec)]) == 5
    assert "copy the folder, and name the copy with --ledger" in capsys.readouterr().err


WRITING = {
    "report": ["report", "spec.yaml", "--output"],
    "deltas": ["deltas", "spec.yaml", "--key", "name", "--output"],
    "deltas since": ["deltas", "spec.yaml", "--key", "name", "--since", "7d", "--output"],
    "review": ["review", "spec.yaml", "--export"],
    "picture": ["eval", "spec.yaml", "--truth", "table.csv", "--key", "name", "--target", "0.5", "--picture"],
    "ledger": ["ledger", "export", "spec.yaml", "--output"],
}


@pytest.mark.parametrize("name", WRITING)
def test_no_command_replaces_the_table_its_output_the_spec_or_the_ledger(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    path = known(tmp_path, [{"name": "Alpha"}])
    answered(path, [answer(industry=found("pumps"))])
    assert main(["write", str(path), "--base-url", NOWHERE]) == 0
    ledger = next((tmp_path / ".rowcite").rglob("ledger.db"))
    tables = ("table.csv", "out/known.csv")
    before = {file: file.read_bytes() for file in (*map(Path, tables), path, ledger)}
    where = [] if name == "ledger" else ["--base-url", NOWHERE]
    for target in (*tables, "sub/../spec.yaml", str(ledger.with_name("x.csv"))):
        assert main([*WRITING[name], target, *where]) == 2
        err = capsys.readouterr().err
        assert any(text in err for text in ("Name another file", "ends in .csv")), err
    assert before == {file: file.read_bytes() for file in before}
    assert not ledger.with_name("x.csv").exists()


@pytest.mark.parametrize(
    "table", ["parts", "parts/*.csv", "pa*/**/*.csv", "parts/[a-z]*.csv", "../*/parts/*"]
)
def test_no_command_adds_a_part_to_a_table_of_several(tmp_path, monkeypatch, capsys, table):
    home = tmp_path / "home"  # the folders beside it are this test's alone
    home.mkdir()
    monkeypatch.chdir(home)
    path = known(home, [{"name": "Alpha"}])
    Path("parts").mkdir()
    Path("table.csv").rename("parts/table.csv")
    path.write_text(json.dumps({**json.loads(path.read_text()), "input": {"path": table}}))
    answered(path, [answer(industry=found("pumps"))])
    draw = ["eval", "spec.yaml", "--draw", "1", "--key", "name", "--output"]
    for words in (WRITING["deltas"], draw, ["write", "spec.yaml", "--output"]):
        for target, code in (("parts/x.csv", 2), (f"{words[0]}.csv", 0)):
            assert main([*words, target, "--base-url", NOWHERE]) == code, capsys.readouterr().err
        assert "Write to another folder" in capsys.readouterr().err
    assert [file.name for file in Path("parts").iterdir()] == ["table.csv"]


@pytest.mark.parametrize("name", ["report", "review", "draw", "picture", "ledger"])
def test_no_command_writes_a_file_under_the_name_of_another_format(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    path = known(tmp_path, [{"name": "Alpha"}])
    answered(path, [answer(industry=found("pumps"))])
    draw = ["eval", "spec.yaml", "--draw", "1", "--key", "name", "--output"]
    where = [] if name == "ledger" else ["--base-url", NOWHERE]
    assert main([*WRITING.get(name, draw), "x.xlsx", *where]) == 2
    assert "written, and the name is that of xlsx. Name another file" in capsys.readouterr().err
    assert not Path("x.xlsx").exists()


def test_every_command_names_a_record_by_the_text_of_its_line(tmp_path, capsys):
    path = known(tmp_path, [{"name": "Alpha"}, {"name": "Beta"}])
    lines = '{"id": 2.50, "name": "Alpha"}\n{"id": null, "name": "Beta"}\n'
    (tmp_path / "table.jsonl").write_text(lines)
    path.write_text(json.dumps({**json.loads(path.read_text()), "input": {"path": "table.jsonl"}}))
    answered(path, [answer(industry=found("pumps")), answer(industry=found("valves"))])
    where = ["--key", "id", "--base-url", NOWHERE, "-q"]
    for flags in (["deltas"], ["deltas", "--since", "7d"], ["eval", "--draw", "1"]):
        assert (
            main([flags[0], str(path), *flags[1:], "--output", f"{len(flags)}{flags[-1]}.csv", *where]) == 0
        )
    files = list(tmp_path.glob("[0-9]*.csv"))
    assert [file.read_text().splitlines()[1].split(",")[0] for file in files] == ["2.50"] * 3
    assert "left out 1 changed row without a key" in capsys.readouterr().err
    assert main(["explain", str(path), "--key", "id=2.50", "--base-url", NOWHERE]) == 0

"""Whatever an API answers: no cell of a file begins a formula, every CSV reads back, and no line of a log is forged."""

import csv
import io
import json
import os
import random
from contextlib import closing, redirect_stdout

import pytest

from rowcite.cli import main
from rowcite.inert import is_formula
from rowcite.ledger import open_ledger
from rowcite.model import Decision
from rowcite.review.sheet import read_decisions
from rowcite.spec.fields import fields
from support import with_slow
from support.answers import FIELDS, NOWHERE, answer, answered, found, known, ready

VALUES = int(os.environ.get("ROWCITE_HOSTILE", "120"))
BEGINNINGS = (
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "\0",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "'",
    '"',
    ",",
    ";",
    "\r\n",
    "\u2028",
)
SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "", "a", "1")
ENDS = ("1+1", "cmd|' /C calc'!A0", "\r=2", "\nerror: forged", "\x1b[2J", '";=1', ",=1", "", "\0", "x" * 200)
NAMES = {"=cmd()": FIELDS["industry"], "\uff20products": FIELDS["products"]}


def hostile(seed):
    choose = random.Random(seed).choice
    return choose(BEGINNINGS) + choose(BEGINNINGS) + choose(SIGNS) + choose(ENDS)


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """Return a spec whose every answer, failure and decision was made to break out of its cell or line."""
    folder = tmp_path_factory.mktemp("web")
    rows = [{"id": f"A{number}", "name": f"Row {number}"} for number in range(VALUES)]
    path = known(folder, rows, columns={"reasoning": True, "citations": "full"}, task=task())
    answered(path, map(answered_with, range(VALUES)))
    return path


def task():
    return {
        "processor": "core",
        "inputs": {"company_name": {"column": "name", "required": True}},
        "outputs": {**FIELDS, **NAMES},
    }


def answered_with(seed):
    value = hostile(seed)
    if seed == 1:
        value = "=" + "long\r" * 40_000  # a cell above the limit of Python's csv module
    if seed % 7 == 6:
        return f"The run failed: {value}"
    sure = "low" if seed % 3 == 2 else "high"
    basis = {"url": f"https://x.example/{value}", "title": value, "excerpts": [value], "reasoning": value}
    text, items = found(value, sure, **basis), found([value, hostile(-seed - 1)], sure, **basis)
    return answer(
        industry=text,
        products=items,
        employee_count=found(value, **basis),
        **dict(zip(NAMES, (text, items), strict=True)),
    )


def run(path, command, *flags):
    code = main([command, str(path), "--base-url", NOWHERE, *flags])
    assert code in (0, 7)


def cells(file):
    """Return the rows of a CSV as Python's reader has them, and check that all have the width of the header."""
    before = csv.field_size_limit(1 << 30)
    try:
        rows = list(csv.reader(io.StringIO(file.read_bytes().decode(), newline="")))
    finally:
        csv.field_size_limit(before)
    assert {len(row) for row in rows} == {len(rows[0])}
    return rows


def assert_inert(rows):
    assert [cell[:80] for row in rows for cell in row if is_formula(cell)] == []


def test_no_cell_of_a_table_begins_a_formula(web, tmp_path):
    run(web, "write", "-o", str(tmp_path / "out.csv"))
    rows = cells(tmp_path / "out.csv")
    assert len(rows) == VALUES + 1
    assert "'=cmd()" in rows[0]
    assert_inert(rows)


@pytest.mark.parametrize("flags", [[], ["--for", "hubspot"], ["--for", "salesforce"], ["--per-field"]])
def test_no_cell_of_a_deltas_file_begins_a_formula(web, tmp_path, flags):
    run(web, "deltas", "--key", "id", "-o", str(tmp_path / "new.csv"), *flags)
    files = list(tmp_path.glob("new*.csv"))
    assert len(files) == (5 if flags == ["--per-field"] else 1)
    for file in files:
        rows = cells(file)
        assert len(rows) > 1
        assert_inert(rows)


@pytest.mark.parametrize("flags", [[], ["--for", "hubspot"]])
def test_a_deltas_file_with_escaped_names_and_values_is_empty_against_itself(web, tmp_path, capsys, flags):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    run(web, "deltas", "--key", "id", "-o", str(first), *flags)
    run(web, "deltas", "--key", "id", "-o", str(second), "--against", str(first), *flags)
    assert "nothing changed" in capsys.readouterr().err


def test_no_cell_of_exported_decisions_begins_a_formula_and_the_import_reads_them_back(web, tmp_path, capsys):
    export = tmp_path / "decisions.csv"
    run(web, "review", "--export", str(export))
    rows = cells(export)
    assert len(rows) > VALUES / 3
    assert_inert(rows)
    shown = dict(zip(rows[0], rows[1], strict=True))
    with closing(open_ledger(web.parent / ".rowcite" / "known", writing=True)) as ledger:
        ledger.record_decisions(
            [
                Decision(
                    bytes.fromhex(shown["key"]),
                    "industry",
                    "correct",
                    f'"\\r{"=1" * 70_000}"',
                    "=me",
                    1.0,
                    "=1\r2",
                )
            ]
        )
    run(web, "review", "--export", str(export))
    run(web, "review", "--import", str(export))
    assert "0 decisions imported, 1 already known" in capsys.readouterr().err


@pytest.mark.parametrize("command", with_slow(["write", "report", "status", "explain"], "report"))
def test_no_line_of_a_log_or_of_the_terminal_is_forged(web, tmp_path, capsys, command):
    flags = {
        "write": ["-o", str(tmp_path / "out.csv")],
        "report": ["-o", str(tmp_path / "out.html")],
        "explain": ["--row", "1"],
    }
    for row in (1, 3, 4, 5) if command == "explain" else [1]:  # the second has a cell of 40,000 lines
        run(web, command, *(["--row", str(row)] if command == "explain" else flags.get(command, [])))
    shown = capsys.readouterr()
    for line in (shown.out + shown.err).split("\n"):
        assert not line.startswith("error: ")
        assert line.replace("\t", "").isprintable()


@pytest.mark.parametrize("command", ["write", "report", "review"])
def test_a_file_on_a_terminal_cannot_move_the_cursor(web, command):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown = Terminal()
    with redirect_stdout(shown):
        run(web, command, *(["--export", "-"] if command == "review" else ["-o", "-"]))
    assert len(shown.getvalue()) > 10_000
    assert all(line.replace("\t", "").isprintable() for line in shown.getvalue().split("\n"))


def test_an_apostrophe_before_a_formula_survives_export_and_import(tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "Row"}])
    answered(path, [answer(industry=found("x", "low"))])
    (key,) = ready(path).job.reader.batches(ready(path).job.question)
    export = tmp_path / "decisions.csv"
    for value in ("=1", "'=1", "''=1", "'", "'x", " '=1"):
        with closing(open_ledger(tmp_path / ".rowcite" / "known", writing=True)) as ledger:
            task = next(iter(key.tasks))
            ledger.record_decisions(
                [Decision(bytes(task), "industry", "correct", json.dumps(value), "me", 1.0, None)]
            )
        run(path, "review", "--export", str(export))
        assert not any(map(is_formula, (cell for row in cells(export) for cell in row)))
        (decision,) = read_decisions(export, fields(ready(path).job.spec), {}, who="me", now=2.0).decisions
        assert json.loads(decision.value) == value

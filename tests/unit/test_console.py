"""Lines on a terminal that are longer than it is wide."""

import io
import os
import pty
import sys

import pytest

from rowcite.cli.console import Console, fold, folded

COMMAND = "rowcite run accounts.yaml --base-url http://127.0.0.1:36453 --retry-failed"


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize(
    "line",
    [
        "79 to submit to core-fast, $1.975 at $0.025 a run; about 4 requests, 15 s to 2 min",
        "reasons  18  industry: required, and not found in a page of the company or of a register",
        "error: accounts.yaml:3:1: unknown key `proces` (did you mean `processor`?)",
    ],
)
def test_a_long_line_is_folded_between_words_and_loses_none(line, width):
    parts = fold(line, width).split("\n")
    assert all(len(part) <= width for part in parts if " " in part.strip())
    assert " ".join(" ".join(parts).split()) == " ".join(line.split())


def test_the_text_after_a_name_stays_in_its_column():
    line = "          7  funding_stage: confidence low, medium required"
    assert fold(line, 40).split("\n") == [
        "          7  funding_stage: confidence",
        "             low, medium required",
    ]


def test_a_line_of_columns_is_folded_below_its_first_text():
    line = "filled   employee_count  3,000 of 3,000   50%"
    assert fold(line, 40).split("\n") == ["filled   employee_count  3,000 of 3,000", "         50%"]


@pytest.mark.parametrize(
    "line", [f"next     {COMMAND}", f"5 rows still pending. Run `{COMMAND}` to continue"]
)
def test_a_command_stays_whole_so_that_it_can_be_copied(line):
    assert COMMAND in fold(line, 40)


def test_a_line_that_fits_is_not_changed():
    line = "filled   industry        59 of 79   75%"
    assert fold(line, len(line)) == line


def test_a_message_after_an_unanswered_question_has_a_line_of_its_own(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    console = Console()
    assert console.ask("Spend $2.00? [y/N]") == "y"
    assert console.ask("Spend $2.00? [y/N]") == ""  # the end of the input
    console.error("Interrupted", exit_code=130)
    console.info("Again")
    question = "Spend $2.00? [y/N]: "
    assert capsys.readouterr().err == f"{question}{question}\nerror: Interrupted\nAgain\n"


def test_only_a_terminal_that_knows_its_width_folds(tmp_path):
    line = "word " * 50
    with (tmp_path / "log").open("w") as file:
        assert folded(line, file) == line
    main, other = pty.openpty()
    with os.fdopen(other, "w") as terminal:
        assert folded(line, terminal) == line
    os.close(main)

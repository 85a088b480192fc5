"""The progress of a command: the line on a terminal, the lines in a log, and the time that is left."""

import re
from contextlib import redirect_stderr
from io import StringIO

import pytest

from rowcite.cli.bar import Bar, Lines, bar_form, clock
from rowcite.cli.console import Console
from rowcite.cli.time_left import TimeLeft
from support import until

PARTS = ["1,173/3,000 done", "2:14", "1,827 active", "3 failed", "$75.00", "about 3 min left"]
SHORT = ["1,173/3,000", "2:14", "1,827 active", "3 failed", "~3 min"]


def shown_by(make, end, *, times=3, every=0.05):
    """Return what a meter writes while nothing happens, until `end` is there some times, with its last state."""
    with redirect_stderr(StringIO()) as written:
        meter = make(Console(), free=False)
        meter.seconds = every
        meter.begin(3_000, 100, 400, (60, 300))
        until(lambda: written.getvalue().count(end) >= times, 60)
        meter.end()
    return written.getvalue()


@pytest.mark.parametrize("columns", [30, 39, 60, 79, 119, 199])
def test_the_line_fits_the_terminal_and_begins_with_counts_and_time(columns):
    line = bar_form(list(PARTS), list(SHORT), 1_173, 3_000, columns)
    assert len(re.sub(r"{bar:(\d+)}", lambda bar: "#" * int(bar[1]), line)) <= columns
    assert line.startswith("1,173/3,000")
    assert line.split("  ")[1] == "2:14"


def test_40_columns_show_counts_time_active_tasks_and_the_time_left():
    assert (
        bar_form(list(PARTS), [*SHORT[:3], SHORT[4]], 1, 3, 39) == "1,173/3,000  2:14  1,827 active  ~3 min"
    )


def test_a_wide_terminal_has_a_drawn_bar_of_at_most_40_columns():
    assert "39% |{bar:40}|" in bar_form(list(PARTS), list(SHORT), 1_173, 3_000, 199)


def test_the_bar_is_redrawn_without_any_event_and_ends_with_one_last_line():
    seen = shown_by(Bar, "\r")
    assert seen.count("\r") >= 4
    assert seen.count("\n") == 1
    assert "100/3,000 done  0:00  400 active" in seen


def test_a_log_has_lines_before_the_first_answer():
    lines = shown_by(Lines, "\n").splitlines()
    assert len(lines) >= 4
    assert lines[0] == "100/3,000 done, 0:00, 400 active, 60 s to 5 min left"


def test_messages_are_written_above_the_bar(capsys):
    console = Console()
    bar = Bar(console, free=True)
    bar.begin(3, 0)
    console.warning("careful")
    bar.end()
    console.info("over")
    seen = capsys.readouterr().err
    assert "\rwarning: careful\n" in seen
    assert seen.endswith("\nover\n")


def test_tasks_that_turn_out_not_to_exist_are_not_active(capsys):
    lines = Lines(Console(), free=True)
    lines.begin(5, 0, 4)
    lines.submitted(-2, 0)
    assert (lines.counts.active, lines.counts.sent) == (2, 0)
    lines.end()


def test_a_command_that_only_sends_counts_what_it_sent(capsys):
    lines = Lines(Console(), free=False, sends=True)
    lines.begin(3, 0)
    lines.submitted(2, 50_000)
    lines.end()
    assert capsys.readouterr().err == "2/3 sent, 0:00, $0.05\n"


@pytest.mark.parametrize(
    ("after", "text", "short"),
    [
        (0, "60 s to 5 min left", "<5 min"),
        (55, "5 s to 4 min left", "<4 min"),
        (120, "up to 3 min left", "<3 min"),
        (400, "longer than usual", ""),
    ],
)
def test_until_answers_come_the_time_left_is_what_the_processor_usually_takes(after, text, short):
    left = TimeLeft((60, 300), 1_000)
    assert left.text(500, 1_000 + after) == text
    assert left.text(500, 1_000 + after, short=True) == short


def test_the_rate_is_measured_from_the_first_answer_on():
    left = TimeLeft((60, 3_000), 0)
    for second in range(100, 111):
        left.add((second - 99) * 10, second)
    assert left.text(1_000, 110) == "about 2 min left"
    assert left.text(1_000, 110, short=True) == "~2 min"


def test_a_processor_without_published_times_has_a_time_left_only_when_it_is_measured():
    left = TimeLeft(None, 0)
    assert left.text(10, 50) == ""
    left.add(1, 50)
    left.add(11, 60)
    assert left.text(10, 60) == "about 10 s left"


def test_the_measured_time_left_is_not_longer_than_what_the_processor_usually_takes():
    left = TimeLeft((60, 300), 0)
    left.add(1, 60)
    left.add(2, 70)
    assert left.text(3_000, 70) == "about 4 min left"


def test_a_clock_has_hours_only_when_there_are_any():
    assert [clock(32.9), clock(3_734)] == ["0:32", "1:02:14"]


@pytest.mark.parametrize("kind", [Bar, Lines])
def test_nothing_is_shown_without_tasks(kind, capsys):
    meter = kind(Console(), free=True)
    meter.begin(0, 0)
    meter.end()
    assert capsys.readouterr().err == ""

"""The bar of the library: what it draws, and where it is drawn without a request."""

import re
import sys

from rowcite.library.bar import Bar, progress_of
from rowcite.progress import Silent


def test_the_bar_shows_done_active_and_failed_tasks_and_the_spend(capsys):
    bar = Bar()
    bar.begin(10, answered=2)
    bar.submitted(8, 400_000)
    bar.ended(3, 1)
    bar.more(5, "Retrying 5 rows with pro")
    bar.say("a warning")
    bar.end()
    bar.end()
    drawn = capsys.readouterr().err
    last = re.split(r"[\r\n]+", drawn.rstrip())[-1]
    assert "6/15" in last
    assert "4 active, 1 failed, $0.40" in last
    assert "Retrying 5 rows with pro\n" in drawn
    assert "a warning\n" in drawn


def test_nothing_is_drawn_where_there_is_nothing_to_do(capsys):
    bar = Bar()
    bar.begin(0, answered=0)
    bar.end()
    assert capsys.readouterr().err == ""


def test_a_bar_is_drawn_on_request_and_at_a_prompt_and_not_in_a_program(monkeypatch):
    assert isinstance(progress_of(wanted=True), Bar)
    monkeypatch.delattr(sys, "ps1", raising=False)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert isinstance(progress_of(wanted=None), Silent)
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert isinstance(progress_of(wanted=None), Bar)
    assert isinstance(progress_of(wanted=False), Silent)

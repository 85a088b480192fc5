"""The summary of a command and the report have the same counts of the same table, in the same words."""

import json
from contextlib import closing

import pytest

from rowcite.cli import main
from rowcite.ledger import open_ledger
from rowcite.report.charts import coverage
from rowcite.report.facts import FILLED
from rowcite.report.gather import gather
from support.answers import NOWHERE, answer, answered, found, known, ready

ROWS = [
    {"id": str(n), "name": name, "industry": given}
    for n, (name, given) in enumerate(
        [("A", ""), ("A", ""), ("B", "tools"), ("C", "mills"), ("D", ""), ("E", ""), ("F", "wool"), ("", "")]
    )
]
ANSWERS = [
    answer(industry=found("pumps"), employee_count=found(3, "low")),
    answer(industry=found("valves"), listed=found(True)),
    answer(industry=found("x", "low"), products=found(["P"])),
    answer(employee_count=found("many")),
    "The run failed: no memory",
]


def counted(tmp_path, capsys, **changes):
    """Return the summary of `write`, the facts of a report, and both of its texts."""
    path = known(tmp_path, ROWS, **changes)
    answered(path, ANSWERS)
    main(["write", str(path), "--base-url", NOWHERE, "--json", "--replace"])
    summary = json.loads(capsys.readouterr().out)
    prepared = ready(path)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        return summary, gather(prepared.job, ledger)


@pytest.mark.parametrize(
    "columns",
    [
        {"existing": "fill"},
        {"existing": "fill", "confidence": False},
        {"existing": "overwrite"},
        {"existing": "overwrite", "confidence": False},
        {"prefix": "x_"},
    ],
)
@pytest.mark.parametrize("on_reject", ["blank", "keep"])
def test_the_summary_and_the_report_count_the_same(tmp_path, capsys, columns, on_reject):
    accept = {"min_confidence": "medium", "on_reject": on_reject}
    summary, facts = counted(tmp_path, capsys, columns=columns, accept=accept)
    assert summary["rows"] == facts.counts.as_dict()
    assert summary["answered_rows"] == facts.answered
    assert summary["filled"] == {
        name: sum(states[state] for state in FILLED) for name, states in facts.cells.items()
    }
    assert summary["accepted_cells"] == facts.accepted
    reasons = {}
    for (status, reason), rows in facts.causes.items():
        if status != "skipped":
            reasons[reason] = reasons.get(reason, 0) + rows
    assert summary["reasons"] == reasons
    assert round(summary["total_spent_usd"] * 1_000_000) == facts.spent


def test_the_report_shows_the_fill_rates_as_the_summary_does(tmp_path, capsys):
    summary, facts = counted(tmp_path, capsys, columns={"prefix": "x_"})
    (_, picture), *_ = coverage(facts).svgs
    assert summary["answered_rows"] == 5
    assert f"industry: {summary['filled']['industry']} of 5 (60%)" in picture

"""What a table's runs gave for their price, from ledgers with known answers."""

from contextlib import closing

from rowcite.ledger import open_ledger
from rowcite.report.gather import gather
from rowcite.report.money import outcomes, steps
from rowcite.report.outcomes import Outcome
from support.answers import answer, answered, found, known, ready


def gathered(path):
    prepared = ready(path)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        return gather(prepared.job, ledger)


def test_each_run_has_one_outcome(some):
    facts = gathered(some)
    # Good is used; Lost has an accepted head count; Unsure has an accepted value beside two rejected ones
    assert facts.outcomes.runs == {Outcome.USED: 3, Outcome.FAILED: 1, Outcome.ACTIVE: 1}


def test_a_run_that_found_nothing_differs_from_one_whose_values_are_rejected(tmp_path):
    path = known(tmp_path, [{"id": str(n), "name": f"N{n}"} for n in range(3)])
    answered(path, [answer(), answer(industry=found("x", "low")), answer(industry=found("y"))])
    facts = gathered(path)
    assert facts.outcomes.runs == {Outcome.NOTHING: 1, Outcome.UNUSED: 1, Outcome.USED: 1}
    text = outcomes(facts).text
    assert (
        text == "$0.075 for each of 1 accepted value ($0.075 spent in total)."
        " $0.025 (33%) to runs that found nothing, $0.025 (33%) to runs whose values are not used."
    )


def test_a_table_with_one_processor_has_no_steps(some):
    assert steps(gathered(some)) is None

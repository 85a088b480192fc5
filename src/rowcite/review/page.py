"""The review's page: the rows of a report without its pictures, the reviewer's decisions, and the agreement with others."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from rowcite.model import Decision
from rowcite.report.cells import with_decision
from rowcite.report.facts import CellView, Facts, RowView
from rowcite.report.page import asset, decision_dict, earlier_dict, page_data, rendered
from rowcite.report.parts import meta
from rowcite.review.scope import Scope, own_decisions
from rowcite.review.verdicts import as_json
from rowcite.rows.decisions import answer_changed
from rowcite.rows.reviewed import Agreement, DecisionsByReviewer, ReviewedCell, agreements, reviewed_cells
from rowcite.spec.fields import Field
from rowcite.wording import percent, plural


def review_page(facts: Facts, scope: Scope, decisions: DecisionsByReviewer, command: str) -> str:
    """Return the page with one reviewer's decisions. `command` applies them to the table.

    A decision of another reviewer is on it only where this one has decided too.
    """
    data = page_data(facts, keys=True)
    for row, shown in zip(facts.rows, data["rows"], strict=True):
        _add_decisions(row, shown["cells"], facts, scope, decisions)
        _add_list(row, shown["cells"], facts, scope)
    data["who"], data["write"] = scope.who, command
    return rendered(
        _asset("review.html"),
        asset("page.css") + _asset("review.css"),
        asset("page.js") + _asset("review.js") + _asset("one.js"),
        data,
        serves=True,
        kind="review",
        facts=facts,
        meta=[*meta(facts), f"Reviewing as {scope.who}"],
        note=rows_note(facts),
        command=command,
        agreements=[_shown(item, facts, scope.who) for item in own_agreements(decisions, facts, scope.who)],
    )


def rows_note(facts: Facts) -> str:
    """Return what the page's rows are: rows with the same input are one, and some may be left out."""
    shown = [row for row in facts.rows if row.reasons]
    rows = sum(1 + row.duplicates for row in shown)
    text = ""
    if rows > len(shown):
        text = (
            "Rows with the same input are one row here, and decided on together:"
            f" the {plural(len(shown), 'row')} here are {rows:,} rows of the table."
        )
    if rows < facts.to_review:
        left = plural(facts.to_review - rows, "more row")
        text += f" {left} to review of the table {'is' if facts.to_review - rows == 1 else 'are'} not on this page: give --rows N."
    return text.strip()


def others_of(
    decisions: DecisionsByReviewer, own: Decision, field: Field, view: CellView
) -> list[dict[str, Any]]:
    """Return the decisions of other reviewers on a cell that a reviewer has decided on."""
    by = decisions.get(own.key, {}).get(own.field, {})
    return [
        decision_dict(made)
        for who, made in by.items()
        if who != own.who and not answer_changed(made, field.type, view.answers)
    ]


def own_agreements(decisions: DecisionsByReviewer, facts: Facts, who: str) -> list[Agreement]:
    """Return the agreement of a reviewer with each other one, on the cells that both decided on."""
    found = agreements(reviewed_cells(decisions, facts.fields))
    return [item for item in found if who in (item.first, item.second)]


def _add_decisions(
    row: RowView, shown: list[dict[str, Any]], facts: Facts, scope: Scope, decisions: DecisionsByReviewer
) -> None:
    own = own_decisions(decisions, row.key, scope.who)
    for part, view, cell in zip(facts.fields, row.cells, shown, strict=False):
        made = with_decision(view, own.get(part.name), part)
        if made.decision is not None:
            cell["d"] = decision_dict(made.decision)
        if made.earlier is not None:
            cell["a"] = earlier_dict(made.earlier)
        elif made.decision is not None:
            cell["z"] = others_of(decisions, made.decision, part, view)


def _add_list(row: RowView, shown: list[dict[str, Any]], facts: Facts, scope: Scope) -> None:
    number = scope.named.get(row.number)
    if number is None:
        return
    names = scope.listed.rows[number]
    for part, cell in zip(facts.fields, shown, strict=False):
        if not names or part.name in names:
            cell["f"] = 1
            cell["h"] = scope.listed.sides.get((number, part.name), [])


def _shown(item: Agreement, facts: Facts, who: str) -> dict[str, Any]:
    """Return an agreement as the template shows it, the reviewer's own decisions first."""
    rows = {row.key: row for row in facts.rows}
    swapped = item.first != who
    return {
        "other": item.first if swapped else item.second,
        "text": agreement_text(item),
        "differing": [
            (rows.get(one.task), one.field, *(map(decision_text, (other, one) if swapped else (one, other))))
            for one, other in item.differing
        ],
    }


def agreement_text(item: Agreement) -> str:
    """Return the agreement of two reviewers as a sentence, in plain percent."""
    share = percent(item.agree, item.cells)
    return f"{item.first} and {item.second} both decided on {plural(item.cells, 'cell')} and agree on {item.agree:,} ({share})"


def decision_text(cell: ReviewedCell) -> str:
    """Return a decision in a few words: accepted "pumps", left blank."""
    words = {"accept": "accepted", "reject": "rejected", "correct": "corrected to", "blank": "left blank"}
    value = cell.answer if cell.verdict == "reject" else cell.value
    if cell.verdict == "blank" or value is None:
        return words[cell.verdict]
    return f"{words[cell.verdict]} “{value if isinstance(value, str) else as_json(value)}”"


def _asset(name: str) -> str:
    return files("rowcite.review").joinpath("assets", name).read_text(encoding="utf-8")

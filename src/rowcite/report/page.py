"""Renders facts as one self-contained HTML file, in which no value can run as code.

The page's Content-Security-Policy allows its own style and script by their hashes, and nothing else. Values go through
the template's escaping, or into JSON that cannot close its element and that the script inserts as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any

from jinja2 import Environment

from rowcite.accept.evidence import Element
from rowcite.inert import json_in_page
from rowcite.model import Decision, RowStatus
from rowcite.report.cells import level
from rowcite.report.facts import (
    LEAST_CERTAIN_FIRST,
    REASON_LABELS,
    STATE_LABELS,
    CellView,
    Facts,
    ReviewReason,
    RowView,
)
from rowcite.report.parts import lead, meta, parts, rows_note, tiles
from rowcite.report.sections import Part
from rowcite.version import __version__

MOST_CITATIONS = 6
_EXCERPT_CHARS, _EXCERPTS, _REASON_CHARS, _VALUE_CHARS, _ELEMENTS = 600, 3, 1_200, 2_000, 50
Documents = dict[tuple[str, str | None], int]
"""The number of each cited document by URL and title; most are cited more than once."""

FOOT = "Costs are list prices, an upper bound. Open a row to see the reasoning and the sources of each value."


@dataclass(frozen=True, slots=True)
class Review:
    """What turns a report into a review: the reviewer's name, and the decisions so far by row key and field."""

    who: str
    decisions: Mapping[bytes, Mapping[str, Decision]] = field(default_factory=dict)


def page(facts: Facts, drawn: list[Part] | None = None, review: Review | None = None) -> str:
    """Return the whole page. `drawn` are its sections, if they have been drawn already."""
    style, script = _asset("page.css"), _asset("page.js")
    if review is not None:
        style, script = style + _asset("review.css"), script + _asset("review.js")
    script += "\nstart();\n"
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["with_code"] = _with_code
    return environment.from_string(_asset("page.html")).render(
        facts=facts,
        reviewing=review is not None,
        policy=policy(style, script, serves=review is not None),
        version=__version__,
        style=style,
        script=script,
        data=json_in_page(_data(facts, review)),
        lead=lead(facts),
        meta=[*meta(facts), *([f"Reviewing as {review.who}"] if review else [])],
        tiles=tiles(facts),
        rows_note=rows_note(facts),
        parts=parts(facts) if drawn is None else drawn,
        foot=FOOT,
    )


def policy(style: str, script: str, *, serves: bool) -> str:
    """Return the page's Content-Security-Policy; a review (`serves`) may connect to its own server."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}';"
        f" connect-src {_SELF if serves else _NONE}; base-uri 'none'; form-action 'none'"
    )


_SELF, _NONE = "'self'", "'none'"


def _with_code(text: str) -> str:
    """Return a text, escaped, with the parts between backticks as code."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", escape(text))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    return files("rowcite.report").joinpath("assets", name).read_text(encoding="utf-8")


# --- the rows, as the script reads them ------------------------------------------------------------------


def _data(facts: Facts, review: Review | None) -> dict[str, Any]:
    documents: Documents = {}
    names = [item.name for item in facts.fields]
    rows = [_row(row, names, documents, review) for row in facts.rows]
    return {
        "fields": [
            {"name": item.name, "kind": item.type.kind, "choices": list(item.type.choices)}
            for item in facts.fields
        ],
        "rows": rows,
        "docs": [[url, title or ""] for url, title in documents],
        "statuses": list(RowStatus),
        "states": [[state, STATE_LABELS[state]] for state in LEAST_CERTAIN_FIRST],
        "reasons": [[reason, REASON_LABELS[reason]] for reason in ReviewReason],
        "who": review.who if review else None,
    }


def _row(row: RowView, names: list[str], documents: Documents, review: Review | None) -> dict[str, Any]:
    decided = review.decisions.get(row.key, {}) if review and row.key else {}
    return {
        "n": row.number,
        "key": row.key.hex() if row.key and review else None,
        "label": row.label,
        "given": row.given,
        "status": row.status,
        "error": row.error,
        "processor": row.processor,
        "run": row.run_id,
        "reasons": row.reasons,
        "duplicates": row.duplicates,
        "cells": [
            _cell(cell, documents, cell.decision if review is None else decided.get(name))
            for name, cell in zip(names, row.cells, strict=False)
        ],
    }


def _cell(cell: CellView, documents: Documents, decision: Decision | None) -> dict[str, Any]:
    """Return a cell under one-letter names, which halve the size of a page."""
    cited = [
        (
            documents.setdefault((citation.url[:2_000], citation.title), len(documents)),
            [_cut(text, _EXCERPT_CHARS) for text in citation.excerpts[:_EXCERPTS]],
        )
        for citation in cell.citations[:MOST_CITATIONS]
    ]
    found = {
        "l": cell.state,
        "v": _fitting(cell.value),
        "s": _fitting(cell.found) if cell.rejection is not None or cell.given is not None else None,
        "r": cell.rejection,
        "y": _cut(cell.reasoning, _REASON_CHARS) if cell.reasoning else None,
        "p": cell.processor,
        "c": level(cell.confidence) if cell.confidence and (cell.rejection or cell.given) else None,
        "g": cell.given,
        "k": ("replaced" if cell.replaced else "kept") if cell.given is not None else None,
        "m": max(len(cell.citations) - MOST_CITATIONS, 0) or None,
        "t": _too_long(cell.value) or None,
        "e": [_element(value, element, documents) for value, element in cell.elements[:_ELEMENTS]] or None,
        "d": decision_dict(decision) if decision else None,
    }
    return {"x": cited, **{name: value for name, value in found.items() if value is not None}}


def _element(value: Any, element: Element, documents: Documents) -> tuple[Any, ...]:
    """Return an element of a list: its value, state, rejection, and the numbers of its documents."""
    cited = [
        documents.setdefault((citation.url[:2_000], citation.title), len(documents))
        for citation in element.basis.citations[:MOST_CITATIONS]
    ]
    confidence = element.basis.confidence
    state = level(None if confidence is None else str(confidence))
    return _fitting(value), state, element.rejection, cited


def decision_dict(decision: Decision) -> dict[str, Any]:
    """Return a decision as the script reads it."""
    return {
        "verdict": decision.verdict,
        "value": json.loads(decision.value) if decision.value is not None else None,
        "who": decision.who,
        "at": decision.at,
        "note": decision.note,
    }


def _too_long(value: Any) -> bool:
    return len(value if isinstance(value, str) else json.dumps(value, default=str)) > _VALUE_CHARS


def _fitting(value: Any) -> Any:
    if not _too_long(value):
        return value
    return _cut(
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str), _VALUE_CHARS
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

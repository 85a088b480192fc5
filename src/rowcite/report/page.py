"""Renders facts as one self-contained HTML file, in which no value can run as code.

The page's Content-Security-Policy allows its own style and script by their hashes, and nothing else. Values go through
the template's escaping, or into JSON that cannot close its element and that the script inserts as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader

from rowcite.accept.evidence import Element
from rowcite.inert import json_in_page
from rowcite.model import Decision, RowStatus
from rowcite.report.cells import level
from rowcite.report.facts import (
    LEAST_CERTAIN_FIRST,
    CellView,
    Facts,
    ReviewReason,
    RowView,
)
from rowcite.report.parts import lead, meta, parts, rows_note, tiles
from rowcite.report.sections import Part
from rowcite.rows.decisions import made_on
from rowcite.version import __version__

MOST_CITATIONS = 6
_EXCERPT_CHARS, _EXCERPTS, _REASON_CHARS, _VALUE_CHARS, _ELEMENTS = 600, 3, 1_200, 2_000, 50
Documents = dict[tuple[str, str | None], int]
"""The number of each cited document by URL and title; most are cited more than once."""

FOOT = "Costs are list prices, an upper bound. Open a row to see the reasoning and the sources of each value."


def page(facts: Facts, drawn: list[Part] | None = None) -> str:
    """Return the whole page. `drawn` are its sections, if they have been drawn already."""
    return rendered(
        asset("page.html"),
        asset("page.css"),
        asset("page.js"),
        page_data(facts),
        kind="report",
        facts=facts,
        lead=lead(facts),
        meta=meta(facts),
        tiles=tiles(facts),
        rows_note=rows_note(facts),
        parts=parts(facts) if drawn is None else drawn,
        foot=FOOT,
    )


def rendered(
    template: str, style: str, script: str, data: dict[str, Any], *, serves: bool = False, **texts: Any
) -> str:
    """Return a page with its style, script and data in it. One that `serves` may connect to its own server.

    The template extends `frame.html`.
    """
    script += "\nstart();\n"
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(asset)
    )
    environment.filters["with_code"] = _with_code
    return environment.from_string(template).render(
        policy=policy(style, script, serves=serves),
        version=__version__,
        style=style,
        script=script,
        data=json_in_page(data),
        **texts,
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


def asset(name: str) -> str:
    """Return the text of an asset of the page."""
    return files("rowcite.report").joinpath("assets", name).read_text(encoding="utf-8")


# --- the rows, as the script reads them ------------------------------------------------------------------


def page_data(facts: Facts, *, keys: bool = False) -> dict[str, Any]:
    """Return the rows as the script reads them, in the order of `facts.rows`; with the keys of their tasks for a review."""
    documents: Documents = {}
    rows = [_row(row, documents, keys=keys) for row in facts.rows]
    return {
        "fields": [
            {"name": item.name, "kind": item.type.kind, "choices": list(item.type.choices)}
            for item in facts.fields
        ],
        "rows": rows,
        "docs": [[url, title or ""] for url, title in documents],
        "statuses": list(RowStatus),
        "states": [[state, state.label] for state in LEAST_CERTAIN_FIRST],
        "reasons": [[reason, reason.label] for reason in ReviewReason],
    }


def _row(row: RowView, documents: Documents, *, keys: bool) -> dict[str, Any]:
    return {
        "n": row.number,
        "key": row.key.hex() if row.key and keys else None,
        "label": row.label,
        "given": row.given,
        "status": row.status,
        "error": row.error,
        "processor": row.processor,
        "run": row.run_id,
        "reasons": row.reasons,
        "duplicates": row.duplicates,
        "cells": [_cell(cell, documents) for cell in row.cells],
    }


def _cell(cell: CellView, documents: Documents) -> dict[str, Any]:
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
        "d": decision_dict(cell.decision) if cell.decision else None,
        "a": earlier_dict(cell.earlier) if cell.earlier else None,
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


def earlier_dict(decision: Decision) -> dict[str, Any]:
    """Return a decision on an earlier answer as the script reads it, with that answer."""
    text = made_on(decision)
    return {**decision_dict(decision), "answer": None if text is None else json.loads(text)}


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

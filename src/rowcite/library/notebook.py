"""A result as HTML in a notebook: counts, filled cells by field, and the first rows with confidence and sources.

It takes its colours from the notebook, so that it reads in light and dark themes, and nothing depends on colour. Every
value is escaped and cut, and the number of rows and columns is limited: values come from the web.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from rowcite.inert import one_line, shortened
from rowcite.pipeline.summary import Summary
from rowcite.wording import percent, plural

PREVIEW_ROWS = 6
_MOST_INPUTS, _MOST_FIELDS, _MOST_BARS = 2, 6, 30
_VALUE_CHARS, _NAME_CHARS, _ERROR_CHARS, _URL_CHARS = 100, 40, 160, 2_000
_DOTS = {"low": "●○○", "medium": "●●○", "high": "●●●"}
_STYLE = """
.rowcite{font:13px/1.5 system-ui,sans-serif;color:inherit;overflow-x:auto}
.rowcite p{margin:.2em 0}
.rowcite table{border-collapse:collapse;margin:.7em 0;color:inherit;font-size:inherit}
.rowcite th,.rowcite td{text-align:left;vertical-align:top;padding:.25em .9em .25em 0;border:0;
border-bottom:1px solid rgba(128,128,128,.35);max-width:22em;overflow-wrap:anywhere;white-space:normal}
.rowcite th{font-weight:600;white-space:nowrap}
.rowcite td{min-width:7em}
.rowcite td.rowcite-number{min-width:0;text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.rowcite small{font-size:.87em;opacity:.75}
.rowcite a{color:inherit;text-decoration:underline}
.rowcite i{display:inline-block;width:12em;height:.7em;background:rgba(128,128,128,.3)}
.rowcite i b{display:block;height:100%;background:#3d85c6}
"""


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of an enriched table: the columns of their inputs, the columns of values by field, and the rows with the added columns."""

    inputs: Sequence[str] = ()
    fields: dict[str, str] = field(default_factory=dict)
    rows: pl.DataFrame = field(default_factory=pl.DataFrame)


def html_of(sentences: Sequence[str], summary: Summary, preview: Preview) -> str:
    """Return a result as HTML. Its size has a limit, whatever the table holds."""
    first, *more = map(escape, sentences)
    lines = [f"<p><strong>{first}</strong></p>", *(f"<p>{line}</p>" for line in more)]
    parts = [*lines, *_coverage(summary), *_rows(summary, preview)]
    return f'<div class="rowcite"><style>{_STYLE}</style>{"".join(parts)}</div>'


def _coverage(summary: Summary) -> Iterator[str]:
    """Yield a table with a bar for each field."""
    if not summary.answered_rows or not summary.filled:
        return
    shown = list(summary.filled.items())[:_MOST_BARS]
    rows = "".join(_bar(name, filled, summary.answered_rows) for name, filled in shown)
    yield f'<table aria-label="Filled cells"><tr><th>Field</th><th colspan="2">Answered rows with a value</th></tr>{rows}</table>'
    yield _left_out(len(summary.filled) - len(shown), "field")


def _bar(name: str, filled: int, of: int) -> str:
    return (
        f'<tr><td>{_text(name, _NAME_CHARS)}</td><td><i><b style="width:{100 * filled / of:.1f}%"></b></i></td>'
        f'<td class="rowcite-number">{filled:,} of {of:,} ({_text(percent(filled, of), 5)})</td></tr>'
    )


def _rows(summary: Summary, preview: Preview) -> Iterator[str]:
    """Yield a table with the first rows."""
    if not preview.rows.height:
        return
    inputs = preview.inputs[:_MOST_INPUTS]
    fields = dict(list(preview.fields.items())[:_MOST_FIELDS])
    names = ["Row", *inputs, "Status", *fields]
    head = "".join(f"<th>{_text(name, _NAME_CHARS)}</th>" for name in names)
    rows = preview.rows.head(PREVIEW_ROWS).iter_rows(named=True)
    body = "".join(
        f"<tr>{''.join(_cells(row, number, inputs, fields.values()))}</tr>"
        for number, row in enumerate(rows, 1)
    )
    yield f'<table aria-label="First rows"><tr>{head}</tr>{body}</table>'
    yield _left_out(len(preview.fields) - len(fields), "field")
    yield _left_out(summary.rows.total() - min(preview.rows.height, PREVIEW_ROWS), "row")


def _cells(row: dict[str, Any], number: int, inputs: Iterable[str], columns: Iterable[str]) -> Iterator[str]:
    yield f'<td class="rowcite-number">{number}</td>'
    for name in inputs:
        yield f"<td>{_value(row[name])}</td>"
    error = row["rowcite_error"]
    reason = f"<br><small>{_text(error, _ERROR_CHARS)}</small>" if error else ""
    yield f"<td>{escape(row['rowcite_status'])}{reason}</td>"
    for name in columns:
        evidence = " ".join(filter(None, _evidence(row, name)))
        yield f"<td>{_value(row[name])}{f'<br><small>{evidence}</small>' if evidence else ''}</td>"


def _evidence(row: dict[str, Any], name: str) -> Iterator[str]:
    """Yield the confidence of a cell and a link to its first source."""
    confidence = row.get(f"{name}_confidence")
    if confidence is not None:
        yield f"{_DOTS.get(confidence, '')} {_text(confidence, _NAME_CHARS)}".strip()
    citations = row.get(f"{name}_citations")
    if citations:
        first = citations[0]
        yield _link(first["url"] if isinstance(first, dict) else first)


def _link(url: str) -> str:
    """Return a link to a source, with its host as the text; nothing for what is not the address of a page."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return ""
    if host is None or len(url) > _URL_CHARS or not url.lower().startswith(("http://", "https://")):
        return ""
    address = escape(one_line(url))
    return f'<a href="{address}" target="_blank" rel="noopener noreferrer nofollow">{_text(host.removeprefix("www."), _NAME_CHARS)}</a>'


def _value(value: Any) -> str:
    if value is None:
        return "<small>—</small>"
    if isinstance(value, list) and not any(isinstance(item, (list, dict)) for item in value):
        value = ", ".join(map(str, value))
    elif isinstance(value, (list, dict)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return _text(str(value), _VALUE_CHARS)


def _text(text: str, most: int) -> str:
    return escape(one_line(shortened(text, most)))


def _left_out(number: int, noun: str) -> str:
    return f"<p><small>{plural(number, f'more {noun}')} in the table</small></p>" if number > 0 else ""

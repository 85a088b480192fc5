"""Bench answers: every field filled with a number drawn from the input, at the cost of joining some bytes.

For measuring clients, not for rehearsing specs: nothing is read, nothing is looked for, and every answer says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rowcite.api.facts import BETA_FIELD_BASIS
from rowcite.local.research.answers.schema_fields import OutputField, field_of_schema
from rowcite.local.research.question import Finding, Question
from rowcite.local.research.search import SearchResult
from rowcite.local.server.answering import encoded
from rowcite.local.server.faults import digest
from rowcite.local.server.store import Ending, Output, Run
from rowcite.local.server.validation import Accepted, Spec
from rowcite.model import Citation, FieldBasis

LEAST = 1_800  # bytes of an output: what a real one of five fields comes to
CITED = 3  # citations of each field
_MARK = 314_159_265_358_979_323  # stands in a template where a run's own number goes
_LEAST_NUMBER = 10_000_000
_TEMPLATES = 512  # kept; as many as specs are
_NOTE = "Bench mode: not research. This value was made from the input's hash, and no page says it."
_FILLER = " It is as long as a real one."


class Bench:
    """Answers without documents. The same input has the same answer, another input another.

    The number in it has eight digits: 10,000,000 plus the first four bytes of the SHA-256 of the input (compact JSON,
    keys sorted), as a big-endian integer, modulo 90,000,000.
    """

    def __init__(self) -> None:
        self._templates: dict[int, tuple[Spec, list[bytes]]] = {}

    def research(self, question: Question, /) -> Finding:
        """Return a bench answer: the long way, for what the quick one leaves out."""
        return _finding(question.output, number_of(question.input))

    def search(self, queries: Sequence[str], **_: object) -> tuple[SearchResult, ...]:
        """Return one result that says what it is."""
        excerpt = f"{_NOTE} Asked for: {' '.join(queries)}"[:1_000]
        return (SearchResult(_url(0, 0), "Bench page, not a source", None, (excerpt,)),)

    def at_once(self, run: Run) -> Ending | None:
        """Return how a run ends; None for one that needs the long way.

        That is one with tool calls, a basis for each element, or perhaps several records.
        """
        asked = run.asked
        if (
            asked.request.mcp_servers
            or BETA_FIELD_BASIS in asked.betas
            or _may_be_records(asked.request.input)
        ):
            return None
        number = b"%d" % number_of(asked.request.input)
        return Ending("completed", Output(number.join(self._template(asked)), CITED))

    def _template(self, asked: Accepted) -> list[bytes]:
        """Return the output of a spec, cut where the number goes. Equal specs are one object: they are read once."""
        known = self._templates.get(id(asked.spec))
        if known is None:
            if len(self._templates) >= _TEMPLATES:
                self._templates.clear()
            whole = encoded(_finding(asked.spec.output, _MARK))
            known = self._templates[id(asked.spec)] = asked.spec, whole.split(b"%d" % _MARK)
        return known[1]


def _may_be_records(given: str | dict[str, Any]) -> bool:
    return isinstance(given, dict) and len(given) == 1 and isinstance(next(iter(given.values())), list)


def number_of(given: str | dict[str, Any]) -> int:
    """Return the number in the answer to an input."""
    return _LEAST_NUMBER + int.from_bytes(digest(given)[:4]) % 90_000_000


def _finding(output: dict[str, Any], number: int) -> Finding:
    missing = LEAST - len(encoded(_padded(output, _LEAST_NUMBER, "")))
    return _padded(output, number, _FILLER * max(0, -(-missing // len(_FILLER))))


def _padded(output: dict[str, Any], number: int, filler: str) -> Finding:
    """Return a finding of the kind asked for; `filler` makes the first reasoning longer."""
    if output["type"] == "text":
        text = f"Bench answer {number}: not research."
        return Finding("text", text, (_basis("output", number, filler),), None, CITED)
    schema = output.get("json_schema")
    chosen = None if schema else _auto_schema()
    fields = field_of_schema(schema or _auto_schema()).fields
    content = {want.name: _value(want, number) for want in fields}
    basis = tuple(_basis(want.name, number, "" if at else filler) for at, want in enumerate(fields))
    return Finding("json", content, basis, chosen, CITED)


def _auto_schema() -> dict[str, Any]:
    properties = {name: {"type": "string", "description": "A bench value"} for name in ("first", "second")}
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False
    }  # fmt: skip


def _value(want: OutputField, number: int) -> Any:
    """Return a value that the schema allows."""
    if want.kind == "enum":
        return want.choices[0]
    if want.kind == "object":
        return {inner.name: _value(inner, number) for inner in want.fields}
    if want.kind == "array":
        return [_value(want.item, number)] * min(2, want.limit or 2) if want.item else []
    if want.kind == "string":
        return "2001-02-03" if "YYYY-MM-DD" in want.description else f"bench {number}"
    return True if want.kind == "boolean" else number


def _basis(field: str, number: int, filler: str) -> FieldBasis:
    excerpts = (f"Bench excerpt {number} for {field}: no page says this.",)
    citations = tuple(
        Citation(_url(number, page), "Bench page, not a source", excerpts) for page in range(1, CITED + 1)
    )
    return FieldBasis(field, _NOTE + filler, citations, "high")


def _url(number: int, page: int) -> str:
    return f"https://bench{page}.example.invalid/not-a-source/{number}"

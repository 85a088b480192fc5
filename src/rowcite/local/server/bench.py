"""Bench answers: every field filled with a number derived from the input, at the cost of joining some bytes.

For measuring clients, not for rehearsing specs: no document is read, and every answer states that.
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
from rowcite.local.server.validation import AcceptedRun, TaskSpec
from rowcite.model import Citation, FieldBasis

MIN_BYTES = 1_800  # of an output: about the size of a real one with five fields
CITATIONS = 3  # of each field
_MARK = 314_159_265_358_979_323  # marks the place of the number in a template
_MIN_NUMBER = 10_000_000
_TEMPLATES = 512  # at most this number of specs is cached
_NOTE = "Bench mode: not research. This value was made from the input's hash, and no page contains it."
_FILLER = " It is as long as a real one."


class Bench:
    """Answers without documents. Equal inputs have equal answers, different inputs different ones.

    The number in it has eight digits: 10,000,000 plus the first four bytes of the SHA-256 of the input (compact JSON,
    keys sorted), as a big-endian integer, modulo 90,000,000.
    """

    def __init__(self) -> None:
        self._templates: dict[int, tuple[TaskSpec, list[bytes]]] = {}

    def research(self, question: Question, /) -> Finding:
        """Return a bench answer in full, for what `immediate` leaves out."""
        return _finding(question.output, number_of(question.input))

    def search(self, queries: Sequence[str], **_: object) -> tuple[SearchResult, ...]:
        """Return one result that states that it is not a source."""
        excerpt = f"{_NOTE} Query: {' '.join(queries)}"[:1_000]
        return (SearchResult(_url(0, 0), "Bench page, not a source", None, (excerpt,)),)

    def immediate(self, run: Run) -> Ending | None:
        """Return the ending of a run; None if it needs research in full.

        That is a run with tool calls, without a basis for each element, or perhaps with several records.
        """
        accepted = run.accepted
        if (
            accepted.request.mcp_servers
            or BETA_FIELD_BASIS not in accepted.betas
            or _may_be_records(accepted.request.input)
        ):
            return None
        number = b"%d" % number_of(accepted.request.input)
        return Ending("completed", Output(number.join(self._template(accepted)), CITATIONS))

    def _template(self, accepted: AcceptedRun) -> list[bytes]:
        """Return the output of a spec, split where the number belongs. Equal specs are one object: each is read once."""
        known = self._templates.get(id(accepted.spec))
        if known is None:
            if len(self._templates) >= _TEMPLATES:
                self._templates.clear()
            whole = encoded(_finding(accepted.spec.output, _MARK), per_element=True)
            known = self._templates[id(accepted.spec)] = accepted.spec, whole.split(b"%d" % _MARK)
        return known[1]


def _may_be_records(given: str | dict[str, Any]) -> bool:
    return isinstance(given, dict) and len(given) == 1 and isinstance(next(iter(given.values())), list)


def number_of(given: str | dict[str, Any]) -> int:
    """Return the number in the answer to an input."""
    return _MIN_NUMBER + int.from_bytes(digest(given)[:4]) % 90_000_000


def _finding(output: dict[str, Any], number: int) -> Finding:
    missing = MIN_BYTES - len(encoded(_padded(output, _MIN_NUMBER, "")))
    return _padded(output, number, _FILLER * max(0, -(-missing // len(_FILLER))))


def _padded(output: dict[str, Any], number: int, filler: str) -> Finding:
    """Return a finding of the requested kind; `filler` makes the first reasoning longer."""
    if output["type"] == "text":
        text = f"Bench answer {number}: not research."
        return Finding("text", text, (_basis("output", number, filler),), None, CITATIONS)
    schema = output.get("json_schema")
    chosen = None if schema else _auto_schema()
    fields = field_of_schema(schema or _auto_schema()).fields
    content = {field.name: _value(field, number) for field in fields}
    basis = tuple(_basis(field.name, number, "" if at else filler) for at, field in enumerate(fields))
    return Finding("json", content, basis, chosen, CITATIONS)


def _auto_schema() -> dict[str, Any]:
    properties = {name: {"type": "string", "description": "A bench value"} for name in ("first", "second")}
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False
    }  # fmt: skip


def _value(field: OutputField, number: int) -> Any:
    """Return a value that the schema allows."""
    if field.kind == "enum":
        return field.choices[0]
    if field.kind == "object":
        return {inner.name: _value(inner, number) for inner in field.fields}
    if field.kind == "array":
        return [_value(field.item, number)] * min(2, field.limit or 2) if field.item else []
    if field.kind == "string":
        return "2001-02-03" if "YYYY-MM-DD" in field.description else f"bench {number}"
    return True if field.kind == "boolean" else number


def _basis(field: str, number: int, filler: str) -> FieldBasis:
    excerpts = (f"Bench excerpt {number} for {field}: no page contains this.",)
    citations = tuple(
        Citation(_url(number, page), "Bench page, not a source", excerpts) for page in range(1, CITATIONS + 1)
    )
    return FieldBasis(field, _NOTE + filler, citations, "high")


def _url(number: int, page: int) -> str:
    return f"https://bench{page}.example.invalid/not-a-source/{number}"

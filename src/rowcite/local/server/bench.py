"""Bench answers: every field filled with a number derived from the input, at the cost of joining some bytes.

For measuring clients, not for rehearsing specs: no document is read, and every answer states that. A share of the texts
can be hostile: valid JSON with what text from the web contains, and what clients and spreadsheets stumble over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from rowcite.api.facts import BETA_FIELD_BASIS
from rowcite.local.research.answers.schema_fields import OutputField, field_of_schema
from rowcite.local.research.question import Finding, Question
from rowcite.local.research.search import SearchQuery, SearchResult
from rowcite.local.server.answering import encoded
from rowcite.local.server.faults import digest
from rowcite.local.server.store import Ending, Output, Run
from rowcite.local.server.validation import TaskSpec
from rowcite.model import Citation, FieldBasis

MIN_BYTES = 1_800  # of an output: about the size of a real one with five fields
CITATIONS = 3  # of each field, unless the server is started with another number
HOSTILE = (
    "Müller & Söhne, \u6771\u4eac\u90fd, \u0645\u0631\u062d\u0628\u0627 \U0001f3e2 e\u0301 \u2028 \u202e {}",
    'said "no", \'yes\', ""quoted"", back\\slash, {}',
    "first line {}\r\nsecond line,\n\tthird line",
    '=HYPERLINK("https://bench.example.invalid/", "{}")',
    "",
)
"""Hostile texts: unicode, quotes, line breaks, a formula, nothing. `{}` is the place of the text that each replaces."""
LONG_SHARE, LONG = 256, 10_000  # one hostile text in this number is this long, in characters
_VARIANTS = 256  # of a template with hostile texts
_MARK = 314_159_265_358_979_323  # marks the place of the number in a template
_MIN_NUMBER = 10_000_000
_TEMPLATES = 2_048  # at most this number of answers is cached, in all variants of all specs
_TEXT = "bench "  # how a free text begins
_NOTE = "Bench mode: not research. This value was made from the input's hash, and no page contains it."
_FILLER = " It is as long as a real one."


class Bench:
    """Answers without documents. Equal inputs have equal answers, different inputs different ones.

    The number in it has eight digits: 10,000,000 plus the first four bytes of the SHA-256 of the input (compact JSON,
    keys sorted), as a big-endian integer, modulo 90,000,000.

    `hostile` is the share of texts that are hostile: values, elements of lists, reasonings, titles and excerpts.
    """

    def __init__(self, hostile: float = 0.0, citations: int = CITATIONS) -> None:
        self._hostile, self._citations = hostile, citations
        self._templates: dict[tuple[int, int, bool], tuple[TaskSpec, list[bytes]]] = {}

    def research(self, question: Question, /) -> Finding:
        """Return a bench answer in full, for what `immediate` leaves out."""
        number = number_of(question.input)
        return self._with_hostile_texts(_finding(question.output, number, self._citations), number)

    def search(self, query: SearchQuery, /) -> tuple[SearchResult, ...]:
        """Return one result that states that it is not a source."""
        excerpt = f"{_NOTE} Query: {' '.join(query.queries)}"[:1_000]
        return (SearchResult(_url(0, 0), "Bench page, not a source", None, (excerpt,)),)

    def immediate(self, run: Run) -> Ending | None:
        """Return the ending of a run; None if it needs research in full.

        That is a run with tool calls, or perhaps with several records.
        """
        accepted = run.accepted
        if accepted.request.mcp_servers or _may_be_records(accepted.request.input):
            return None
        number = number_of(accepted.request.input)
        variant = number % _VARIANTS if self._hostile else 0
        parts = self._template(accepted.spec, variant, per_element=BETA_FIELD_BASIS in accepted.betas)
        return Ending("completed", Output((b"%d" % number).join(parts), self._citations))

    def _template(self, spec: TaskSpec, variant: int, *, per_element: bool) -> list[bytes]:
        """Return the output of a spec, split where the number belongs. Equal specs are one object: each is read once."""
        known = self._templates.get((id(spec), variant, per_element))
        if known is None:
            if len(self._templates) >= _TEMPLATES:
                self._templates.clear()
            finding = self._with_hostile_texts(_finding(spec.output, _MARK, self._citations), variant)
            whole = encoded(finding, per_element=per_element).split(b"%d" % _MARK)
            known = self._templates[id(spec), variant, per_element] = spec, whole
        return known[1]

    def _with_hostile_texts(self, finding: Finding, number: int) -> Finding:
        """Return a finding with this server's share of hostile texts; equal numbers give equal ones."""
        if not self._hostile:
            return finding
        drawn = Random(number % _VARIANTS)  # noqa: S311 - a benchmark, no secret

        def text(value: str) -> str:
            if drawn.random() >= self._hostile:
                return value
            hostile = drawn.choice(HOSTILE).replace("{}", value)
            return hostile.ljust(LONG, "x") if drawn.randrange(LONG_SHARE) == 0 else hostile

        basis = tuple(_of_texts(entry, text) for entry in finding.basis)
        return replace(finding, content=_texts(finding.content, text), basis=basis)


def _of_texts(entry: FieldBasis, text: Callable[[str], str]) -> FieldBasis:
    """Return a basis with `text` of each of its texts; addresses stay as they are."""
    cited = (
        Citation(item.url, text(item.title or ""), tuple(map(text, item.excerpts)))
        for item in entry.citations
    )
    return FieldBasis(entry.field, text(entry.reasoning), tuple(cited), entry.confidence)


def _texts(value: Any, text: Callable[[str], str]) -> Any:
    """Return a value with `text` of each bench text in it. Choices and dates are not free to change."""
    if isinstance(value, dict):
        return {name: _texts(item, text) for name, item in value.items()}
    if isinstance(value, list):
        return [_texts(item, text) for item in value]
    return text(value) if isinstance(value, str) and value.startswith(_TEXT) else value


def _may_be_records(given: str | dict[str, Any]) -> bool:
    return isinstance(given, dict) and len(given) == 1 and isinstance(next(iter(given.values())), list)


def number_of(given: str | dict[str, Any]) -> int:
    """Return the number in the answer to an input."""
    return _MIN_NUMBER + int.from_bytes(digest(given)[:4]) % 90_000_000


def _finding(output: dict[str, Any], number: int, citations: int) -> Finding:
    missing = MIN_BYTES - len(encoded(_padded(output, _MIN_NUMBER, "", citations)))
    return _padded(output, number, _FILLER * max(0, -(-missing // len(_FILLER))), citations)


def _padded(output: dict[str, Any], number: int, filler: str, citations: int) -> Finding:
    """Return a finding of the requested kind; `filler` makes the first reasoning longer."""
    if output["type"] == "text":
        text = f"Bench answer {number}: not research."
        return Finding("text", text, (_basis("output", number, filler, citations),), None, citations)
    schema = output.get("json_schema")
    chosen = None if schema else _auto_schema()
    fields = field_of_schema(schema or _auto_schema()).fields
    content = {field.name: _value(field, number) for field in fields}
    basis = tuple(
        _basis(field.name, number, "" if at else filler, citations) for at, field in enumerate(fields)
    )
    return Finding("json", content, basis, chosen, citations)


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
        return "2001-02-03" if "YYYY-MM-DD" in field.description else f"{_TEXT}{number}"
    return True if field.kind == "boolean" else number


def _basis(field: str, number: int, filler: str, citations: int) -> FieldBasis:
    excerpts = (f"Bench excerpt {number} for {field}: no page contains this.",)
    cited = tuple(
        Citation(_url(number, page), "Bench page, not a source", excerpts) for page in range(1, citations + 1)
    )
    return FieldBasis(field, _NOTE + filler, cited, "high")


def _url(number: int, page: int) -> str:
    return f"https://bench{page}.example.invalid/not-a-source/{number}"

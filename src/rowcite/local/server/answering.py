"""The research of one run, with an earlier interaction as context, as the API's output."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import uuid4

import msgspec

from rowcite.api.facts import BETA_FIELD_BASIS
from rowcite.local.research import Finding, Question, SearchResult, ToolAnswer
from rowcite.local.research.subject.entity import entity_of
from rowcite.local.research.text.normalise import fold
from rowcite.local.server.list_elements import research_records, with_elements, without_elements
from rowcite.local.server.shapes import Error, McpToolCall
from rowcite.local.server.store import Ending, Output, Run
from rowcite.local.server.validation import Accepted
from rowcite.model import FieldBasis

_log = logging.getLogger(__name__)


class Researcher(Protocol):
    """Whoever answers questions: `rowcite.local.research.Corpus` does. Called from threads."""

    def research(self, question: Question, /) -> Finding:
        """Return the answer to a question."""
        ...

    def search(  # noqa: PLR0913  # one keyword for each setting of the API
        self,
        queries: Sequence[str],
        *,
        objective: str | None,
        include_domains: Sequence[str],
        exclude_domains: Sequence[str],
        after_date: str | None,
        max_results: int,
        max_chars_per_result: int,
        max_chars_total: int | None,
    ) -> tuple[SearchResult, ...]:
        """Return the best documents for some queries, with excerpts."""
        ...


def answer(researcher: Researcher, run: Run, before: Run | None) -> Ending:
    """Research one run, with the interaction before it. Whatever goes wrong ends this run and no other."""
    asked = run.asked
    try:
        earlier = _earlier(before) if before else None
        given = in_context(asked.request.input, earlier) if earlier else asked.request.input
        question, per_element = _question(asked, given, run.heard), BETA_FIELD_BASIS in asked.betas
        records = research_records(researcher.research, question)
        if records and not per_element:
            records = without_elements(records)
        finding = records or researcher.research(question)
        if earlier:
            finding = filled_in(finding, asked.request.input, earlier)
        body = encoded(finding, run.calls, per_element=per_element)
        return Ending("completed", Output(body, finding.considered, tuple(finding.read)))
    except Exception:  # noqa: BLE001  # a researcher is foreign code, and logged
        ref_id = str(uuid4())
        _log.exception("research of %s failed (ref_id %s)", run.id, ref_id)
        return Ending("failed", error=Error(ref_id, "The research failed with an internal error."))


def _earlier(before: Run) -> Earlier:
    output = before.ending.output if before.ending else None
    return read_earlier(before.id, before.asked.request.input, output.body if output else None)


def _question(asked: Accepted, given: Input, heard: tuple[ToolAnswer, ...]) -> Question:
    """Return what the run asks. Excluded domains do not count beside included ones, as the API documents."""
    policy = asked.request.source_policy
    include = tuple(policy.include_domains) if policy else ()
    exclude = tuple(policy.exclude_domains) if policy and not include else ()
    return Question(
        input=given,
        output=asked.spec.output,
        processor=asked.request.processor,
        include_domains=include,
        exclude_domains=exclude,
        tool_answers=heard,
    )


def encoded(
    finding: Finding, calls: tuple[McpToolCall, ...] | None = None, *, per_element: bool = False
) -> bytes:
    """Return a finding as the API's `output`, JSON."""
    basis = with_elements(finding.content, finding.basis) if per_element else finding.basis
    output: dict[str, Any] = {"basis": basis, "type": finding.kind, "content": finding.content}
    if finding.output_schema is not None:
        output["output_schema"] = finding.output_schema
    if calls is not None:
        output["mcp_tool_calls"] = calls
    return msgspec.json.encode(output)


Input = str | dict[str, Any]

_IDENTIFYING = frozenset({"website", "domain", "homepage", "city", "country", "registration_number"})


@dataclass(frozen=True, slots=True)
class Earlier:
    """An interaction that has ended, or is still under way: then it has an input and no output."""

    id: str
    input: Input
    content: Any = None
    basis: tuple[FieldBasis, ...] = ()


def read_earlier(interaction_id: str, given: Input, output: bytes | None) -> Earlier:
    """Return an earlier run from its input and its output, JSON."""
    if output is None:
        return Earlier(interaction_id, given)
    body = msgspec.json.decode(output)
    basis = msgspec.convert(body["basis"], tuple[FieldBasis, ...])
    return Earlier(interaction_id, given, body["content"], basis)


def in_context(given: Input, earlier: Earlier) -> Input:
    """Return an input with what the earlier run knows of the same entity: its input, and facts that identify it."""
    if isinstance(given, str):
        return f"{given}\n{_text(earlier.input)}"
    if not _about_the_same(given, earlier):
        return given
    known = earlier.input if isinstance(earlier.input, dict) else {}
    found = earlier.content if isinstance(earlier.content, dict) else {}
    facts = {name: found[name] for name in sorted(_IDENTIFYING & found.keys()) if found[name]}
    return facts | known | given


def filled_in(finding: Finding, given: Input, earlier: Earlier) -> Finding:
    """Return a finding whose nulls have the value and the evidence that the earlier run had for the same field."""
    content = finding.content
    if not (isinstance(content, dict) and isinstance(earlier.content, dict)):
        return finding
    if not _about_the_same(given, earlier):
        return finding
    known = {entry.field: entry for entry in earlier.basis if entry.citations}
    lent = {
        name: known[name]
        for name, value in content.items()
        if value is None and name in known and earlier.content.get(name) is not None
    }
    kept = tuple(entry for entry in finding.basis if entry.field not in lent)
    return replace(
        finding,
        content=content | {name: earlier.content[name] for name in lent},
        basis=kept + tuple(_lent(entry, earlier.id) for entry in lent.values()),
    )


def _about_the_same(given: Input, earlier: Earlier) -> bool:
    """Tell whether two inputs share a name or a site; a text shares the names that stand in it."""
    if isinstance(given, str):
        return True
    one, other = entity_of(given), entity_of(earlier.input)
    if set(one.sites) & set(other.sites) or set(one.names) & set(other.names):
        return True
    words = f" {fold(other.text)} "
    return any(f" {name} " in words for name in one.names)


def _text(value: Input) -> str:
    return value if isinstance(value, str) else ", ".join(str(one) for one in value.values() if one)


def _lent(entry: FieldBasis, interaction_id: str) -> FieldBasis:
    return msgspec.structs.replace(
        entry, reasoning=f"From the earlier interaction {interaction_id}: {entry.reasoning}"
    )

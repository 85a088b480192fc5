"""The answer to one run: research, with an earlier interaction as context, to the API's output.

An earlier interaction about another entity must not lend its name or its facts: the two inputs have to share a name
or a site, unless the new input is a text, which may be a question about "it".
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import uuid4

import msgspec

from rowcite.api.facts import BETA_FIELD_BASIS
from rowcite.local.research.question import Finding, Question, ToolAnswer
from rowcite.local.research.search import SearchQuery, SearchResult
from rowcite.local.research.subject.entity import entity_of
from rowcite.local.research.text.normalise import fold
from rowcite.local.server.list_elements import research_records, with_elements, without_elements
from rowcite.local.server.shapes import Error, McpToolCall
from rowcite.local.server.store import Ending, Output, Run
from rowcite.local.server.validation import AcceptedRun
from rowcite.model import FieldBasis

_log = logging.getLogger(__name__)


class Researcher(Protocol):
    """What answers questions: `research.corpus.Corpus`, or `bench.Bench`. Called from threads."""

    def research(self, question: Question, /) -> Finding:
        """Return the answer to a question."""
        ...

    def search(self, query: SearchQuery, /) -> tuple[SearchResult, ...]:
        """Return the best documents for a query, with excerpts."""
        ...


def answer(researcher: Researcher, run: Run, before: Run | None, *, packs_whole: bool = False) -> Ending:
    """Return the ending of one run, given the interaction before it. An error fails this run and no other.

    The records of a run are researched one by one, unless `packs_whole`.
    """
    accepted = run.accepted
    try:
        earlier = _earlier(before) if before else None
        task_input = accepted.request.input
        given = with_context(task_input, earlier) if earlier else task_input
        question = _question(accepted, given, run.tool_answers)
        per_element = BETA_FIELD_BASIS in accepted.betas
        records = None if packs_whole else research_records(researcher.research, question)
        if records and not per_element:
            records = without_elements(records)
        finding = records or researcher.research(question)
        if earlier:
            finding = fill_nulls(finding, task_input, earlier)
        body = encoded(finding, run.calls, per_element=per_element)
        return Ending("completed", Output(body, finding.considered, tuple(finding.read)))
    except Exception:  # noqa: BLE001  # a researcher is foreign code, and logged
        ref_id = str(uuid4())
        _log.exception("research of %s failed (ref_id %s)", run.id, ref_id)
        return Ending("failed", error=Error(ref_id, "The research failed with an internal error."))


def _earlier(before: Run) -> PreviousInteraction:
    output = before.ending.output if before.ending else None
    return previous_interaction(before.id, before.accepted.request.input, output.body if output else None)


def _question(accepted: AcceptedRun, given: Input, tool_answers: tuple[ToolAnswer, ...]) -> Question:
    """Return the question of a run. Excluded domains are ignored when there are included ones, as documented."""
    policy = accepted.request.source_policy
    include = tuple(policy.include_domains) if policy else ()
    exclude = tuple(policy.exclude_domains) if policy and not include else ()
    return Question(
        input=given,
        output=accepted.spec.output,
        processor=accepted.request.processor,
        include_domains=include,
        exclude_domains=exclude,
        after_date=policy.after_date if policy else None,
        tool_answers=tool_answers,
    )


def encoded(
    finding: Finding, calls: tuple[McpToolCall, ...] | None = None, *, per_element: bool = False
) -> bytes:
    """Return a finding as the API's `output`, JSON. An auto answer always has the basis of each list element."""
    elements = per_element or finding.output_schema is not None
    basis = with_elements(finding.content, finding.basis) if elements else finding.basis
    output: dict[str, Any] = {"basis": basis, "type": finding.kind, "content": finding.content}
    if finding.output_schema is not None:
        output["output_schema"] = finding.output_schema
    if calls is not None:
        output["mcp_tool_calls"] = calls
    return msgspec.json.encode(output)


Input = str | dict[str, Any]

_IDENTIFYING = frozenset({"website", "domain", "homepage", "city", "country", "registration_number"})


@dataclass(frozen=True, slots=True)
class PreviousInteraction:
    """An interaction that has ended; one that is still active has an input and no output."""

    id: str
    input: Input
    content: Any = None
    basis: tuple[FieldBasis, ...] = ()


def previous_interaction(interaction_id: str, given: Input, output: bytes | None) -> PreviousInteraction:
    """Return an earlier interaction from its id, its input and its output (JSON)."""
    if output is None:
        return PreviousInteraction(interaction_id, given)
    body = msgspec.json.decode(output)
    basis = msgspec.convert(body["basis"], tuple[FieldBasis, ...])
    return PreviousInteraction(interaction_id, given, body["content"], basis)


def with_context(given: Input, earlier: PreviousInteraction) -> Input:
    """Return an input with the earlier input about the same entity, and the answers that identify it."""
    if isinstance(given, str):
        return f"{given}\n{_text(earlier.input)}"
    if not _same_subject(given, earlier):
        return given
    known = earlier.input if isinstance(earlier.input, dict) else {}
    found = earlier.content if isinstance(earlier.content, dict) else {}
    facts = {name: found[name] for name in sorted(_IDENTIFYING & found.keys()) if found[name]}
    return facts | known | given


def fill_nulls(finding: Finding, given: Input, earlier: PreviousInteraction) -> Finding:
    """Return a finding with its nulls replaced by the earlier value and evidence for the same field."""
    content = finding.content
    if not (isinstance(content, dict) and isinstance(earlier.content, dict)):
        return finding
    if not _same_subject(given, earlier):
        return finding
    known = {entry.field: entry for entry in earlier.basis if entry.citations}
    filled = {
        name: known[name]
        for name, value in content.items()
        if value is None and name in known and earlier.content.get(name) is not None
    }
    kept = tuple(entry for entry in finding.basis if entry.field not in filled)
    return replace(
        finding,
        content=content | {name: earlier.content[name] for name in filled},
        basis=kept + tuple(_attributed(entry, earlier.id) for entry in filled.values()),
    )


def _same_subject(given: Input, earlier: PreviousInteraction) -> bool:
    """Return True if two inputs share a name or a site; a text shares every name that occurs in it."""
    if isinstance(given, str):
        return True
    one, other = entity_of(given), entity_of(earlier.input)
    if set(one.sites) & set(other.sites) or set(one.names) & set(other.names):
        return True
    words = f" {fold(other.text)} "
    return any(f" {name} " in words for name in one.names)


def _text(value: Input) -> str:
    return value if isinstance(value, str) else ", ".join(str(one) for one in value.values() if one)


def _attributed(entry: FieldBasis, interaction_id: str) -> FieldBasis:
    return msgspec.structs.replace(
        entry, reasoning=f"From the earlier interaction {interaction_id}: {entry.reasoning}"
    )

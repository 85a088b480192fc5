"""One run to its ending: the question, with an earlier interaction as context, and the API's output of the finding."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol
from uuid import uuid4

import msgspec

from rowcite.api.facts import BETA_FIELD_BASIS
from rowcite.local.research import Finding, Question, SearchResult, ToolAnswer
from rowcite.local.server.basis import with_elements
from rowcite.local.server.context import Earlier, Input, filled_in, in_context, read_earlier
from rowcite.local.server.limits import Accepted
from rowcite.local.server.records import research_records, without_elements
from rowcite.local.server.shapes import Error, McpToolCall
from rowcite.local.server.store import Ending, Output, Run

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

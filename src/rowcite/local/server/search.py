"""The search endpoints: `/v1/search`, and the older `/v1beta/search` and `/alpha/search`, which share a shape.

Shapes: the public OpenAPI documents. `/v1` refuses unknown keys, the older paths ignore them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import uuid4

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import asdict
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rowcite.api.facts import BETA_SEARCH
from rowcite.local.research.search import SearchQuery, SearchResult
from rowcite.local.server.engine import Engine
from rowcite.local.server.http_errors import FieldError, InvalidRequest, decoded
from rowcite.local.server.params import require_beta
from rowcite.local.server.runs import json_response
from rowcite.local.server.shapes import RunWarning, SourcePolicy
from rowcite.local.server.validation import policy_errors

SessionId = Annotated[str, Meta(max_length=1000)]


class FetchPolicy(Struct):
    """When a page is fetched again; this server only has stored documents."""

    max_age_seconds: int | None = None
    timeout_seconds: float | None = None
    disable_cache_fallback: bool = False


class Excerpts(Struct, forbid_unknown_fields=True):
    """The number of characters of each result."""

    max_chars_per_result: int | None = None


class AdvancedSearch(Struct, forbid_unknown_fields=True):
    """Where to search, and how much to return."""

    source_policy: SourcePolicy | None = None
    fetch_policy: FetchPolicy | None = None
    excerpt_settings: Excerpts | None = None
    location: str | None = None
    max_results: int | None = None


class Search(Struct, forbid_unknown_fields=True):
    """`V1SearchRequest`."""

    search_queries: list[str]
    objective: str | None = None
    mode: Literal["basic", "advanced"] | None = None
    max_chars_total: int | None = None
    session_id: SessionId | None = None
    client_model: str | None = None
    advanced_settings: AdvancedSearch | None = None


class OlderExcerpts(Struct):
    """The number of characters of each result, and of all results."""

    max_chars_per_result: int | None = None
    max_chars_total: int | None = None


class OlderSearch(Struct):
    """`SearchRequest`, of `/v1beta/search` and `/alpha/search`."""

    objective: str | None = None
    search_queries: list[str] | None = None
    mode: Literal["one-shot", "agentic", "fast"] | None = None
    processor: Literal["base", "pro"] | None = None
    max_results: int | None = None
    max_chars_per_result: int | None = None
    excerpts: OlderExcerpts = field(default_factory=OlderExcerpts)
    location: str | None = None
    source_policy: SourcePolicy | None = None
    fetch_policy: FetchPolicy | None = None
    session_id: SessionId | None = None
    client_model: str | None = None


MIN_CHARACTERS = 1_000  # smaller numbers are raised to this, as the API documents


def search_route() -> Route:
    """Return the route of `/v1/search`, relative to `/v1`."""
    return Route("/search", search, methods=["POST"])


def older_search_route() -> Route:
    """Return the route of the older searches, relative to `/v1beta` or `/alpha`."""
    return Route("/search", older_search, methods=["POST"])


async def search(request: Request) -> Response:
    """Answer with ranked results, in the shape of `/v1/search`."""
    body = decoded(await request.body(), Search)
    if not body.search_queries:
        raise _invalid("search_queries", "At least one query is needed.", "too_short")
    more = body.advanced_settings or AdvancedSearch()
    excerpts = OlderExcerpts(
        more.excerpt_settings.max_chars_per_result if more.excerpt_settings else None, body.max_chars_total
    )
    query = SearchQuery(body.search_queries, body.objective)
    found = await _found(request, query, more.source_policy, more.max_results, excerpts)
    unused = _unused(location=more.location, fetch_policy=more.fetch_policy)
    return _answer(found, unused, session_id=body.session_id or f"session_{uuid4().hex}")


async def older_search(request: Request) -> Response:
    """Answer with ranked results, in the shape of `/v1beta/search`."""
    require_beta(request, BETA_SEARCH)
    body = decoded(await request.body(), OlderSearch)
    if not (body.search_queries or body.objective):
        raise _invalid("objective", "An objective or a query is needed.", "missing")
    excerpts = OlderExcerpts(
        body.excerpts.max_chars_per_result or body.max_chars_per_result, body.excerpts.max_chars_total
    )
    query = SearchQuery(body.search_queries or [], body.objective)
    found = await _found(request, query, body.source_policy, body.max_results, excerpts)
    return _answer(found, _unused(location=body.location, fetch_policy=body.fetch_policy))


async def _found(
    request: Request,
    query: SearchQuery,
    policy: SourcePolicy | None,
    results: int | None,
    excerpts: OlderExcerpts,
) -> tuple[SearchResult, ...]:
    """Search in a thread, so that streams and other requests are not blocked; a setting that is None has its default."""
    engine: Engine = request.app.state.engine
    policy = policy or SourcePolicy()
    errors = [*policy_errors(policy)]
    if results is not None and results < 1:
        errors.append(FieldError(("max_results",), "At least one result.", "greater_than_equal"))
    if errors:
        raise InvalidRequest([error.under("body") for error in errors])
    characters = {name: value for name, value in asdict(excerpts).items() if value is not None}
    limits = {name: max(value, MIN_CHARACTERS) for name, value in characters.items()}
    query = replace(
        query,
        include_domains=policy.include_domains,
        exclude_domains=[] if policy.include_domains else policy.exclude_domains,
        after_date=policy.after_date,
        max_results=results or query.max_results,
        **limits,
    )
    return await run_in_threadpool(engine.services.researcher.search, query)


def _invalid(name: str, message: str, kind: str) -> InvalidRequest:
    return InvalidRequest([FieldError(("body", name), message, kind)])


def _unused(**settings: object) -> list[RunWarning]:
    return [
        RunWarning("warning", f"This server takes {name} and does not use it.")
        for name, value in settings.items()
        if value
    ]


def _answer(found: Sequence[SearchResult], warnings: list[RunWarning], **more: str) -> Response:
    results: list[dict[str, Any]] = [
        {
            "url": one.url,
            "title": one.title,
            "publish_date": one.publish_date,
            "excerpts": list(one.excerpts),
        }
        for one in found
    ]
    body = {
        "search_id": f"search_{uuid4().hex}",
        "results": results,
        "warnings": warnings or None,
        "usage": [{"name": "sku_search", "count": 1}],
        **more,
    }
    return json_response(msgspec.json.encode(body))

"""The JSON bodies of search requests.

Source: the public OpenAPI documents. `/v1` refuses keys that it does not know, the older paths ignore them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from rowcite.local.server.shapes import SourcePolicy

SessionId = Annotated[str, Meta(max_length=1000)]


class FetchPolicy(Struct):
    """When a page is fetched anew; this server has its documents, and fetches none."""

    max_age_seconds: int | None = None
    timeout_seconds: float | None = None
    disable_cache_fallback: bool = False


class Excerpts(Struct, forbid_unknown_fields=True):
    """How many characters are shown of each result."""

    max_chars_per_result: int | None = None


class AdvancedSearch(Struct, forbid_unknown_fields=True):
    """Where to search, and how much to show."""

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
    """How many characters are shown, of each result and of all."""

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

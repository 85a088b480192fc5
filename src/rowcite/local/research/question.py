"""The types of a question to the corpus and of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rowcite.model import FieldBasis


@dataclass(frozen=True)
class ToolAnswer:
    """The answer of a run's tool: `url` is its citation, `source` the server, `title` the tool."""

    url: str
    source: str
    title: str
    text: str


@dataclass(frozen=True)
class Question:
    """One run: the entity, the form of the answer, the processor, the source policy and the answers of its tools.

    `output` is {"type": "json", "json_schema": {...}}, {"type": "text", "description": str | None} or
    {"type": "auto"}. Domains are the entries of a source policy. Documents dated before `after_date` (YYYY-MM-DD) are not read.
    """

    input: str | dict[str, Any]
    output: dict[str, Any]
    processor: str = "core"
    include_domains: tuple[str, ...] = ()
    exclude_domains: tuple[str, ...] = ()
    after_date: str | None = None
    tool_answers: tuple[ToolAnswer, ...] = ()


@dataclass(frozen=True)
class Finding:
    """The answer: an object or a text, with a basis for each field.

    `output_schema` is the schema chosen for an auto answer; `considered` counts the documents that
    name the entity, `read` lists the URLs that were read for facts.
    """

    kind: Literal["json", "text"]
    content: dict[str, Any] | str
    basis: tuple[FieldBasis, ...]
    output_schema: dict[str, Any] | None = None
    considered: int = 0
    read: tuple[str, ...] = ()


def documents_to_read(processor: str) -> int:
    """Return the number of documents a processor reads; its -fast variant reads as many."""
    base = processor.removesuffix("-fast")
    return {"lite": 1, "base": 3, "core": 8, "core2x": 12}.get(base, 24 if base.startswith("ultra") else 16)

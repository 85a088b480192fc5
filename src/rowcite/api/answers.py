"""Outputs of the API to answers: content and basis, in the documented shape and in all older ones. Pure.

Older pages show numeric confidences, content as JSON text and a `_basis` inside the content; all of them are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from rowcite.api.bodies import decoded_leniently, replace_lone_surrogates
from rowcite.model import Answer, Citation, FieldBasis


class _Citation(msgspec.Struct):
    url: str = ""
    title: str | None = None
    excerpts: list[str] | None = None


class _Basis(msgspec.Struct):
    field: str
    reasoning: str | None = ""
    citations: list[_Citation] | None = None
    confidence: str | float | None = None


class _Output(msgspec.Struct):
    type: Any = None
    content: Any = None
    basis: list[_Basis] | None = None


class _Documented(msgspec.Struct):
    """The documented shape, without nulls and empty URLs: read directly into the types of an answer."""

    content: Any
    basis: tuple[FieldBasis, ...]
    type: str = ""


class _Address(Citation, frozen=True, gc=False):
    """A citation whose title and excerpts are not read: no member has the names given here."""

    title: str | None = msgspec.field(default=None, name="(title)")
    excerpts: tuple[str, ...] = msgspec.field(default=(), name="(excerpts)")


class _WithoutTexts(FieldBasis, frozen=True, gc=False):
    reasoning: str = msgspec.field(default="", name="(reasoning)")
    citations: tuple[_Address, ...] = ()


class _DocumentedWithoutTexts(_Documented):
    basis: tuple[_WithoutTexts, ...]


_DOCUMENTED = msgspec.json.Decoder(_Documented).decode
_WITHOUT_TEXTS = msgspec.json.Decoder(_DocumentedWithoutTexts).decode
_OUTPUT = msgspec.json.Decoder(_Output)


def answer(run_id: str, processor: str, raw: bytes, *, texts: bool = True) -> Answer:
    """Return an output as an answer. Without `texts` its evidence may lack reasonings, titles and excerpts: half the time.

    Raises:
        ValueError: the bytes are not JSON.
    """
    try:
        output = decoded_leniently(raw, _DOCUMENTED if texts else _WITHOUT_TEXTS)
        if output.type == "text" or (isinstance(output.content, dict) and "_basis" not in output.content):
            return Answer(run_id, processor, output.content, output.basis)
    except msgspec.DecodeError:
        pass  # read leniently below
    try:
        content, basis = _read_output(replace_lone_surrogates(raw))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise ValueError(f"run {run_id}: the answer is not JSON: {error}") from error
    return Answer(run_id, processor, content, tuple(basis))


def _read_output(raw: bytes) -> tuple[Any, list[FieldBasis]]:
    try:
        output = _OUTPUT.decode(raw)
        content, basis, kind = (
            output.content,
            [_field_basis(item) for item in output.basis or ()],
            output.type,
        )
    except msgspec.ValidationError:
        content, basis, kind = *_loose(json.loads(raw)), None
    if kind == "text":
        return content, basis
    content, inner = _content(content)
    return content, basis or inner


def _content(content: Any) -> tuple[Any, list[FieldBasis]]:
    """Return content, decoded if it is JSON text, and the older `_basis` that was inside it."""
    if isinstance(content, str) and content.lstrip().startswith("{"):
        try:
            inner = json.loads(replace_lone_surrogates(content.encode()))
        except (ValueError, RecursionError):
            return content, []
        content = inner if isinstance(inner, dict) else content
    if isinstance(content, dict) and isinstance(content.get("_basis"), (list, dict)):
        basis = content["_basis"]
        items = (
            basis
            if isinstance(basis, list)
            else [{"field": name, **part} for name, part in basis.items() if isinstance(part, dict)]
        )
        content = {name: value for name, value in content.items() if name != "_basis"}
        return content, _loose_basis(items)
    return content, []


def _field_basis(item: _Basis) -> FieldBasis:
    citations = tuple(
        Citation(part.url, part.title, tuple(part.excerpts or ()))
        for part in item.citations or ()
        if part.url
    )
    return FieldBasis(
        item.field, item.reasoning or "", citations, None if item.confidence == "" else item.confidence
    )


def _loose(output: Any) -> tuple[Any, list[FieldBasis]]:
    """Return the parts of an undocumented output that can be read."""
    if not isinstance(output, dict):
        return output, []
    content = output.get(
        "content", {key: value for key, value in output.items() if key not in ("basis", "type")}
    )
    return content, _loose_basis(output.get("basis"))


def _loose_basis(items: Any) -> list[FieldBasis]:
    found = []
    for item in items if isinstance(items, Sequence) and not isinstance(items, str) else ():
        if isinstance(item, dict) and isinstance(item.get("field"), str):
            confidence = item.get("confidence")
            found.append(
                FieldBasis(
                    item["field"],
                    str(item.get("reasoning") or ""),
                    tuple(_loose_citations(item.get("citations"))),
                    confidence if _is_confidence(confidence) else None,
                )
            )
    return found


def _is_confidence(value: Any) -> bool:
    return isinstance(value, (str, float, int)) and not isinstance(value, bool) and value != ""


def _loose_citations(items: Any) -> Iterable[Citation]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, str):
            yield Citation(item)
        elif isinstance(item, dict) and isinstance(item.get("url"), str):
            excerpts = item.get("excerpts")
            texts = (
                tuple(text for text in excerpts if isinstance(text, str))
                if isinstance(excerpts, list)
                else ()
            )
            title = item.get("title")
            yield Citation(item["url"], title if isinstance(title, str) else None, texts)

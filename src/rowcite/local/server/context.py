"""An earlier interaction as context: what it was asked and found helps to answer a run that names it.

An earlier run about another entity must not lend its name or its facts: the two have to share a name or a site,
unless the new input is a text, which may well be a question about "it".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from rowcite.local.research import Finding
from rowcite.local.research.subject.entity import entity_of
from rowcite.local.research.text.normalise import fold
from rowcite.model import FieldBasis

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

"""What distinguishes a question from an earlier one, in words: why stored answers are not reused. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rowcite.api.bodies import REPEAT
from rowcite.api.keys import fingerprint
from rowcite.api.packing import unpacked
from rowcite.ledger import QuestionAnswers

_TASK_PARTS = {
    "source_policy": "the source policy",
    "data_sources": "the data sources",
    "mcp_servers": "the MCP servers",
    "previous_interaction_id": "the previous interaction",
}


class EarlierAnswers(NamedTuple):
    """The stored answers that a command does not use.

    `answers` of them are to an earlier question that differs by `changes`, and are not replaced yet; `other_answers` are to any earlier question,
    `too_old` to the present one.
    """

    changes: list[str]
    answers: int
    other_answers: int
    too_old: int


def earlier_answers(
    now: dict[str, Any], stored: Sequence[QuestionAnswers], to_submit: int, present: int
) -> EarlierAnswers:
    """Return the stored answers that are not used.

    `stored` has the questions of the ledger, newest first: those of packs too, and the present one if the age of its answers counts. `present` is the number of tasks that are answered or active now. The
    earlier question is the last one that answered many tasks: a trial with a few rows does not hide the full run before it.
    """
    own = [item for item in stored if is_same(item.named, now)]
    others = [item for item in stored if item not in own and REPEAT not in item.named]
    most = max((item.answers for item in others), default=0)
    earlier = next((item for item in others if 2 * item.answers >= min(most, to_submit)), None)
    older, left = sum(item.older for item in own), 0  # what is older is requested again for its age
    if earlier and to_submit:
        alike = unpacked(earlier.named)
        answers = sum(item.answers for item in others if is_same(item.named, alike))
        left = max(answers - present - older, 0)
    return EarlierAnswers(
        changes=changes(unpacked(earlier.named), now) if earlier and left else [],
        answers=left,
        other_answers=sum(item.answers for item in others),
        too_old=older,
    )


def is_same(named: dict[str, Any], now: dict[str, Any]) -> bool:
    """Return True if a stored question, also one of packs, is the present one."""
    return fingerprint(unpacked(named)) == fingerprint(now)


def changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return what changed from one question to another, as clauses: `the description of city changed`."""
    old, new = before.get("task_spec") or {}, now.get("task_spec") or {}
    found = []
    if before.get("processor") != now.get("processor"):
        found.append(f"the processor changed from {before.get('processor')} to {now.get('processor')}")
    found += _output(old.get("output_schema"), new.get("output_schema"))
    found += _input(old.get("input_schema"), new.get("input_schema"))
    places = [(part.get("advanced_settings") or {}).get("location") for part in (before, now)]
    if places[0] != places[1]:
        found.append(f"the location changed from {places[0] or 'none'} to {places[1] or 'none'}")
    return found + [
        f"{words} changed" for part, words in _TASK_PARTS.items() if before.get(part) != now.get(part)
    ]


def _output(old: Any, new: Any) -> list[str]:
    if old == new:
        return []
    fields = [_properties(schema) for schema in (old, new)]
    if fields[0] is None or fields[1] is None:
        return ["the output changed"]
    found = []
    if old["json_schema"].get("description") != new["json_schema"].get("description"):
        found.append("the instructions changed")
    return found + _named(fields[0], fields[1], "field ", "")


def _input(old: Any, new: Any) -> list[str]:
    fields = [_properties(schema) for schema in (old, new)]
    if fields[0] is None or fields[1] is None:
        return [] if old == new else ["the input changed between inputs and a prompt"]
    return _named(
        {name: _without_type(field) for name, field in fields[0].items()},
        {name: _without_type(field) for name, field in fields[1].items()},
        "input ",
        "input ",
    )


def _properties(schema: Any) -> dict[str, Any] | None:
    """Return the properties of a JSON schema, None for another form of output."""
    if not isinstance(schema, dict) or not isinstance(schema.get("json_schema"), dict):
        return None
    found = schema["json_schema"].get("properties")
    return found if isinstance(found, dict) else None


def _without_type(field: Any) -> Any:
    """Return an input without its type, which does not change the answers."""
    return {word: value for word, value in field.items() if word != "type"}


def _named(old: dict[str, Any], new: dict[str, Any], noun: str, of: str) -> list[str]:
    """Return what was added, removed and changed among the named parts of a schema."""
    found = [f"{noun}{name} was added" for name in new if name not in old]
    found += [f"{noun}{name} was removed" for name in old if name not in new]
    for name in (name for name in new if name in old and old[name] != new[name]):
        found.append(f"{_what(old[name], new[name])} of {of}{name} changed")
    return found


def _what(old: Any, new: Any) -> str:
    """Return the name of the only thing that changed in a field."""
    both = isinstance(old, dict) and isinstance(new, dict)
    changed = {word for word in {*old, *new} if old.get(word) != new.get(word)} if both else set()
    if changed == {"description"}:
        return "the description"
    if changed and changed <= {"type", "anyOf", "items"}:
        return "the type"
    return "the list of values" if changed and changed <= {"enum", "type"} else "the schema"

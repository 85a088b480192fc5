"""Several rows in one run: the question, and the assignment of the answer's records to rows. Pure.

Every record has a key, derived from the row's task key, that the answer must repeat. Records are matched by it and never
by position. The rows' evidence is the basis of each list element.
A row whose record is missing, repeated or empty is submitted on its own.
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from rowcite.api.answers import answer
from rowcite.api.bodies import Question
from rowcite.api.facts import TASK_AND_INPUT_CHARS
from rowcite.api.keys import canonical, exact, task_key
from rowcite.model import FieldBasis, Task

RECORDS, RECORD_KEY = "records", "key"
"""The list of records in a run that is sent for several rows, and the member that identifies a record's row."""

_PROMPT = "prompt"
_WORDS = (
    "Work on each record on its own, as if it were the only one. Answer with one element for each record,"
    f" and copy its `{RECORD_KEY}` unchanged."
)


def packed(question: Question) -> Question:
    """Return the question for several rows in one run: each record has the fields of one row's question."""
    named = msgspec.json.decode(msgspec.json.encode(question.named))
    spec = named["task_spec"]
    one = spec.get("input_schema", {}).get("json_schema", _PROMPT_SCHEMA)
    spec["input_schema"] = {"type": "json", "json_schema": records_schema(one)}
    schema = spec["output_schema"]["json_schema"]
    words = " ".join(filter(None, [schema.get("description"), _WORDS]))
    spec["output_schema"]["json_schema"] = records_schema(schema, words)
    return Question(named, msgspec.json.encode(spec), question.run, question.extra_metadata)


def unpacked(named: dict[str, Any]) -> dict[str, Any]:
    """Return the question for one row of a packed question (`Question.named`); any other question unchanged."""
    spec = named.get("task_spec") or {}
    schemas = {name: (spec.get(name) or {}).get("json_schema") for name in ("input_schema", "output_schema")}
    asked, answered = schemas["input_schema"], schemas["output_schema"]
    if not isinstance(asked, dict) or not isinstance(answered, dict):
        return named
    if not answered.get("description", "").endswith(_WORDS):
        return named
    one = {"output_schema": {**spec["output_schema"], "json_schema": _one_record(answered)}}
    if (single := _one_record(asked)) != _PROMPT_SCHEMA:
        one["input_schema"] = {**spec["input_schema"], "json_schema": single}
    return {**named, "task_spec": {**{k: v for k, v in spec.items() if k not in schemas}, **one}}


def _one_record(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one record: the reverse of `records_schema`."""
    record = schema["properties"][RECORDS]["items"]
    description = schema.get("description", "").removesuffix(_WORDS).rstrip()
    return {
        "type": "object",
        **({"description": description} if description else {}),
        "properties": {name: part for name, part in record["properties"].items() if name != RECORD_KEY},
        "required": [name for name in record["required"] if name != RECORD_KEY],
        "additionalProperties": False,
        **{word: schema[word] for word in ("$defs", "definitions") if word in schema},
    }


_PROMPT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {_PROMPT: {"type": "string"}},
    "required": [_PROMPT],
    "additionalProperties": False,
}


def records_schema(one: dict[str, Any], description: str | None = None) -> dict[str, Any]:
    """Return the schema of several records with a key each, given the schema of one; definitions stay at the root."""
    shared: dict[str, Any] = {word: one[word] for word in ("$defs", "definitions") if word in one}
    record = {
        "type": "object",
        "properties": {RECORD_KEY: {"type": "string"}, **one.get("properties", {})},
        "required": [RECORD_KEY, *one.get("required", ())],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        **({"description": description} if description else {}),
        "properties": {RECORDS: {"type": "array", "items": record}},
        "required": [RECORDS],
        "additionalProperties": False,
        **shared,
    }


def packs(question: Question, tasks: Iterable[Task], most: int) -> Iterator[Task]:
    """Yield tasks for several rows each: at most `most`, within the size limit of the API.

    `question` is a packed one. The `members` of a pack are its tasks in order; a pack may have one member.
    """
    room = TASK_AND_INPUT_CHARS - len(question.task_spec.decode()) - len('{"records":[]}')
    fingerprint = question.fingerprint
    members: list[Task] = []
    size = 0
    for task in tasks:
        needs = len(task.input.decode()) + _BESIDE
        if members and (len(members) == most or size + needs > room):
            yield _pack(fingerprint, members)
            members, size = [], 0
        members.append(task)
        size += needs
    if members:
        yield _pack(fingerprint, members)


_BESIDE = len('{"key":"",') + 26 + len('"prompt":,')  # the longest text of a record beside its input


def _pack(fingerprint: bytes, members: Sequence[Task]) -> Task:
    codes = codes_of([task.key for task in members])
    records = [_record(code, exact(task.input)) for code, task in zip(codes, members, strict=True)]
    text = canonical({RECORDS: records})
    return Task(task_key(fingerprint, text), text, members=tuple(members))


def _record(code: str, given: Any) -> dict[str, Any]:
    return {RECORD_KEY: code, **(given if isinstance(given, dict) else {_PROMPT: given})}


def has_record(pack: bytes, key: bytes, task_input: bytes) -> bool:
    """Return True if the input of a pack has the record of a task."""
    text, given = _code(key), exact(task_input)
    return any(
        text.startswith(record[RECORD_KEY]) and record == _record(record[RECORD_KEY], given)
        for record in exact(pack)[RECORDS]
    )


def codes_of(keys: Sequence[bytes]) -> list[str]:
    """Return a short text for each task key, unique within a pack and easy to copy."""
    texts = [_code(key) for key in keys]
    length = next(n for n in range(_SHORTEST, 27) if len({text[:n] for text in texts}) == len(set(texts)))
    return [text[:length] for text in texts]


_SHORTEST = 6


def _code(key: bytes) -> str:
    return b32encode(key).decode().rstrip("=").lower()


# --- back ------------------------------------------------------------------------------------------------


def parts(output: bytes, keys: Sequence[bytes]) -> dict[bytes, bytes | None]:
    """Return each row's part of a pack's answer, in the shape of an answer for that row alone.

    It is None for a row whose record is missing, repeated or empty.
    """
    found: dict[bytes, bytes | None] = dict.fromkeys(keys)
    try:
        read = answer("", "", output)
    except ValueError:
        return found
    listed = read.content.get(RECORDS) if isinstance(read.content, dict) else None
    records: list[Any] = listed if isinstance(listed, list) else []
    places = _places(records)
    evidence = _by_element(read.basis)
    for key, code in zip(keys, codes_of(keys), strict=True):
        at = places.get(code, [])
        if len(at) == 1:
            found[key] = _part(records[at[0]], evidence.get(at[0], []))
    return found


def _places(records: Sequence[Any]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for index, record in enumerate(records):
        if isinstance(record, dict):
            places.setdefault(str(record.get(RECORD_KEY)).strip().lower(), []).append(index)
    return places


_ELEMENT = re.compile(rf"{RECORDS}(?:\.(\d+)|\[(\d+)\])(?:\.(.+))?\Z")


def _by_element(bases: Iterable[FieldBasis]) -> dict[int, list[tuple[str | None, FieldBasis]]]:
    """Return the evidence of each element, by field; the field is None for evidence of the whole element.

    Evidence of the whole list is not used: it cites other rows' documents.
    """
    found: dict[int, list[tuple[str | None, FieldBasis]]] = {}
    for basis in bases:
        match = _ELEMENT.match(basis.field)
        if match:
            found.setdefault(int(match[1] or match[2]), []).append((match[3], basis))
    return found


def _part(record: dict[str, Any], evidence: Sequence[tuple[str | None, FieldBasis]]) -> bytes | None:
    content = {name: value for name, value in record.items() if name != RECORD_KEY}
    if not content:
        return None
    own = [_basis(field, basis) for field, basis in evidence if field is not None and field != RECORD_KEY]
    with_evidence = {field.split(".")[0] for field, _ in evidence if field is not None}
    whole = [basis for field, basis in evidence if field is None]
    shared = [_basis(name, basis) for basis in whole[:1] for name in content if name not in with_evidence]
    return msgspec.json.encode({"type": "json", "content": content, "basis": [*own, *shared]})


def _basis(field: str, basis: FieldBasis) -> dict[str, Any]:
    return {
        "field": field,
        "reasoning": basis.reasoning,
        "confidence": basis.confidence,
        "citations": basis.citations,
    }

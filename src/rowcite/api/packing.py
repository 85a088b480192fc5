"""Several rows in one run: what is asked, and whose answer is whose. Pure.

Every record carries a key, made of the row's task key, that the answer must repeat. Answers are matched by it and
never by their place. Without the beta header that asks for a basis of every list element no row would have evidence of
its own: `rowcite.api.client` sends it. A record that is missing, stands twice or says nothing has no part: its row is asked singly.
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
from rowcite.api.keys import canonical, task_key
from rowcite.model import Citation, FieldBasis, Task

RECORDS, RECORD_KEY = "records", "key"
"""The list of records in a run that is sent for several rows, and the member that names a record's row."""

_PROMPT = "prompt"
_WORDS = (
    "Work on each record on its own, as if it were the only one. Answer with one element for each record,"
    f" and copy its `{RECORD_KEY}` unchanged."
)


def packed(asked: Question) -> Question:
    """Return the question for several rows at once: the fields of a row's question as the fields of each record."""
    named = msgspec.json.decode(msgspec.json.encode(asked.named))
    spec = named["task_spec"]
    one = spec.get("input_schema", {}).get("json_schema", _PROMPT_SCHEMA)
    spec["input_schema"] = {"type": "json", "json_schema": records_schema(one)}
    schema = spec["output_schema"]["json_schema"]
    words = " ".join(filter(None, [schema.get("description"), _WORDS]))
    spec["output_schema"]["json_schema"] = records_schema(schema, words)
    return Question(named, msgspec.json.encode(spec), asked.run, asked.extra_metadata)


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
    """Yield tasks that each ask for several rows: at most so many, and no more than the API takes.

    `question` is a packed one. A pack's `members` are the tasks in it, in their order; one may be alone.
    """
    room = TASK_AND_INPUT_CHARS - len(question.task_spec.decode()) - len('{"records":[]}')
    asked = question.fingerprint
    members: list[Task] = []
    size = 0
    for task in tasks:
        needs = len(task.input.decode()) + _BESIDE
        if members and (len(members) == most or size + needs > room):
            yield _pack(asked, members)
            members, size = [], 0
        members.append(task)
        size += needs
    if members:
        yield _pack(asked, members)


_BESIDE = len('{"key":"",') + 26 + len('"prompt":,')  # at most: what a record has beside its input


def _pack(asked: bytes, members: Sequence[Task]) -> Task:
    codes = codes_of([task.key for task in members])
    records = [
        _record(code, msgspec.json.decode(task.input)) for code, task in zip(codes, members, strict=True)
    ]
    text = canonical({RECORDS: records})
    return Task(task_key(asked, text), text, members=tuple(members))


def _record(code: str, given: Any) -> dict[str, Any]:
    return {RECORD_KEY: code, **(given if isinstance(given, dict) else {_PROMPT: given})}


def codes_of(keys: Sequence[bytes]) -> list[str]:
    """Return the texts that stand for task keys within a pack: as short as tells them apart, and easy to copy."""
    texts = [b32encode(key).decode().rstrip("=").lower() for key in keys]
    length = next(n for n in range(_SHORTEST, 27) if len({text[:n] for text in texts}) == len(set(texts)))
    return [text[:length] for text in texts]


_SHORTEST = 6


# --- back ------------------------------------------------------------------------------------------------


def parts(output: bytes, keys: Sequence[bytes]) -> dict[bytes, bytes | None]:
    """Return each row's own part of a pack's answer, as the API would have answered the row alone.

    None for a row that has none: its record is missing, stands there more than once, or says nothing.
    """
    found: dict[bytes, bytes | None] = dict.fromkeys(keys)
    try:
        read = answer("", "", output)
    except ValueError:
        return found
    said = read.content.get(RECORDS) if isinstance(read.content, dict) else None
    records: list[Any] = said if isinstance(said, list) else []
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
    """Return what each element has as evidence, by field; None for what is of the whole element.

    Evidence of the whole list is nobody's: it would cite other rows' documents.
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
    told = {field.split(".")[0] for field, _ in evidence if field is not None}
    whole = [basis for field, basis in evidence if field is None]
    shared = [_basis(name, basis) for basis in whole[:1] for name in content if name not in told]
    return msgspec.json.encode({"type": "json", "content": content, "basis": [*own, *shared]})


def _basis(field: str, basis: FieldBasis) -> dict[str, Any]:
    return {
        "field": field,
        "reasoning": basis.reasoning,
        "confidence": basis.confidence,
        "citations": [_citation(item) for item in basis.citations],
    }


def _citation(item: Citation) -> dict[str, Any]:
    return {"url": item.url, "title": item.title, "excerpts": list(item.excerpts)}

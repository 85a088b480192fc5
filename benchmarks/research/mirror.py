"""The labelled documents of public repositories: read from Git directories under MIRROR, split in two halves by a hash.

MIRROR names a folder with the Git directory of each repository at owner+name/repo. labels.yaml lists repository, commit
and path of each document with the facts that it states. A scripted reader takes the place of a language model: it knows the
labels and quotes the passages that it is shown.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from compare import Truth, is_right

from rowcite.local.research.answers.schema_fields import field_of_schema
from rowcite.local.research.corpus import Corpus
from rowcite.local.research.language_model.quotes import states
from rowcite.local.research.text.normalise import content_words

LABELS = Path(__file__).parent / "labels.yaml"
_TYPES = {"text": "string", "date": "string", "list": "array"}
_EXAMPLE = re.compile(r"^TYPES:", re.MULTILINE)
_PART = re.compile(r"^(PRE-MARKUP|MICRODATA|RDFA|JSON):[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Labelled:
    """A labelled document: `name` is its file in the corpus, `facts` has the schema and the truth of each field."""

    name: str
    entity: str
    kind: str
    source: str
    content: bytes
    facts: dict[str, tuple[dict[str, Any], Truth]]

    @property
    def seen(self) -> bool:
        """Whether the document is in the half that the engine was developed on."""
        return hashlib.sha256(self.name.encode()).digest()[0] % 2 == 0

    @property
    def given(self) -> dict[str, str]:
        """The input of the question: the name alone, under the kind of thing that it is."""
        return {self.kind.replace(" ", "_"): self.entity}

    @property
    def schema(self) -> dict[str, Any]:
        """The schema that asks for every labelled field."""
        return {"type": "object", "properties": {name: schema for name, (schema, _) in self.facts.items()}}


def labelled_documents(mirror: Path) -> list[Labelled]:
    """Return the labelled documents, read from the repositories under `mirror`."""
    listed = yaml.safe_load(LABELS.read_text(encoding="utf-8"))
    return [_labelled(entry, mirror, listed["commits"][entry["repository"]]) for entry in listed["documents"]]


def write_corpus(documents: Sequence[Labelled], folder: Path) -> None:
    """Write the documents as the files of a corpus."""
    for document in documents:
        (folder / document.name).write_bytes(document.content)


class ScriptedReader:
    """Replies as a language model that knows the truth would: with quotes of the passages that state it."""

    def __init__(self, documents: Sequence[Labelled], corpus: Corpus) -> None:
        self._urls = {document.path: document.url for document in corpus.documents}
        self._documents = {json.dumps(document.given, ensure_ascii=False): document for document in documents}

    def ask(
        self, messages: Sequence[dict[str, str]], _schema: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the fields with the true values that the shown passages state."""
        text = messages[-1]["content"]
        given = re.match(r"Entity: (.*)", text)
        document = self._documents[given[1] if given else ""]
        shown = list(_shown_passages(text, self._urls[document.name]))
        replies = {
            name: _reply(name, schema, truth, shown) for name, (schema, truth) in document.facts.items()
        }
        return {"fields": {name: reply for name, reply in replies.items() if reply}}


def _labelled(entry: dict[str, Any], mirror: Path, commit: str) -> Labelled:
    repository, path, part = entry["repository"], entry["path"], entry.get("part", "")
    raw = _git_show(mirror / repository.replace("/", "+") / "repo", f"{commit}:{path}")
    if path.endswith(".gz"):
        raw = gzip.decompress(raw)
    if part:
        raw = _example(raw.decode(), part).encode()
    stem = re.sub(r"\W+", "-", f"{repository} {path} {part}").strip("-").lower()
    suffix = (
        ".md" if path.endswith(".md") else ".txt" if path.endswith((".txt", ".rst")) and not part else ".html"
    )
    facts = {name: _fact(line) for name, line in entry["facts"].items()}
    return Labelled(f"{stem}{suffix}", entry["entity"], entry["kind"], entry["source"], raw, facts)


def _git_show(repository: Path, revision: str) -> bytes:
    command = ["git", "--git-dir", str(repository), "show", revision]
    return subprocess.run(command, check=True, capture_output=True).stdout  # revisions of labels.yaml


def _example(text: str, part: str) -> str:
    """Return one form of one example in a file of examples, as a page."""
    number, form = part.split()
    pieces = _PART.split(_EXAMPLE.split(text)[int(number)])
    return f"<html><body>{dict(zip(pieces[1::2], pieces[2::2], strict=True))[form]}</body></html>"


def _fact(line: str) -> tuple[dict[str, Any], Truth]:
    """Return the schema and the truth of a line "type | description | value"."""
    kind, description, value = (part.strip() for part in line.split(" | ", 2))
    accepted = [] if value == "-" else [text.strip() for text in value.split(";" if kind == "list" else "||")]
    if kind == "list":
        accepted = [text for item in accepted for text in item.split("||")]
    if kind.startswith("enum"):
        choices = kind[5:-1].split(",")
        return {"enum": [*choices, None], "description": description}, Truth("enum", tuple(accepted))
    schema: dict[str, Any] = {"type": [_TYPES.get(kind, kind), "null"], "description": description}
    if kind == "list":
        schema["items"] = {"type": "string"}
    if kind == "boolean":
        accepted = [{"yes": "true", "no": "false"}[text] for text in accepted]
    family = {"number": "integer", "date": "date"}.get(kind, kind)
    return schema, Truth(family, tuple(accepted))


def _shown_passages(prompt: str, url: str) -> Iterator[tuple[int, str]]:
    """Yield the passages of a document in a prompt, each with the document's number."""
    for match in re.finditer(
        r"<untrusted-\w+ document=(\d+) (\{.*?\})>\n(.*?)\n</untrusted", prompt, re.DOTALL
    ):
        if json.loads(match[2])["url"] == url:
            for line in match[3].split("\n"):
                yield int(match[1]), line


def _reply(
    name: str, schema: dict[str, Any], truth: Truth, shown: list[tuple[int, str]]
) -> dict[str, Any] | None:
    """Return the value and quotes of one field, or None if no passage states it."""
    target = field_of_schema(schema, name)
    item = target.item or target
    values: list[Any] = []
    quotes: list[dict[str, Any]] = []
    asked = set(content_words(f"{target.words} {target.description}"))
    for text in truth.accepted:
        value = _typed(text, truth.family)
        stating = [(number, line) for number, line in shown if _states(line, value, item, asked)]
        if stating and not (values and truth.family != "list"):
            best = max(stating, key=lambda pair: (len(asked & set(content_words(pair[1]))), -len(pair[1])))
            values.append(value)
            quotes.append({"document": best[0], "quote": _cut(best[1], text)})
    if not values:
        return None
    return {
        "value": values if truth.family == "list" else values[0],
        "quotes": quotes,
        "reasoning": "Stated.",
    }


def _states(line: str, value: Any, target: Any, asked: set[str]) -> bool:
    if isinstance(value, bool):
        return bool(asked & set(content_words(line)))
    return states(line, value, target)


def _typed(text: str, family: str) -> Any:
    if family == "integer":
        return float(text) if "." in text else int(text)
    return text == "true" if family == "boolean" else text


def _cut(line: str, value: str) -> str:
    """Return a quote of at most 900 characters around the value."""
    at = max(line.find(value) - 300, 0)
    if len(line) <= 900:
        return line
    start = line.find(" ", at) + 1 if at else 0
    return line[start : start + 900].rsplit(" ", 1)[0]


def judged(
    documents: Sequence[Labelled], answers: Sequence[Any]
) -> Iterator[tuple[Labelled, str, Any, str, Truth, bool]]:
    """Yield document, field, value, confidence, truth and whether it is right, for each labelled field."""
    for document, finding in zip(documents, answers, strict=True):
        confidence = {basis.field: str(basis.confidence) for basis in finding.basis}
        for name, (_, truth) in document.facts.items():
            value = finding.content[name]
            right = value not in (None, [], "") and is_right(value, truth)
            yield document, name, value, confidence[name], truth, right

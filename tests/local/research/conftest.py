"""A fixture that writes a small corpus and asks it questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowcite.local.research.corpus import Corpus, open_corpus
from rowcite.local.research.question import Finding, Question


class Documents:
    """A folder of documents to write into, and to ask questions about."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def page(self, name: str, body: str, url: str = "", head: str = "") -> None:
        link = f'<link rel="canonical" href="{url}">' if url else ""
        self.file(name, f"<html><head>{link}{head}</head><body>{body}</body></html>")

    def file(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def open(self) -> Corpus:
        return open_corpus(self.folder)

    def ask(self, given, properties, **options) -> Finding:
        schema = {"type": "object", "properties": properties}
        return self.open().research(Question(given, {"type": "json", "json_schema": schema}, **options))

    def value(self, given, schema, name="employee_count", **options):
        finding = self.ask(given, {name: schema}, **options)
        return finding.content[name]


@pytest.fixture
def docs(tmp_path: Path) -> Documents:
    return Documents(tmp_path)

"""Fixtures of the language model tests: a stub endpoint, two pages about Acme, and a function that asks."""

from __future__ import annotations

import pytest

from rowcite.local.research.language_model.endpoint import Endpoint
from rowcite.local.research.language_model.reader import ModelResearcher
from rowcite.local.research.question import Question
from support.chat_completions import ACME, COUNT, ELSEWHERE, KEY, STAFF, stubbed


@pytest.fixture
def stub():
    with stubbed() as running:
        yield running


@pytest.fixture
def acme(docs):
    docs.page(
        "a.html",
        f"<h1>Acme Pumps</h1><p>{STAFF}</p><p>The seat is Lleida, Spain. Founded in spring 1998.</p>",
        "https://acmepumps.example/about",
    )
    docs.page(
        "b.html",
        f"<h1>Acme Pumps</h1><p>{ELSEWHERE}</p><p>Website: acmepumps.example</p>",
        "https://trade.example/acme",
    )
    return docs


@pytest.fixture
def ask(acme, stub):
    def asked(properties=COUNT, given=ACME, output=None, **options):
        researcher = ModelResearcher(acme.open(), Endpoint(stub.base_url, "m", KEY, timeout=5, pause=0.01))
        schema = {"type": "object", "properties": properties}
        return researcher.research(
            Question(given, output or {"type": "json", "json_schema": schema}, **options)
        )

    return asked

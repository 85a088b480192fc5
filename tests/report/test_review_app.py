"""The review's server: which requests it accepts and rejects, and which decisions reach the ledger."""

import asyncio
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from rowcite.cli import review as cli_review
from rowcite.ledger import open_ledger
from rowcite.report.gather import gather
from rowcite.review.app import ReviewSession, create_app
from rowcite.review.scope import Scope
from rowcite.review.verdicts import Cells, decide
from support.answers import answer, answered, found, known, ready

BASE = "http://127.0.0.1:8123"


@pytest.fixture(scope="module")
def drawn(some_once):
    """Return a ledger, and the facts of a review of it."""
    prepared = ready(some_once)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        facts = gather(prepared.job, ledger, decided=False)
    return prepared.ledger, facts


@pytest.fixture
def reviewing(tmp_path, drawn):
    """Return a review of a copy of the ledger."""
    ledger, facts = drawn
    copy = shutil.copytree(ledger, tmp_path / "ledger")
    return ReviewSession(facts, Scope("Ann", facts.fields), copy, clock=lambda: 123.0, wait=0.05)


@pytest.fixture
def send(reviewing):
    """Return a function that sends a request as the page does, with the given changes."""

    def sent(method="POST", path=None, headers=None, content=None, **decision):
        body = content if content is not None else json.dumps(decision)
        usual = {"origin": BASE, "content-type": "application/json"}
        chosen = {name: value for name, value in {**usual, **(headers or {})}.items() if value is not None}

        async def go():
            transport = httpx.ASGITransport(app=create_app(reviewing))
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                target = path if path is not None else f"/{reviewing.token}/decisions"
                return await client.request(method, target, headers=chosen, content=body)

        with ThreadPoolExecutor(1) as thread:  # this one may have a loop, of the browser's tests
            return thread.submit(asyncio.run, go()).result()

    return sent


def key_of(reviewing, label):
    return next(row.key.hex() for row in reviewing.facts.rows if row.label == label)


def decisions(reviewing):
    with closing(open_ledger(reviewing.ledger, writing=False)) as ledger:
        return [item for made in ledger.decisions().values() for item in made.values()]


def test_a_decision_reaches_the_ledger_with_reviewer_time_and_value(reviewing, send):
    answer = send(key=key_of(reviewing, "Unsure"), field="industry", verdict="accept", note=" seen ")
    assert answer.json()["decision"] == {
        "verdict": "accept",
        "value": "valves",
        "who": "Ann",
        "at": 123.0,
        "note": "seen",
    }
    (made,) = decisions(reviewing)
    assert (made.field, made.verdict, made.value, made.who, made.at) == (
        "industry",
        "accept",
        '"valves"',
        "Ann",
        123.0,
    )


@pytest.mark.parametrize(("number", "value"), [(1, "valves"), (2, "pumps"), (3, "taps")])
def test_a_decision_applies_to_the_value_of_its_own_row_not_of_a_duplicate(tmp_path, number, value):
    given = [{"id": name, "name": "Same", "industry": name} for name in ("valves", "gates", "taps")]
    path = known(tmp_path, given, columns={"existing": "fill"})
    answered(path, [answer(industry=found("pumps", "high" if number == 2 else "low"))])
    prepared = ready(path)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        facts = gather(prepared.job, ledger, decided=False)
    body = {"key": facts.rows[0].key.hex(), "field": "industry", "verdict": "accept", "row": number}
    made = decide(body, Cells.of(facts), who="Ann", at=1.0)
    assert made.value == json.dumps(value)


def test_undo_clears_a_decision(reviewing, send):
    key = key_of(reviewing, "Unsure")
    send(key=key, field="industry", verdict="reject")
    assert send(key=key, field="industry", verdict="clear").json() == {"decision": None}
    assert decisions(reviewing) == []


@pytest.mark.parametrize("change", [{"verdict": "correct", "value": "Zo \ud83d"}, {"note": "so \ud83d"}])
def test_half_of_a_character_is_refused_and_nothing_is_saved(reviewing, send, change):
    decision = {"key": key_of(reviewing, "Unsure"), "field": "industry", "verdict": "accept", **change}
    refusal = send(**decision)
    assert (refusal.status_code, refusal.json()["error"].partition(".")[2]) == (422, " Enter it again")
    assert decisions(reviewing) == []


def test_the_page_shows_decisions_made_after_the_start(reviewing, send):
    send(key=key_of(reviewing, "Lost"), field="industry", verdict="correct", value="locks")
    html = send("GET", f"/{reviewing.token}/").text
    assert '"verdict":"correct","value":"locks","who":"Ann"' in html


@pytest.mark.parametrize(
    ("label", "body", "why"),
    [
        ("Lost", {"field": "industry", "verdict": "correct", "value": None}, "the value is empty"),
        ("Lost", {"field": "employee_count", "verdict": "correct", "value": "many"}, "not a whole number"),
        ("Unsure", {"field": "employee_count", "verdict": "accept"}, "this column cannot hold it"),
        ("Broken", {"field": "industry", "verdict": "accept"}, "this cell has no answer to accept"),
        ("Lost", {"field": "revenue", "verdict": "reject"}, "unknown field"),
        ("Lost", {"field": "industry", "verdict": "perhaps"}, "a verdict is one of"),
        ("Lost", {"field": "industry", "verdict": "reject", "note": 3}, "a note must be a string"),
        ("Lost", {"field": "industry", "verdict": "reject", "key": "00" * 16}, "not on the page"),
        ("Lost", {"field": "industry", "verdict": "reject", "key": "../.."}, "32 hexadecimal digits"),
    ],
)
def test_an_invalid_decision_returns_422_with_a_reason(reviewing, send, label, body, why):
    answer = send(**{"key": key_of(reviewing, label), **body})
    assert (answer.status_code, why in answer.json()["error"]) == (422, True)
    assert decisions(reviewing) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example:8123"}, 421),
        ({"host": "127.0.0.1.evil.example:8123"}, 421),
        ({"host": "127.0.0.1:9999"}, 421),
        ({"host": "127.0.0.1"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": None}, 403),
        ({"origin": "http://localhost:8123"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_requests_from_other_origins_and_hosts_cannot_decide(reviewing, send, headers, status):
    answer = send(headers=headers, key=key_of(reviewing, "Unsure"), field="industry", verdict="accept")
    assert answer.status_code == status
    assert decisions(reviewing) == []


@pytest.mark.parametrize("path", ["/", "/decisions", "/wrong/", "/wrong/decisions"])
def test_paths_without_the_token_return_404(send, path):
    assert send("GET", path).status_code == 404
    assert send("POST", path).status_code == 404


def test_another_host_cannot_read_the_page(reviewing, send):
    assert send("GET", f"/{reviewing.token}/", {"host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("body", ["", "[]", "{", '"x"', "[" * 50_000, " " * 70_000 + "{}"])
def test_a_body_that_is_not_a_small_object_returns_400(send, body):
    assert send(content=body).status_code == 400


def test_a_body_that_never_ends_returns_400(reviewing):
    reviewing.body_timeout = 0.05
    receive = asyncio.Event().wait  # a message that never comes
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/{reviewing.token}/decisions",
        "query_string": b"",
        "server": ("127.0.0.1", 8123),
    }
    headers = {
        "host": "127.0.0.1:8123",
        "origin": BASE,
        "content-type": "application/json",
        "content-length": "9",
    }
    scope["headers"] = [(name.encode(), value.encode()) for name, value in headers.items()]
    sent = []

    async def send(message):
        sent.append(message)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, create_app(reviewing)(scope, receive, send)).result(60)
    assert sent[0]["status"] == 400


def test_responses_are_not_cached_framed_or_sniffed(reviewing, send):
    headers = send("GET", f"/{reviewing.token}/").headers
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "frame-ancestors 'none'"
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_the_token_of_a_page_that_is_opened_is_in_no_argument_of_a_program(tmp_path, monkeypatch):
    opener = tmp_path / "xdg-open"
    opener.write_text(
        f'#!/bin/sh\nstat -c %a "$1" > {tmp_path}/mode\ncat "$1" > {tmp_path}/page\necho "$@" > {tmp_path}/args\n'
    )
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    cli_review._open_page("http://127.0.0.1:9/t0ken/", tmp_path).join(60)
    assert "t0ken" not in (tmp_path / "args").read_text()
    assert (tmp_path / "mode").read_text() == "600\n"
    assert "url=http://127.0.0.1:9/t0ken/" in (tmp_path / "page").read_text()


def test_a_decision_fails_soon_while_a_run_holds_the_ledger(reviewing, send):
    with closing(open_ledger(reviewing.ledger, writing=True)):
        answer = send(key=key_of(reviewing, "Unsure"), field="industry", verdict="accept")
    assert (answer.status_code, "The decision was not saved" in answer.json()["error"]) == (423, True)
    assert decisions(reviewing) == []


def test_the_ledger_is_unlocked_between_decisions(reviewing, send):
    send(key=key_of(reviewing, "Unsure"), field="industry", verdict="accept")
    with closing(open_ledger(reviewing.ledger, writing=True)) as ledger:
        assert ledger.run_count()

"""The review's server: what it takes, what it refuses, and what reaches the ledger."""

import json
from contextlib import closing

import httpx
import pytest

from rowcite.ledger import open_ledger
from rowcite.pipeline.run import in_loop
from rowcite.report.gather import gather
from rowcite.review import app as review_app
from rowcite.review.app import Reviewing, create_app
from rowcite.review.verdicts import Cells, decide
from support.answers import answer, answered, found, known, ready

BASE = "http://127.0.0.1:8123"


@pytest.fixture
def reviewing(some):
    prepared = ready(some)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        facts = gather(prepared.job, ledger, decided=False)
    return Reviewing(facts, prepared.ledger, "Ann", clock=lambda: 123.0)


@pytest.fixture
def send(reviewing):
    """Return a function that sends a request as the page does, but for what it is told to change."""

    def sent(method="POST", path=None, headers=None, content=None, **said):
        body = content if content is not None else json.dumps(said)
        usual = {"origin": BASE, "content-type": "application/json"}
        chosen = {name: value for name, value in {**usual, **(headers or {})}.items() if value is not None}

        async def go():
            transport = httpx.ASGITransport(app=create_app(reviewing))
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                target = path if path is not None else f"/{reviewing.token}/decisions"
                return await client.request(method, target, headers=chosen, content=body)

        return in_loop(go())

    return sent


def key_of(reviewing, label):
    return next(row.key.hex() for row in reviewing.facts.rows if row.label == label)


def decisions(reviewing):
    with closing(open_ledger(reviewing.ledger, writing=False)) as ledger:
        return [item for said in ledger.decisions().values() for item in said.values()]


def test_a_decision_reaches_the_ledger_with_who_when_and_what_it_is_about(reviewing, send):
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
def test_a_decision_is_about_what_the_row_shows_not_another_of_its_question(tmp_path, number, value):
    given = [{"id": name, "name": "Same", "industry": name} for name in ("valves", "gates", "taps")]
    path = known(tmp_path, given, columns={"existing": "fill"})
    answered(path, [answer(industry=found("pumps", "high" if number == 2 else "low"))])
    prepared = ready(path)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        facts = gather(prepared.job, ledger, decided=False)
    said = {"key": facts.rows[0].key.hex(), "field": "industry", "verdict": "accept", "row": number}
    made = decide(said, Cells.of(facts), who="Ann", at=1.0)
    assert made.value == json.dumps(value)


def test_undoing_clears_a_decision(reviewing, send):
    key = key_of(reviewing, "Unsure")
    send(key=key, field="industry", verdict="reject")
    assert send(key=key, field="industry", verdict="clear").json() == {"decision": None}
    assert decisions(reviewing) == []


def test_the_page_shows_what_was_decided_since(reviewing, send):
    send(key=key_of(reviewing, "Lost"), field="industry", verdict="correct", value="locks")
    said = send("GET", f"/{reviewing.token}/").text
    assert '"verdict":"correct","value":"locks","who":"Ann"' in said


@pytest.mark.parametrize(
    ("label", "said", "why"),
    [
        ("Lost", {"field": "industry", "verdict": "correct", "value": None}, "this is no value"),
        ("Lost", {"field": "employee_count", "verdict": "correct", "value": "many"}, "not a whole number"),
        ("Unsure", {"field": "employee_count", "verdict": "accept"}, "cannot stand in this column"),
        ("Broken", {"field": "industry", "verdict": "accept"}, "there is no answer to accept"),
        ("Lost", {"field": "revenue", "verdict": "reject"}, "there is no such field"),
        ("Lost", {"field": "industry", "verdict": "perhaps"}, "a verdict is one of"),
        ("Lost", {"field": "industry", "verdict": "reject", "note": 3}, "a note is a text"),
        ("Lost", {"field": "industry", "verdict": "reject", "key": "00" * 16}, "not on the page"),
        ("Lost", {"field": "industry", "verdict": "reject", "key": "../.."}, "32 hexadecimal digits"),
    ],
)
def test_what_cannot_be_a_decision_is_refused_with_a_reason(reviewing, send, label, said, why):
    answer = send(**{"key": key_of(reviewing, label), **said})
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
def test_other_pages_and_other_names_cannot_decide(reviewing, send, headers, status):
    answer = send(headers=headers, key=key_of(reviewing, "Unsure"), field="industry", verdict="accept")
    assert answer.status_code == status
    assert decisions(reviewing) == []


@pytest.mark.parametrize("path", ["/", "/decisions", "/wrong/", "/wrong/decisions"])
def test_without_the_token_there_is_nothing(send, path):
    assert send("GET", path).status_code == 404
    assert send("POST", path).status_code == 404


def test_another_name_cannot_read_the_page_either(reviewing, send):
    assert send("GET", f"/{reviewing.token}/", {"host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("body", ["", "[]", "{", '"x"', "[" * 50_000, " " * 70_000 + "{}"])
def test_a_body_that_is_no_small_object_is_refused(send, body):
    assert send(content=body).status_code == 400


def test_answers_are_not_stored_framed_or_sniffed(reviewing, send):
    headers = send("GET", f"/{reviewing.token}/").headers
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "frame-ancestors 'none'"
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_a_run_that_has_the_ledger_is_not_waited_for_long(reviewing, send, monkeypatch):
    monkeypatch.setattr(review_app, "WAIT", 0.05)
    with closing(open_ledger(reviewing.ledger, writing=True)):
        answer = send(key=key_of(reviewing, "Unsure"), field="industry", verdict="accept")
    assert (answer.status_code, "nothing was decided" in answer.json()["error"]) == (423, True)
    assert decisions(reviewing) == []


def test_the_ledger_is_free_between_decisions(reviewing, send):
    send(key=key_of(reviewing, "Unsure"), field="industry", verdict="accept")
    with closing(open_ledger(reviewing.ledger, writing=True)) as ledger:
        assert ledger.runs()

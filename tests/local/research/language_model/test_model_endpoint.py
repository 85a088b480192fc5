"""Requests to the endpoint: retries, suspension, JSON mode, the key, base URLs, the serve flags."""

from __future__ import annotations

import json
import logging
import threading
import time

import httpx
import pytest

from rowcite.errors import UsageError
from rowcite.local.research.corpus import open_corpus
from rowcite.local.research.language_model.endpoint import Endpoint
from rowcite.local.research.language_model.reader import ModelResearcher
from rowcite.local.research.question import Question
from rowcite.local.research.search import SearchQuery
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from support import rowcite, serving, until
from support.chat_completions import ACME, COUNT, KEY, OWN, TRADE, quoting, stubbed


@pytest.mark.parametrize(
    "wrapping",
    [
        "```json\n{}\n```",
        "Sure! Here it is:\n```\n{}\n```\nAnything else?",
        "The answer is {} as asked.",
        "<think>Is it {a} or {b}?</think>\n{}",
        "{}",
    ],
)
def test_json_in_a_code_fence_or_between_words_is_parsed(ask, stub, wrapping):
    (reply,) = quoting(1240, OWN)
    stub.replies = [lambda body: wrapping.replace("{}", reply(body))]
    assert ask().content == {"employee_count": 1240}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('{"fields": {"employee_count": 1240}}', 1240),  # names no value: the engine's
        ('{"fields": []}', 1240),
        ('{"fields": {"employee_count": {"value": null, "quotes": null, "reasoning": ["\\ud800"]}}}', 1240),
        ('{"fields": {"employee_count": {"value": 1240, "quotes": "x"}}}', None),
        ('{"fields": {"employee_count": {"value": 7, "quotes": [1, {"document": [], "quote": {}}]}}}', None),
        ('{"fields": {"employee_count": {"value": "\\ud800", "reasoning": "\\ud800"}}}', None),
    ],
)
def test_a_malformed_reply_gives_no_value_of_the_model(ask, stub, text, count):
    stub.replies = [text]
    finding = ask()
    assert finding.content == {"employee_count": count}
    assert "Read by a language model" not in finding.basis[0].reasoning


@pytest.mark.parametrize("reply", [500, "no JSON at all", "[1, 2]", "[" * 100_000])
def test_after_two_failures_the_engine_answers_and_the_reasoning_names_it(acme, ask, stub, reply):
    stub.replies = [reply]
    finding = ask()
    schema = {"type": "json", "json_schema": {"type": "object", "properties": COUNT}}
    engine_answer = acme.open().research(Question(ACME, schema))
    assert finding.content == engine_answer.content == {"employee_count": 1240}
    assert finding.basis[0].citations == engine_answer.basis[0].citations
    assert "The language model was not used" in finding.basis[0].reasoning
    assert len(stub.requests) == 2


def test_one_failure_is_retried(ask, stub):
    stub.replies = [500, *quoting(1240, OWN)]
    assert "Read by a language model" in ask().basis[0].reasoning


@pytest.mark.parametrize(("rejections", "used"), [(0, "json_schema"), (1, "json_object"), (2, None)])
def test_an_endpoint_gets_the_strictest_reply_format_that_it_accepts(ask, stub, rejections, used):
    stub.replies = [*[400] * rejections, *quoting(1240, OWN)]
    assert ask().basis[0].confidence == "medium"
    formats = [request["body"].get("response_format", {}).get("type") for request in stub.requests]
    assert formats == [*["json_schema", "json_object"][:rejections], used]


@pytest.mark.parametrize("status", [302, 307, 401])
def test_a_redirect_or_a_rejected_key_is_neither_retried_nor_followed(ask, stub, status):
    with stubbed() as other:
        stub.headers = {"location": f"{other.base_url}/chat/completions"}
        stub.replies = [status]
        assert f"status {status}" in ask().basis[0].reasoning
        assert (len(stub.requests), other.requests) == (1, [])


def test_a_hanging_endpoint_is_suspended_after_three_timeouts(acme, stub):
    stub.replies = [lambda _: time.sleep(1) or "{}"]
    researcher = ModelResearcher(acme.open(), Endpoint(stub.base_url, "m", timeout=0.1))
    question = Question(ACME, {"type": "json", "json_schema": {"type": "object", "properties": COUNT}})
    reasons = [researcher.research(question).basis[0].reasoning for _ in range(5)]
    assert "did not answer within 0.1 s" in reasons[0]
    assert "several times in a row" in reasons[4]
    until(lambda: len(stub.requests) >= 3, 120)  # the endpoint may read a request after its client has gone
    assert len(stub.requests) == 3


def test_search_uses_the_corpus_without_the_model(acme, stub):
    researcher = ModelResearcher(acme.open(), Endpoint(stub.base_url, "m"))
    assert researcher.search(SearchQuery(["acme"])) == acme.open().search(SearchQuery(["acme"]))


def test_the_key_is_sent_to_the_endpoint_only(ask, stub, caplog):
    caplog.set_level(logging.DEBUG)
    stub.replies = quoting(1240, OWN, reasoning=f"Your key is {KEY}.")
    finding = ask()
    assert stub.requests[0]["headers"]["authorization"] == f"Bearer {KEY}"
    assert stub.requests[0]["path"] == "/v1/chat/completions"
    assert KEY not in json.dumps(stub.requests[0]["body"])
    stub.replies = [500]
    ask()
    shown = [caplog.text, str(finding), repr(Endpoint(stub.base_url, "m", KEY))]
    assert not any(KEY in text for text in shown)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://models.example/v1", "plain http"),
        ("HTTP://models.example/v1", "plain http"),
        ("http://127.0.0.1.evil.example/v1", "plain http"),
        ("http://169.254.1.1/v1", "plain http"),
        ("ftp://127.0.0.1/v1", "is not a base URL"),
        ("models.example/v1", "is not a base URL"),
        ("https://user:word@models.example/v1", "no user name or password"),
        ("https://models.example/v1?key=1", "has no query"),
        ("https://models.example:port/v1", "is not a base URL"),
    ],
)
def test_an_unsafe_base_url_is_rejected(url, word):
    with pytest.raises(UsageError, match=word):
        Endpoint(url, "m", KEY)


@pytest.mark.parametrize(
    "url", ["https://models.example/v1/", "http://localhost:1/v1", "http://[::1]:1", "http://127.9.9.9"]
)
def test_https_and_loopback_base_urls_are_accepted(url):
    assert Endpoint(url, "m").base_url == url


def test_an_invalid_key_is_rejected_without_showing_it():
    with pytest.raises(UsageError) as refused:
        Endpoint("https://models.example", "m", "sk-1\nx: y")
    assert "sk-1" not in str(refused.value)


def test_a_slow_endpoint_delays_only_the_runs_that_wait_for_it(acme, stub):
    go = threading.Event()

    def reply(body):
        if '"slow"' in body["messages"][-1]["content"]:
            go.wait(120)
        return "{}"

    stub.replies = [reply]
    researcher = ModelResearcher(open_corpus(acme.folder), Endpoint(stub.base_url, "m", timeout=90))
    task = {"output_schema": {"type": "json", "json_schema": {"type": "object", "properties": COUNT}}}
    with embedded(create_app(researcher, ServerSettings(researchers=3))) as base:
        runs = f"{base}/v1/tasks/runs"

        def created(note):
            body = {"processor": "core", "input": ACME | {"note": note}, "task_spec": task}
            return httpx.post(runs, json=body).json()["run_id"]

        slow = [created("slow") for _ in range(2)]
        for _ in range(5):
            assert httpx.get(f"{runs}/{created('quick')}/result", timeout=60).status_code == 200
        assert {httpx.get(f"{runs}/{one}").json()["status"] for one in slow} == {"running"}
        go.set()
        assert {httpx.get(f"{runs}/{one}/result", timeout=60).status_code for one in slow} == {200}


def test_the_serve_command_uses_the_model_and_never_writes_its_key(acme, stub, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    stub.replies = quoting(1240, OWN, TRADE)
    flags = ("--llm-base-url", stub.base_url, "--llm-model", "reader-1", "--data", str(folder / "data"))
    task = {"output_schema": {"type": "json", "json_schema": {"type": "object", "properties": COUNT}}}
    with serving(folder, *flags, corpus=acme.folder, ROWCITE_LLM_KEY=KEY) as server:
        runs = f"{server.url}/v1/tasks/runs"
        run = httpx.post(runs, json={"processor": "core", "input": ACME, "task_spec": task}).json()
        output = httpx.get(f"{runs}/{run['run_id']}/result", timeout=60).json()["output"]
        stub.replies = [500]
        run = httpx.post(runs, json={"processor": "core", "input": ACME, "task_spec": task}).json()
        fallen = httpx.get(f"{runs}/{run['run_id']}/result", timeout=60).json()["output"]
        server.process.terminate()
        output_text = b"".join(server.process.communicate(timeout=60))
    assert (output["content"], output["basis"][0]["confidence"]) == ({"employee_count": 1240}, "high")
    assert stub.requests[0]["body"]["model"] == "reader-1"
    assert stub.requests[0]["headers"]["authorization"] == f"Bearer {KEY}"
    assert "was not used" in fallen["basis"][0]["reasoning"]
    written = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    assert server.journal()
    assert not any(KEY.encode() in text for text in (output_text, *written))


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--llm-base-url", "http://models.example/v1", "--llm-model", "m"), b"plain http"),
        (("--llm-base-url", "https://models.example/v1"), b"--llm-model"),
        (("--llm-model", "m"), b"--llm-base-url"),
    ],
)
def test_the_serve_command_rejects_incomplete_model_flags(acme, tmp_path, flags, word):
    done = rowcite("serve", "--corpus", acme.folder, "--port", "0", *flags, cwd=tmp_path, ROWCITE_LLM_KEY=KEY)
    assert done.returncode == 2
    assert word in done.stderr
    assert KEY.encode() not in done.stderr


def test_a_busy_endpoint_is_retried_after_its_requested_pause(ask, stub):
    stub.headers = {"retry-after": "1"}
    stub.replies = [429, *quoting(1240, OWN)]
    began = time.monotonic()
    assert ask().basis[0].confidence == "medium"
    assert time.monotonic() - began >= 1
    stub.headers = {"retry-after": "0"}
    stub.replies = [429]
    finding = ask()
    assert finding.content == {"employee_count": 1240}
    assert "status 429" in finding.basis[0].reasoning

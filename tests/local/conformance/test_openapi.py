"""The server's own OpenAPI document: schemathesis finds no request answered with 5xx, or against the document."""

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from rowcite.local.server.openapi import document
from support import examples

PATHS = document()["paths"]
OPERATIONS = [(path, method) for path, methods in PATHS.items() for method in methods]
# Only requests with a body or a query can be invalid.
WITH_MODES = [
    (path, method, mode)
    for path, method in OPERATIONS
    for mode in ("positive", "negative")
    if mode == "positive"
    or "requestBody" in PATHS[path][method]
    or any(one["in"] == "query" for one in PATHS[path][method]["parameters"])
]
BOUNDED = settings(
    max_examples=examples(30),
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def described(shared_base):
    import schemathesis  # here, because it takes a second that other tests need not wait for

    return schemathesis.openapi.from_url(f"{shared_base}/openapi.json")


@pytest.fixture(scope="module")
def existing(shared_base):
    """Return the ids of a run and of a group with a run, both ended."""
    group = httpx.post(f"{shared_base}/v1/tasks/groups", json={}).json()["taskgroup_id"]
    path = f"{shared_base}/v1/tasks/groups/{group}"
    added = httpx.post(f"{path}/runs", json={"inputs": [{"processor": "core", "input": "France"}]})
    httpx.get(f"{path}/events")
    return {"taskgroup_id": group, "run_id": added.json()["run_ids"][0]}


def probe(operation, *, streams, **strategy):
    """Send what the strategy generates, and check the answers; of streams, not the schema."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as openapi

    checks = [not_a_server_error, openapi.status_code_conformance, openapi.content_type_conformance]
    # The checker takes a stream's schema for that of the frame; events are compared with the public shapes elsewhere.
    checks += [] if streams else [openapi.response_schema_conformance]

    @BOUNDED
    @given(case=operation.as_strategy(**strategy))
    def send(case):
        case.call_and_validate(checks=checks, timeout=10)

    send()


@pytest.mark.slow
@pytest.mark.parametrize(("path", "method", "mode"), WITH_MODES)
def test_valid_and_invalid_requests_get_documented_answers(described, existing, path, method, mode):
    from schemathesis import GenerationMode

    named = {name: value for name, value in existing.items() if f"{{{name}}}" in path}
    known = {"path_parameters": named} if named else {}
    streams = "text/event-stream" in PATHS[path][method]["responses"].get("200", {}).get("content", {})
    probe(described[path][method.upper()], streams=streams, generation_mode=GenerationMode(mode), **known)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "method"), [one for one in OPERATIONS if "{" in one[0]])
def test_any_id_in_a_path_gets_a_documented_answer(described, path, method):
    probe(described[path][method.upper()], streams=True)


def test_the_document_is_served(shared_base):
    served = httpx.get(f"{shared_base}/openapi.json").json()
    assert served == document()
    assert served["openapi"].startswith("3.1")


def test_every_served_path_is_documented(shared_base):
    with httpx.Client(base_url=shared_base) as client:
        for path, method in OPERATIONS:
            answer = client.request(method, path.format(run_id="trun_0", taskgroup_id="tgrp_0"))
            assert answer.status_code != 405
            assert answer.json().get("error", {}).get("message") != "Not found"

"""The search endpoints, on a corpus that records its queries, and on a real one."""

import httpx
import pytest

from rowcite.local.research.corpus import open_corpus
from rowcite.local.research.search import SearchQuery
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded

OLDER = ["/v1beta/search", "/alpha/search"]
FOUND = {"url": "https://a.example/", "title": "A", "publish_date": "2026-01-02", "excerpts": ["about A"]}


def place(response):
    return response.json()["error"]["detail"]["errors"][0]["loc"]


def test_a_search_answers_with_results_and_a_session(start):
    body = start().post("/v1/search", json={"search_queries": ["acme"]}).json()
    assert body["results"] == [FOUND]
    assert body["search_id"].startswith("search_")
    assert body["session_id"].startswith("session_")
    assert body["usage"] == [{"name": "sku_search", "count": 1}]
    assert body["warnings"] is None


def test_a_given_session_id_is_kept(start):
    body = start().post("/v1/search", json={"search_queries": ["acme"], "session_id": "s1"}).json()
    assert body["session_id"] == "s1"


@pytest.mark.parametrize("path", OLDER)
def test_the_older_searches_have_no_session(start, path):
    body = start().post(path, json={"objective": "who is acme"}).json()
    assert body["results"] == [FOUND]
    assert "session_id" not in body


def test_the_settings_of_a_search_reach_the_corpus(start, answers):
    policy = {"include_domains": [".gov"], "exclude_domains": ["x.example"], "after_date": "2025-01-31"}
    advanced = {
        "source_policy": policy,
        "excerpt_settings": {"max_chars_per_result": 20},
        "max_results": 3,
        "location": "us",
    }
    body = {
        "search_queries": ["acme", "acme ceo"],
        "objective": "who leads acme",
        "mode": "basic",
        "max_chars_total": 5000,
        "client_model": "m",
        "advanced_settings": advanced,
    }
    answer = start().post("/v1/search", json=body)
    assert answers.searches == [
        SearchQuery(
            ["acme", "acme ceo"],
            "who leads acme",
            include_domains=[".gov"],
            exclude_domains=[],
            after_date="2025-01-31",
            max_results=3,
            max_chars_per_result=1000,
            max_chars_total=5000,
        )
    ]
    assert "location" in answer.json()["warnings"][0]["message"]


@pytest.mark.parametrize("path", OLDER)
def test_the_settings_of_an_older_search_reach_the_corpus(start, answers, path):
    body = {
        "search_queries": ["acme"],
        "mode": "agentic",
        "max_results": 2,
        "excerpts": {"max_chars_per_result": 2000, "max_chars_total": 1},
        "source_policy": {"exclude_domains": ["x.example"]},
        "something": "new",
    }
    start().post(path, json=body)
    (query,) = answers.searches
    assert (query.max_results, query.max_chars_per_result) == (2, 2000)
    assert (query.max_chars_total, query.exclude_domains) == (1000, ["x.example"])


def test_the_default_is_ten_results(start, answers):
    start().post("/v1/search", json={"search_queries": ["acme"]})
    (query,) = answers.searches
    assert (query.max_results, query.max_chars_per_result) == (10, 3000)
    assert (query.max_chars_total, query.after_date) == (None, None)


@pytest.mark.parametrize(
    ("path", "body", "loc"),
    [
        ("/v1/search", {"objective": "who"}, ["body"]),
        ("/v1/search", {"search_queries": []}, ["body", "search_queries"]),
        ("/v1/search", {"search_queries": ["a"], "surprise": 1}, ["body"]),
        ("/v1/search", {"search_queries": ["a"], "mode": "fast"}, ["body", "mode"]),
        ("/v1/search", {"search_queries": ["a"], "session_id": "s" * 1001}, ["body", "session_id"]),
        (
            "/v1/search",
            {"search_queries": ["a"], "advanced_settings": {"max_results": 0}},
            ["body", "max_results"],
        ),
        (
            "/v1/search",
            {"search_queries": ["a"], "advanced_settings": {"source_policy": {"after_date": "May 2025"}}},
            ["body", "source_policy", "after_date"],
        ),
        (
            "/v1/search",
            {"search_queries": ["a"], "advanced_settings": {"source_policy": {"include_domains": ["a:80"]}}},
            ["body", "source_policy", "include_domains", 0],
        ),
        ("/v1beta/search", {}, ["body", "objective"]),
        ("/v1beta/search", {"search_queries": []}, ["body", "objective"]),
        ("/alpha/search", {"objective": "a", "processor": "core"}, ["body", "processor"]),
    ],
)
def test_an_invalid_search_is_422_with_its_path(plain, path, body, loc):
    response = plain.post(path, json=body)
    assert response.status_code == 422
    assert place(response) == loc


def test_a_real_corpus_is_searched(tmp_path):
    page = "<title>{0}</title><p>{0} makes turbines for wind farms in the north of Jutland.</p>"
    for name in ("Vestjysk", "Ostjysk"):
        (tmp_path / f"{name}.html").write_text(page.format(name), "utf8")
    with (
        embedded(create_app(open_corpus(tmp_path), ServerSettings())) as base,
        httpx.Client(base_url=base) as client,
    ):
        (first, *_) = client.post("/v1/search", json={"search_queries": ["vestjysk turbines"]}).json()[
            "results"
        ]
    assert first["title"] == "Vestjysk"
    assert "wind farms" in first["excerpts"][0]

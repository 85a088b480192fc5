"""Search: ranking, excerpts, source policy, limits."""

from __future__ import annotations

import pytest

from rowcite.local.research.search import SearchQuery


@pytest.fixture
def corpus(docs):
    docs.page(
        "a.html",
        "<h1>Heat pumps</h1><p>Heat pumps outsold boilers in Norway last winter.</p><p>The weather was mild.</p>",
        "https://news.example/heat",
        '<meta name="date" content="2025-03-01">',
    )
    docs.page(
        "b.html",
        "<h1>Boilers</h1><p>Boilers are sold everywhere, and one of them is not a heat pump.</p>",
        "https://shop.other.example/boilers",
        '<meta name="date" content="2021-03-01">',
    )
    docs.page(
        "c.html",
        "<h1>Bread</h1><p>Rye bread keeps longer than wheat bread does.</p>",
        "https://bread.example/",
    )
    return docs.open()


def urls(found):
    return [result.url for result in found]


def test_the_most_relevant_document_is_first(corpus):
    assert urls(corpus.search(SearchQuery(["heat pumps"]))) == [
        "https://news.example/heat",
        "https://shop.other.example/boilers",
    ]


def test_an_objective_is_enough_without_queries(corpus):
    assert urls(corpus.search(SearchQuery([], objective="How long does rye bread keep?"))) == [
        "https://bread.example/"
    ]


def test_a_search_without_matches_is_empty(corpus):
    assert corpus.search(SearchQuery(["quasars"])) == ()
    assert corpus.search(SearchQuery([])) == ()


def test_a_result_carries_title_date_and_passage(corpus):
    (result,) = corpus.search(SearchQuery(["rye bread"]))
    assert (result.title, result.publish_date) == ("Bread", None)
    assert result.excerpts == ("Rye bread keeps longer than wheat bread does.",)


def test_excerpts_occur_in_their_document(corpus):
    documents = {document.url: document for document in corpus.documents}
    found = corpus.search(SearchQuery(["heat pumps", "boilers"], max_chars_per_result=60))
    assert found
    assert all(documents[result.url].contains(text) for result in found for text in result.excerpts)
    assert all(sum(map(len, result.excerpts)) <= 60 for result in found)


def test_the_policy_limits_domains_and_dates(corpus):
    assert urls(corpus.search(SearchQuery(["heat"], include_domains=["other.example"]))) == [
        "https://shop.other.example/boilers"
    ]
    assert urls(corpus.search(SearchQuery(["heat"], exclude_domains=["other.example"]))) == [
        "https://news.example/heat"
    ]
    assert urls(corpus.search(SearchQuery(["heat", "bread"], after_date="2024-01-01"))) == [
        "https://news.example/heat"
    ]


def test_results_and_characters_are_limited(corpus):
    assert len(corpus.search(SearchQuery(["heat"], max_results=1))) == 1
    assert (
        sum(
            len(text) for r in corpus.search(SearchQuery(["heat"], max_chars_total=70)) for text in r.excerpts
        )
        <= 70
    )


def test_the_policy_limits_paths_by_whole_segments(docs):
    docs.page("a.html", "<p>Heat pumps are quiet and cheap to run.</p>", "https://news.example/3/heat")
    docs.page("b.html", "<p>Heat pumps are loud and hard to repair.</p>", "https://news.example/30/heat")
    corpus = docs.open()
    (first, second) = (f"https://news.example/{part}/heat" for part in (3, 30))
    assert urls(corpus.search(SearchQuery(["heat"], include_domains=["News.example/3/"]))) == [first]
    assert urls(corpus.search(SearchQuery(["heat"], exclude_domains=["news.example/3"]))) == [second]
    assert urls(corpus.search(SearchQuery(["heat"], include_domains=["news.example/3/Heat"]))) == []

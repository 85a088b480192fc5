"""The entries of a source policy: their normal form, and the URLs that they cover."""

from datetime import date

import pytest

from rowcite.api.source_policy import covers, normal_entry
from rowcite.errors import SpecError
from rowcite.pipeline.spec_checks import spec_warnings

NORMAL = {
    "sec.gov": "sec.gov",
    "SEC.GOV.": "sec.gov",
    ".gov": ".gov",
    "docs.python.org/3": "docs.python.org/3",
    "Docs.Python.ORG/3/Library/": "docs.python.org/3/Library",
    "example.com/": "example.com",
    "example.com//": "example.com",
    "example.com/a/./b/../c": "example.com/a/c",
    "example.com/../..": "example.com",
    "example.com/a/%2e%2E/b": "example.com/b",
    "example.com/wiki/K%C3%A4se": "example.com/wiki/K%C3%A4se",
    "example.com/a//b": "example.com/a//b",
    "münchen.de/straße": "münchen.de/straße",
}
COVERED = [
    ("docs.python.org/3", "https://docs.python.org/3"),
    ("docs.python.org/3", "https://docs.python.org/3/library/json.html?x=1#top"),
    ("docs.python.org/3", "http://www.docs.python.org:8080/3/"),
    ("python.org/3", "https://docs.python.org/3/"),
    ("docs.python.org/3", "https://docs.python.org/2/../3/x"),
    ("example.com/a%20b", "https://example.com/a%20b/c"),
    ("example.com", "https://blog.example.com/any"),
    (".gov", "https://www.sec.gov/any"),
]
NOT_COVERED = [
    ("docs.python.org/3", "https://docs.python.org/30/"),
    ("docs.python.org/3", "https://docs.python.org/"),
    ("docs.python.org/3/library", "https://docs.python.org/3/Library"),
    ("docs.python.org/3", "https://docs.python.org/3/../2"),
    ("docs.python.org/3", "https://other.example/docs.python.org/3"),
    ("docs.python.org/3", "https://docs.python.org/?path=/3"),
    ("example.com/a%20b", "https://example.com/a+b"),
    ("example.com/a", "https://notexample.com/a"),
]
INVALID = [
    "https://sec.gov", "//sec.gov", "sec.gov:443", "sec.gov:443/a", "u@sec.gov", "*.gov", "*.gov/a", "", ".", "/a", "sec.gov?x",
    "sec.gov/a?x", "sec.gov/a#x", "sec.gov/a b", "sec.gov/a\\b", "sec.gov/a\nb", ".gov/a", "a b.gov",
]  # fmt: skip


@pytest.mark.parametrize(("written", "normal"), NORMAL.items())
def test_an_entry_has_a_normal_form(make_spec, written, normal):
    assert normal_entry(written) == normal
    policy = make_spec(task={"source_policy": {"include_domains": [f" {written} "]}}).task.source_policy
    assert policy.include_domains == (normal,)


@pytest.mark.parametrize("written", INVALID)
def test_an_entry_has_no_scheme_port_or_query(make_spec, written):
    with pytest.raises(ValueError, match="must be a domain"):
        normal_entry(written)
    with pytest.raises(SpecError, match=r"include_domains\.0`.*docs\.python\.org/3"):
        make_spec(task={"source_policy": {"include_domains": [written]}})


@pytest.mark.parametrize(("entry", "url"), COVERED)
def test_an_entry_covers_its_subdomains_and_whole_segments_of_its_path(entry, url):
    assert covers(entry, url)


@pytest.mark.parametrize(("entry", "url"), NOT_COVERED)
def test_an_entry_covers_no_other_path_or_host(entry, url):
    assert not covers(entry, url)


# --- dates, data sources, memory -------------------------------------------------------------------------


def test_an_after_date_is_taken_with_a_warning(make_spec):
    spec = make_spec({"source_policy": {"after_date": "2024-02-29"}})
    assert spec.task.source_policy.after_date == "2024-02-29"
    assert any("`source_policy.after_date` is unconfirmed" in warning for warning in spec_warnings(spec))
    assert make_spec({"source_policy": {"after_date": date(2024, 2, 29)}}).task == spec.task


@pytest.mark.parametrize(
    "written", ["2024-2-29", "2023-02-29", "29.2.2024", "2024", "2024-01-01T00:00:00Z", "", 5]
)
def test_an_after_date_is_a_day(make_spec, written):
    with pytest.raises(SpecError, match=r"source_policy\.after_date`.*YYYY-MM-DD"):
        make_spec({"source_policy": {"after_date": written}})


SERVER = {"url": "https://tools.example", "name": "crm"}
REFUSED = {
    "only standard processors": ({"data_sources": {"free": ["patents"]}, "processor": "core-fast"}, {}, "core-fast"),
    "also of escalation": ({"data_sources": {"free": ["patents"]}}, {"escalate": ["pro-fast"]}, "pro-fast"),
    "no name of an MCP server": ({"data_sources": {"free": ["crm"]}, "mcp_servers": [SERVER]}, {}, "`crm`.*MCP server"),
    "no name twice": ({"data_sources": {"free": ["a", "a"]}}, {}, "`a` is listed twice"),
    "no name in both lists": (
        {"data_sources": {"free": ["a"], "pay_per_use": ["a"]}}, {"prices": {"a": 1}}, "`a` is listed twice"
    ),
    "no empty name": ({"data_sources": {"free": [" "]}}, {}, "free"),
    "no other list": ({"data_sources": {"paid": ["a"]}}, {}, "unknown key `paid`"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_data_sources_that_the_api_refuses_are_errors(make_spec, name):
    task, keys, message = REFUSED[name]
    with pytest.raises(SpecError, match=message):
        make_spec(task, **keys)


def test_data_sources_are_for_any_standard_processor(make_spec):
    spec = make_spec(
        {"data_sources": {"free": ["patents"]}, "processor": "own"}, prices={"own": 0.1}, escalate=["pro"]
    )
    assert spec.task.data_sources.free == ("patents",)


def test_a_memory_scope_key_is_a_text(make_spec):
    assert make_spec({"memory_scope_key": "team"}).task.memory_scope_key == "team"
    with pytest.raises(SpecError, match="memory_scope_key"):
        make_spec({"memory_scope_key": ""})

"""The entries of a source policy: their normal form, and the URLs that they cover."""

import pytest

from rowcite.api.source_policy import covers, normal_entry
from rowcite.errors import SpecError

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

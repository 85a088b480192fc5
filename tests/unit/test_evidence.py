"""Hosts and registered domains, by the installed Public Suffix List."""

import pytest

from rowcite.accept.evidence import Domains, host_of, site_of, sites


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://WWW.Acme.example:8443/x", "www.acme.example"), ("http://user:pw@acme.example./", "acme.example"),
        ("https://état.gouv.fr/", "xn--tat-9la.gouv.fr"), ("https://evil.example\\@sec.gov/", "evil.example"),
        ("https://[2001:db8::1]/", "2001:db8::1"), ("https://192.0.2.7/", "192.0.2.7"),
        ("ftp://acme.example/", ""), ("javascript://acme.example/", ""), ("acme.example", ""), ("https://[bad", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_host_is_parsed_as_a_browser_parses_it(url, host):
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("acme.com", "acme.com"), ("a.b.acme.com", "acme.com"), ("a.acme.co.uk", "acme.co.uk"), ("www.gov.uk", "www.gov.uk"),
        ("a.b.github.io", "b.github.io"), ("co.uk", "co.uk"), ("localhost", "localhost"), ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"), ("www.acme.example", "acme.example"), ("a.xn--tat-9la.gouv.fr", "xn--tat-9la.gouv.fr"),
    ],
)  # fmt: skip
def test_a_site_is_a_registered_domain(host, site):
    assert site_of(host) == site


def test_a_site_is_counted_once_and_other_texts_are_left_out():
    urls = ["https://a.acme.co.uk/1", "http://acme.co.uk", "https://other.co.uk", "mailto:x@acme.com", ""]
    assert sites(urls) == {"acme.co.uk", "other.co.uk"}


def test_a_domain_is_matched_in_unicode_and_in_ascii():
    for listed in ("état.gouv.fr", "xn--tat-9la.gouv.fr"):
        assert "https://www.état.gouv.fr/x" in Domains([listed])
        assert "https://www.xn--tat-9la.gouv.fr/x" in Domains([listed])
        assert "https://tat.gouv.fr/" not in Domains([listed])

"""Hosts and the domains that somebody registered, by the list that is installed."""

import pytest

from rowcite.accept.domains import Domains, host_of, site_of, sites


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://WWW.Acme.example:8443/x", "www.acme.example"), ("http://user:pw@acme.example./", "acme.example"),
        ("https://état.gouv.fr/", "xn--tat-9la.gouv.fr"), ("https://evil.example\\@sec.gov/", "evil.example"),
        ("https://[2001:db8::1]/", "2001:db8::1"), ("https://192.0.2.7/", "192.0.2.7"),
        ("ftp://acme.example/", ""), ("javascript://acme.example/", ""), ("acme.example", ""), ("https://[bad", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_host_is_what_a_browser_would_open(url, host):
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("acme.com", "acme.com"), ("a.b.acme.com", "acme.com"), ("a.acme.co.uk", "acme.co.uk"), ("www.gov.uk", "www.gov.uk"),
        ("a.b.github.io", "b.github.io"), ("co.uk", "co.uk"), ("localhost", "localhost"), ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"), ("www.acme.example", "acme.example"), ("a.xn--tat-9la.gouv.fr", "xn--tat-9la.gouv.fr"),
    ],
)  # fmt: skip
def test_a_site_is_what_somebody_registered(host, site):
    assert site_of(host) == site


def test_sites_are_counted_once_and_what_is_no_address_is_none():
    urls = ["https://a.acme.co.uk/1", "http://acme.co.uk", "https://other.co.uk", "mailto:x@acme.com", ""]
    assert sites(urls) == {"acme.co.uk", "other.co.uk"}


def test_a_list_knows_a_domain_in_either_spelling():
    for listed in ("état.gouv.fr", "xn--tat-9la.gouv.fr"):
        assert "https://www.état.gouv.fr/x" in Domains([listed])
        assert "https://www.xn--tat-9la.gouv.fr/x" in Domains([listed])
        assert "https://tat.gouv.fr/" not in Domains([listed])

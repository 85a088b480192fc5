"""The normal form of base URLs."""

import pytest

from rowcite.api.base_url import normal_base_url
from rowcite.errors import UsageError

SAME = {
    "https://api.parallel.ai": [
        "https://api.parallel.ai/",
        "HTTPS://API.Parallel.AI:443",
        "https://api.parallel.ai/v1",
        "https://api.parallel.ai/v1beta/",
        " https://api.parallel.ai/v1//v1/ ",
        "https://api.parallel.ai:",
    ],
    "http://localhost": ["http://LOCALHOST", "http://localhost:80/", "HTTP://Localhost:0080/v1"],
    "http://[::1]:8099": ["http://[0:0:0:0:0:0:0:1]:8099/", "http://[::1]:08099/v1"],
    "https://proxy.example/Parallel": ["https://PROXY.example/Parallel/v1/"],
    "https://xn--bcher-kva.example": ["https://Bücher.example", "https://XN--bcher-kva.example/"],
}
DIFFERENT = [
    "http://api.parallel.ai",
    "https://api.parallel.ai:8443",
    "https://api.parallel.ai/v1beta1",
    "https://api.parallel.ai/parallel",
    "https://api.parallel.ai/PARALLEL",
    "http://127.0.0.1",
    "http://localhost:443",
]
INVALID = [
    "",
    ":bad",
    "api.parallel.ai",
    "https://[::1",
    "https://[::g]",
    "ftp://x",
    "http://",
    "http:///x",
    "http://host:99999",
    "http://host:port",
    "http://a b",
    "http://host\n.example",
    "http://host\\x",
    "http://host/?key=1",
    "http://host/#part",
]


@pytest.mark.parametrize(("normal", "spelling"), [(n, s) for n, many in SAME.items() for s in many])
def test_spellings_of_one_api_have_one_normal_form(normal, spelling):
    assert normal_base_url(spelling, "--base-url") == normal
    assert normal_base_url(normal, "--base-url") == normal


def test_other_apis_have_other_normal_forms():
    assert len({normal_base_url(url, "--base-url") for url in [*SAME, *DIFFERENT]}) == len(SAME) + len(
        DIFFERENT
    )


@pytest.mark.parametrize("url", INVALID)
def test_an_invalid_base_url_is_rejected_with_the_flag_or_variable(url):
    with pytest.raises(UsageError, match=r"^PARALLEL_API_URL: .*base URL") as error:
        normal_base_url(url, "PARALLEL_API_URL")
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@host",
        "https://hunter2@host/v1",
        "ftp://user:hunter2@host",
        "//user:hunter2@host",
        "user:hunter2@host",
        "http://user:hunter2@host:bad",
        "http://user:hunter2@[::1",
        "http://host?key=hunter2",
    ],
)
def test_a_secret_in_a_base_url_is_never_shown(url):
    with pytest.raises(UsageError, match=r"^--base-url: ") as error:
        normal_base_url(url, "--base-url")
    assert "hunter2" not in str(error.value)
    assert error.value.__suppress_context__ or error.value.__context__ is None

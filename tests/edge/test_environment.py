"""The variables that name proxies and certificates: named in an error where they are used, and ignored elsewhere."""

import threading
from contextlib import contextmanager

import pytest

from rowcite.api.environment import proxy_for
from rowcite.cli import main
from rowcite.errors import TableError, UsageError
from rowcite.table.sources.web import download
from support import served, small_spec, write_spec
from support.scripted import scripted

FAR = "https://api.example/"
WRONG = {
    "SSL_CERT_FILE": "/nope.pem",
    "SSL_CERT_DIR": "/nope",
    "SSLKEYLOGFILE": "/nope/keys",
    "ALL_PROXY": "ftp://proxy.example",
    "HTTPS_PROXY": "socks9://proxy.example",
    "https_proxy": "http://[::1",
    "HTTP_PROXY": "http://proxy.example:port",
}
PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in (*WRONG, *PROXIES, *map(str.lower, PROXIES), "PARALLEL_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PARALLEL_API_KEY", "k")


@pytest.fixture
def spec(tmp_path):
    (tmp_path / "table.csv").write_text("name,website\nAcme,acme.example\n")
    return str(write_spec(tmp_path, small_spec(backend="parallel")))


@pytest.mark.parametrize("name", [name for name in WRONG if name != "HTTP_PROXY"])
def test_a_wrong_variable_is_named_and_ends_with_2_before_anything_is_sent(spec, capsys, monkeypatch, name):
    monkeypatch.setenv(name, WRONG[name])
    assert main(["run", spec, "--base-url", FAR]) == 2
    err = capsys.readouterr().err
    assert f"error: {name}" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("url", [":bad", "https://[::1", "https://", "api.example", "https://h:99999"])
def test_a_wrong_base_url_is_named_and_ends_with_2(spec, capsys, monkeypatch, url):
    monkeypatch.setenv("PARALLEL_BASE_URL", url)
    assert main(["plan", spec]) == 2
    assert "error: PARALLEL_BASE_URL:" in capsys.readouterr().err


def test_no_variable_is_read_for_this_machine(spec, tmp_path, monkeypatch, capsys):
    with served(tmp_path, bench=True) as server:
        for name, value in WRONG.items():
            monkeypatch.setenv(name, value)
        assert main(["run", spec, "--base-url", f"{server.url}/v1", "--yes"]) == 0, capsys.readouterr().err


def test_a_command_that_sends_nothing_reads_no_variable(spec, monkeypatch):
    for name, value in WRONG.items():
        monkeypatch.setenv(name, value)
    assert main(["plan", spec, "--base-url", FAR]) == 0


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "ALL_PROXY"])
def test_a_wrong_variable_is_named_for_a_table_at_an_address_too(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, WRONG[name])
    with pytest.raises(UsageError, match=f"^{name}"):
        download("https://table.example/x.csv", tmp_path)


def test_a_table_is_requested_through_the_proxy_of_its_scheme(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", WRONG["HTTP_PROXY"])
    with tunnels() as (proxy, wanted):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(TableError):
            download("https://table.example/x.csv", tmp_path, pause=0.0)
        assert wanted[0] == "table.example:443"


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, FAR, "http://p:1"),
        ({"https_proxy": "p:1"}, FAR, "http://p:1"),
        ({"ALL_PROXY": "http://p:1"}, FAR, "http://p:1"),
        ({"ALL_PROXY": "http://p:1", "HTTPS_PROXY": "http://q:2"}, FAR, "http://q:2"),
        ({"HTTP_PROXY": "http://p:1"}, FAR, None),
        ({"HTTPS_PROXY": "http://u:secret@p:1"}, FAR, "http://u:secret@p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other, .example"}, FAR, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, FAR, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "[::1"}, FAR, "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "localhost,127.0.0.0/8,::1/128,[::1]"}, FAR, "http://p:1"),
        ({"HTTPS_PROXY": "nonsense://"}, "http://127.0.0.1:8099", None),
        ({"HTTPS_PROXY": ""}, FAR, None),
    ],
)
def test_a_proxy_is_chosen_by_the_variables(monkeypatch, variables, url, proxy):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy


def test_a_proxys_password_is_not_shown(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "ftp://user:s3cret@p:1")
    with pytest.raises(UsageError) as caught:
        proxy_for(FAR)
    assert "s3cret" not in str(caught.value)


@contextmanager
def tunnels():
    """Run a proxy that refuses every tunnel; yield its URL and the targets that were requested of it."""
    wanted, done = [], threading.Event()

    def refuse(handler):
        wanted.append(handler.path)
        handler.send_error(502)
        done.set()

    with scripted(refuse) as server:
        server.http.RequestHandlerClass.do_CONNECT = server.http.RequestHandlerClass.handle_one
        yield server.url, wanted

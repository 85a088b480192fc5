"""The command refuses untrusted certificates and does not follow redirects."""

import re
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from support import rowcite, small_spec, write_spec
from support.scripted import says, scripted

KEY = "secret-key-of-the-test"
AUTHORITY = trustme.CA()


def context(certificate):
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(found)
    return found


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the command against a URL, trusting the authority of the tests or not."""

    def ran(url, *, trusted=True):
        (tmp_path / "table.csv").write_text("name,website\nAcme,acme.example\n")
        spec = write_spec(tmp_path, small_spec(backend="parallel"))
        AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
        env = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")} if trusted else {}
        done = rowcite("run", spec, "-v", "--base-url", url, cwd=tmp_path, PARALLEL_API_KEY=KEY, **env)
        messages = done.stderr.decode()
        assert KEY not in messages + done.stdout.decode()
        assert "Traceback" not in messages
        assert not any(KEY.encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
        return done.returncode, messages

    return ran


OLD = {"not_before": datetime(2020, 1, 1, tzinfo=UTC), "not_after": datetime.now(UTC) - timedelta(days=1)}
BAD = {
    "unknown authority": (
        lambda: AUTHORITY.issue_cert("127.0.0.1"),
        False,
        "unable to get local issuer|self-signed",
    ),
    "expired": (lambda: AUTHORITY.issue_cert("127.0.0.1", **OLD), True, "certificate has expired"),
    "another host": (lambda: AUTHORITY.issue_cert("api.example"), True, "not valid for '127.0.0.1'"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_untrusted_certificate_is_reported_and_nothing_is_sent(run, name):
    issue, trusted, why = BAD[name]
    with scripted(says(500), tls=context(issue())) as server:
        code, messages = run(server.url, trusted=trusted)
        assert server.seen == []
    assert code == 4
    assert "certificate of the API is not trusted" in messages
    assert re.search(why, messages), messages
    assert f"POST {server.url}/v1/tasks/groups" in messages


def test_a_certificate_authority_named_in_the_environment_is_trusted(run):
    with scripted(says(401), tls=context(AUTHORITY.issue_cert("127.0.0.1"))) as server:
        code, _ = run(server.url)
    assert code == 3
    assert server.headers[0]["x-api-key"] == KEY


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_from_https_to_http_is_not_followed(run, status):
    with scripted(says(200)) as other:
        step = says(status, location=f"{other.url}/v1/tasks/groups?token=hidden")
        with scripted(step, tls=context(AUTHORITY.issue_cert("127.0.0.1"))) as server:
            code, messages = run(server.url)
        assert other.seen == []
    assert code == 4
    assert f"{status}: redirected to http://127.0.0.1" in messages
    assert "hidden" not in messages


def test_an_unreachable_host_is_reported(run, tmp_path):
    code, messages = run("https://no-such-host.invalid")
    assert code == 4
    assert "no-such-host.invalid" in messages
    assert "Cannot connect to https://no-such-host.invalid. Check --base-url" in messages
    assert not (tmp_path / "out.csv").exists()

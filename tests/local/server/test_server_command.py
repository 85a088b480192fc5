"""`rowcite serve` as a process, with its flags."""

import sys
from pathlib import Path

import httpx
import pytest

from support import rowcite, serving

RUN = {"processor": "core", "input": {"company": "Acme"}}


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "acme.html").write_text("<title>Acme</title><p>Acme was founded in 1998 in Oslo, Norway.</p>")
    return folder


def result(url, run_id):
    return httpx.get(f"{url}/v1/tasks/runs/{run_id}/result", timeout=10).json()


def test_runs_outlive_the_command(corpus, tmp_path):
    flags = ("--data", str(tmp_path / "data"))
    with serving(tmp_path, *flags, corpus=corpus) as server:
        run_id = httpx.post(f"{server.url}/v1/tasks/runs", json=RUN).json()["run_id"]
        answer = result(server.url, run_id)
    with serving(corpus, *flags, corpus=corpus) as server:  # another folder: the port file is in the first
        assert result(server.url, run_id) == answer


def test_credit_quirks_and_the_webhook_secret_come_from_flags_and_the_environment(corpus, tmp_path):
    body = RUN | {"webhook": {"url": "http://127.0.0.1:9/", "event_types": ["task_run.status"]}}
    flags = ("--credit", "0.03", "--quirks", "betas-demanded, no-replay")
    with serving(tmp_path, *flags, corpus=corpus, ROWCITE_WEBHOOK_SECRET="s") as server:
        runs = f"{server.url}/v1/tasks/runs"
        assert httpx.post(runs, json=body).status_code == 422
        run = httpx.post(runs, json=body, headers={"parallel-beta": "webhook-2025-08-12"})
        assert (run.status_code, run.json()["warnings"]) == (202, None)
        assert httpx.post(runs, json=RUN).status_code == 402


def test_the_real_corpus_is_searched(corpus, tmp_path):
    with serving(tmp_path, corpus=corpus) as server:
        found = httpx.post(f"{server.url}/v1/search", json={"search_queries": ["acme founded"]}).json()
    assert "1998" in found["results"][0]["excerpts"][0]


@pytest.mark.skipif(sys.platform != "linux", reason="the folder is the system's own elsewhere")
@pytest.mark.parametrize(
    ("flags", "kept"),
    [
        ((), str(Path("xdg", "rowcite"))),
        (("--cache", "here"), "here"),
        (("--data", "d"), str(Path("d", "pages"))),
        (("--no-cache",), None),
    ],
)
def test_what_was_read_is_kept_where_it_was_said(corpus, tmp_path, flags, kept):
    with serving(tmp_path, *flags, corpus=corpus, XDG_CACHE_HOME=str(tmp_path / "xdg")):
        found = {str(path.parents[1].relative_to(tmp_path)) for path in tmp_path.rglob("pages.sqlite")}
    assert found == ({kept} if kept else set())


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--quirks", "noreplay"), b"did you mean no-replay"),
        (("--credit", "-1"), b"--credit"),
        (("--data", __file__), b"--data"),
        (("--cache", "c", "--no-cache"), b"--no-cache"),
    ],
)
def test_a_flag_that_cannot_be_is_refused_with_exit_code_2(corpus, tmp_path, flags, words):
    done = rowcite("serve", "--corpus", corpus, "--port", "0", *flags, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr

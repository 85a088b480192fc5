"""`rowcite serve` as a process, with its flags."""

import sys
from pathlib import Path

import httpx
import pytest

from rowcite.cli import main
from support import serving

RUN = {"processor": "core", "input": {"company": "Acme"}}


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "acme.html").write_text("<title>Acme</title><p>Acme was founded in 1998 in Oslo, Norway.</p>")
    return folder


def result(url, run_id):
    return httpx.get(f"{url}/v1/tasks/runs/{run_id}/result", timeout=10).json()


def caches(folder):
    """Return the folders, relative to `folder`, that hold cached documents."""
    return {str(path.parents[1].relative_to(folder)) for path in folder.rglob("pages-*.sqlite")}


def test_runs_outlive_the_command_and_documents_are_cached_beside_them(corpus, tmp_path):
    flags = ("--data", str(tmp_path / "data"))
    with serving(tmp_path, *flags, corpus=corpus) as server:
        run_id = httpx.post(f"{server.url}/v1/tasks/runs", json=RUN).json()["run_id"]
        answer = result(server.url, run_id)
    assert caches(tmp_path) == {str(Path("data", "pages"))}
    with serving(corpus, *flags, corpus=corpus) as server:  # another folder: the port file is in the first
        assert result(server.url, run_id) == answer


def test_credit_quirks_and_the_webhook_secret_come_from_flags_and_the_environment(corpus, tmp_path):
    body = RUN | {"webhook": {"url": "http://127.0.0.1:9/", "event_types": ["task_run.status"]}}
    flags = (
        "--credit",
        "0.03",
        "--quirks",
        "betas-demanded, no-replay",
        "--cache",
        "here",
        "--private-addresses",
    )
    with serving(tmp_path, *flags, corpus=corpus, ROWCITE_WEBHOOK_SECRET="s") as server:
        runs = f"{server.url}/v1/tasks/runs"
        assert httpx.post(runs, json=body).status_code == 422
        run = httpx.post(runs, json=body, headers={"parallel-beta": "webhook-2025-08-12"})
        assert (run.status_code, run.json()["warnings"]) == (202, None)
        assert httpx.post(runs, json=RUN).status_code == 402
    assert caches(tmp_path) == {"here"}


def test_the_real_corpus_is_searched_without_a_cache(corpus, tmp_path):
    cache = {"XDG_CACHE_HOME": str(tmp_path / "xdg")}
    with serving(tmp_path, "--no-cache", corpus=corpus, **cache) as server:
        found = httpx.post(f"{server.url}/v1/search", json={"search_queries": ["acme founded"]}).json()
    assert "1998" in found["results"][0]["excerpts"][0]
    assert caches(tmp_path) == set()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have another folder for caches")
def test_documents_are_cached_in_the_systems_folder_by_default(corpus, tmp_path):
    with serving(tmp_path, corpus=corpus, XDG_CACHE_HOME=str(tmp_path / "xdg")):
        assert caches(tmp_path) == {str(Path("xdg", "rowcite"))}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--quirks", "noreplay"), "did you mean no-replay"),
        (("--credit", "-1"), "--credit"),
        (("--data", __file__), "--data"),
        (("--cache", "c", "--no-cache"), "--no-cache"),
    ],
)
def test_an_invalid_flag_is_refused_with_exit_code_2(corpus, capfd, flags, words):
    assert main(["serve", "--corpus", str(corpus), "--port", "0", *flags]) == 2
    assert words in capfd.readouterr().err

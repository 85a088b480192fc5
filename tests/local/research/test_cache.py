"""What was read of a corpus is kept, and read again when something about it changes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rowcite.local.research import Question, open_corpus
from rowcite.local.research.store import cache as kept_in
from rowcite.local.research.store.cache import UNUSED_FOR, platform_cache
from rowcite.local.research.store.reader_processes import ReaderProcesses, ReadJob, read
from support import environment, until

PAGE = "<h1>Acme</h1><table><tr><th>Staff</th><td>240</td></tr></table>"
ACME = Question(
    {"company_name": "Acme Pumps", "website": "acmepumps.example"},
    {"type": "json", "json_schema": {"properties": {"founded_year": {"type": ["integer", "null"]}}}},
)


@pytest.fixture
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache") / "new"


def folder(cache) -> Path:
    (found,) = cache.glob("corpus-*")
    return found


def pages(cache):
    """Return the id of each kept page by its file's key: who is read again has another."""
    database = sqlite3.connect(folder(cache) / "pages.sqlite")
    rows = dict(database.execute("select hex(key), id from pages"))
    database.close()
    return rows


def indexes(cache):
    return sorted(path.name for path in folder(cache).glob("*words-*"))


def made(folder):
    """Return when each index was made."""
    return [path.stat().st_ino for path in sorted(folder.glob("words-*"))]


def test_a_kept_document_is_the_document(desk, cache):
    desk.page("a.html", PAGE, "https://acme.example/")
    desk.file("b.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    first, second = open_corpus(desk.folder, cache), open_corpus(desk.folder, cache)
    assert list(first.documents) == list(second.documents) == list(desk.open().documents)
    assert first.research(ACME) == second.research(ACME) == desk.open().research(ACME)
    assert len(pages(cache)) == 2


def test_an_unchanged_corpus_is_neither_read_nor_indexed_again(desk, cache):
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    open_corpus(desk.folder, cache)
    before = pages(cache), made(folder(cache))
    open_corpus(desk.folder, cache)
    assert (pages(cache), made(folder(cache))) == before


def test_a_changed_file_is_read_again_and_the_others_are_not(desk, cache):
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    desk.file("b.txt", "Acme makes pumps.")
    open_corpus(desk.folder, cache)
    before = pages(cache)
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1999.")
    corpus = open_corpus(desk.folder, cache)
    assert [document.text for document in corpus.documents] == [
        "Acme Pumps (acmepumps.example) was founded in 1999.",
        "Acme makes pumps.",
    ]
    assert corpus.research(ACME).content == {"founded_year": 1999}
    assert len(pages(cache).items() & before.items()) == 1
    assert len(pages(cache)) == 2


def test_what_is_kept_of_a_file_that_is_gone_is_removed(desk, cache):
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    desk.file("b.txt", "Beta makes valves.")
    open_corpus(desk.folder, cache)
    (desk.folder / "b.txt").unlink()
    corpus = open_corpus(desk.folder, cache)
    assert corpus.size == len(pages(cache)) == len(indexes(cache)) == 1
    assert corpus.search(["valves"]) == ()


def test_what_the_manifest_says_counts(desk, cache):
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    open_corpus(desk.folder, cache)
    desk.file("manifest.csv", "file,url\na.txt,https://acme.example/\n")
    documents = open_corpus(desk.folder, cache).documents
    assert [document.url for document in documents] == ["https://acme.example/"]


def test_a_file_that_cannot_be_read_is_told_each_time(desk, cache):
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    desk.file("b.html", "<p></p>")
    (desk.folder / "c.txt").write_bytes(b"\xff\xfa\x00\x01binary")
    first, second = open_corpus(desk.folder, cache), open_corpus(desk.folder, cache)
    assert first.skipped == second.skipped
    assert [line.split(":")[0] for line in first.skipped] == ["c.txt", "b.html"]


def test_another_engine_reads_everything_again(desk, cache, monkeypatch):
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    open_corpus(desk.folder, cache)
    before, index = pages(cache), indexes(cache)
    monkeypatch.setattr(kept_in, "__version__", "999")
    kept_in.engine_fingerprint.cache_clear()
    try:
        open_corpus(desk.folder, cache)
    finally:
        kept_in.engine_fingerprint.cache_clear()
    assert not pages(cache).keys() & before.keys()
    assert len(indexes(cache)) == 1
    assert indexes(cache) != index


@pytest.mark.parametrize("damage", [b"", b"\x00" * 4096, b"SQLite format 3\x00" + b"\x07" * 9000])
def test_a_damaged_file_is_made_anew(desk, cache, damage):
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    open_corpus(desk.folder, cache)
    for part in folder(cache).glob("pages.sqlite*"):
        part.write_bytes(damage)
    corpus = open_corpus(desk.folder, cache)
    assert corpus.research(ACME).content == {"founded_year": 1998}
    assert corpus.skipped == ()
    assert len(pages(cache)) == 1


def test_a_damaged_index_is_made_anew(desk, cache):
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    open_corpus(desk.folder, cache)
    (index,) = folder(cache).glob("words-*")
    (index / "meta.json").write_text("{")
    corpus = open_corpus(desk.folder, cache)
    assert [found.excerpts for found in corpus.search(["founded"])] == [
        ("Acme Pumps (acmepumps.example) was founded in 1998.",)
    ]


def test_a_cache_that_cannot_be_used_costs_only_time(desk, tmp_path):
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    corpus = open_corpus(desk.folder, blocked)
    assert corpus.research(ACME).content == {"founded_year": 1998}
    assert f"the cache {blocked} cannot be used" in corpus.skipped[0]


def test_who_has_a_corpus_open_goes_on_with_it(desk, cache):
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    older = open_corpus(desk.folder, cache)
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1999.")
    began = time.monotonic()
    newer = open_corpus(desk.folder, cache)
    assert time.monotonic() - began < 10  # nor is it waited for
    assert older.research(ACME).content == {"founded_year": 1998}
    assert newer.research(ACME).content == {"founded_year": 1999}
    assert older.search(["founded"])[0].excerpts == ("Acme Pumps (acmepumps.example) was founded in 1998.",)


def test_two_corpora_leave_each_other_alone(desk, cache, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "b.txt").write_text("Beta makes valves.")
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    for corpus in (desk.folder, other, desk.folder):
        assert open_corpus(corpus, cache).size == 1
    assert len(list(cache.glob("corpus-*"))) == 2


def test_a_corpus_that_nobody_uses_is_forgotten(desk, cache, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "b.txt").write_text("Beta makes valves.")
    open_corpus(other, cache)
    old = time.time() - UNUSED_FOR - 1
    os.utime(folder(cache) / "rowcite-corpus.txt", (old, old))
    (cache / "corpus-of-mine").mkdir()
    desk.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    open_corpus(desk.folder, cache)
    kept = sorted(path.name for path in cache.iterdir())
    assert len(kept) == 2
    assert "corpus-of-mine" in kept


def many(desk, count=130):
    for number in range(count):
        desk.page(
            f"{number:03}.html",
            f"<h1>Firm {number}</h1><p>Firm {number} was founded in {1900 + number}.</p>" * 20,
        )


def test_processes_that_open_a_corpus_at_once_all_have_it(desk, cache):
    many(desk)
    code = "import sys; from pathlib import Path; from rowcite.local.research import open_corpus\nc = open_corpus(sys.argv[1], Path(sys.argv[2])); print(c.size, len(c.search(['founded'], max_results=999)), c.skipped)"
    command = [sys.executable, "-c", code, desk.folder, cache]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), text=True) for _ in range(3)
    ]
    tool_answers = {process.communicate(timeout=120)[0].strip() for process in started}
    assert tool_answers == {"130 130 ()"}


def test_a_process_that_is_killed_leaves_what_another_can_use(desk, cache):
    many(desk, 400)
    code = "import sys; from pathlib import Path; from rowcite.local.research import open_corpus; open_corpus(sys.argv[1], Path(sys.argv[2]))"
    process = subprocess.Popen([sys.executable, "-c", code, desk.folder, cache], env=environment())
    until(lambda: list(cache.glob("corpus-*/pages.sqlite-wal")) or process.poll() is not None, 60)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    corpus = open_corpus(desk.folder, cache)
    assert list(corpus.documents) == list(desk.open().documents)
    assert corpus.skipped == ()


def test_readers_beside_read_what_this_process_reads(desk):
    many(desk)
    desk.file("bad.html", "<p>")
    jobs = [
        ReadJob(path.name.encode(), path.name, path.read_bytes(), {})
        for path in sorted(desk.folder.iterdir())
    ]
    jobs.append(ReadJob(b"x", "x.txt", b"\xff\xfa\x00\x01binary", {}))
    with ReaderProcesses(2, worth_starting=0) as readers:
        assert readers.read(jobs) == [read(job) for job in jobs]
        assert len(readers._running) == 2


def test_a_reader_that_dies_is_done_without(desk):
    many(desk, 20)
    jobs = [
        ReadJob(path.name.encode(), path.name, path.read_bytes(), {})
        for path in sorted(desk.folder.iterdir())
    ]
    with ReaderProcesses(2, worth_starting=0) as readers:
        readers.read(jobs)
        readers._running[0].kill()
        readers._running[0].wait()
        assert readers.read(jobs) == [read(job) for job in jobs]


@pytest.mark.parametrize(
    ("platform", "environ", "end"),
    [
        ("linux", {"XDG_CACHE_HOME": "/c"}, "/c/rowcite"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, ".cache/rowcite"),
        ("linux", {}, ".cache/rowcite"),
        ("darwin", {}, "Library/Caches/rowcite"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/rowcite/Cache"),
    ],
)
def test_the_cache_is_where_the_system_keeps_such_things(platform, environ, end):
    assert platform_cache(environ, platform).as_posix().endswith(end)

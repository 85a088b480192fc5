"""Parsed documents and the index are stored, and replaced when files or the engine change."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from rowcite.local.research.corpus import open_corpus
from rowcite.local.research.question import Question
from rowcite.local.research.search import SearchQuery
from rowcite.local.research.store import ingest
from rowcite.local.research.store.corpus_folder import corpus_digest
from rowcite.local.research.store.document_store import StoredFile
from rowcite.local.research.store.ingest import ReadJob, read, read_all
from support import ROOT, environment, until

OPEN = "import sys; from pathlib import Path; from rowcite.local.research.corpus import open_corpus; open_corpus(sys.argv[1], Path(sys.argv[2]))"
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
    """Return the id of each stored page by its file's key; a page that is read again has another id."""
    database = sqlite3.connect(store(cache))
    rows = dict(database.execute("select hex(key), id from pages"))
    database.close()
    return rows


def store(cache) -> Path:
    (found,) = folder(cache).glob("pages-*.sqlite")
    return found


def test_a_stored_document_equals_the_parsed_one(docs, cache):
    docs.page("a.html", PAGE, "https://acme.example/")
    docs.file("b.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    first, second = open_corpus(docs.folder, cache), open_corpus(docs.folder, cache)
    assert list(first.documents) == list(second.documents) == list(docs.open().documents)
    assert first.research(ACME) == second.research(ACME) == docs.open().research(ACME)
    assert len(pages(cache)) == 2


def test_an_unchanged_corpus_is_not_read_again(docs, cache):
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    open_corpus(docs.folder, cache)
    before = pages(cache)
    open_corpus(docs.folder, cache)
    assert pages(cache) == before


def test_a_changed_file_is_read_again_and_the_others_are_not(docs, cache):
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    docs.file("b.txt", "Acme makes pumps.")
    open_corpus(docs.folder, cache)
    before = pages(cache)
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1999.")
    corpus = open_corpus(docs.folder, cache)
    assert [document.text for document in corpus.documents] == [
        "Acme Pumps (acmepumps.example) was founded in 1999.",
        "Acme makes pumps.",
    ]
    assert corpus.research(ACME).content == {"founded_year": 1999}
    assert len(pages(cache).items() & before.items()) == 1
    assert len(pages(cache)) == 2


def test_the_documents_of_a_removed_file_are_deleted(docs, cache):
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    docs.file("b.txt", "Beta makes valves.")
    open_corpus(docs.folder, cache)
    (docs.folder / "b.txt").unlink()
    corpus = open_corpus(docs.folder, cache)
    assert corpus.size == len(pages(cache)) == 1
    assert corpus.search(SearchQuery(["valves"])) == ()


def test_scores_do_not_depend_on_documents_that_were_removed(docs, cache):
    docs.file("a.txt", "Pumps of Acme are loud, and the pumps are sold by Acme.")
    docs.file("b.txt", "Acme makes pumps.")
    for number in range(30):
        docs.file(f"old{number}.txt", "Pumps, pumps, pumps: all about the pumps of others.")
    open_corpus(docs.folder, cache)
    for path in docs.folder.glob("old*"):
        path.unlink()
    corpora = open_corpus(docs.folder, cache), docs.open()
    scores = [[corpus.documents.scored([word], 9) for word in ("pumps", "acme")] for corpus in corpora]
    assert scores[0] == scores[1]
    assert len(scores[0][0]) == 2


def test_a_file_is_read_again_when_its_manifest_entry_changes(docs, cache):
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    open_corpus(docs.folder, cache)
    docs.file("manifest.csv", "file,url\na.txt,https://acme.example/\n")
    documents = open_corpus(docs.folder, cache).documents
    assert [document.url for document in documents] == ["https://acme.example/"]


def test_an_unreadable_file_is_reported_at_each_start(docs, cache):
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    docs.file("b.html", "<p></p>")
    (docs.folder / "c.txt").write_bytes(b"\xff\xfa\x00\x01binary")
    first, second = open_corpus(docs.folder, cache), open_corpus(docs.folder, cache)
    assert first.skipped == second.skipped
    assert [line.split(":")[0] for line in first.skipped] == ["b.html", "c.txt"]


def test_a_change_of_the_engines_source_reads_all_files_again(docs, cache, tmp_path_factory):
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    open_corpus(docs.folder, cache)
    before = store(cache)
    copy = tmp_path_factory.mktemp("changed")
    shutil.copytree(ROOT / "src" / "rowcite", copy / "rowcite", ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "rowcite" / "local" / "research" / "documents" / "document.py").open("a") as source:
        source.write("# changed\n")
    subprocess.run(
        [sys.executable, "-c", OPEN, docs.folder, cache], env=environment(PYTHONPATH=str(copy)), check=True
    )
    assert store(cache) != before
    assert len(pages(cache)) == 1


@pytest.mark.parametrize("damage", [b"", b"\x00" * 4096, b"SQLite format 3\x00" + b"\x07" * 9000])
def test_a_damaged_store_is_replaced(docs, cache, damage):
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    open_corpus(docs.folder, cache)
    for part in folder(cache).glob("pages-*"):
        part.write_bytes(damage)
    corpus = open_corpus(docs.folder, cache)
    assert corpus.research(ACME).content == {"founded_year": 1998}
    assert corpus.skipped == ()
    assert len(pages(cache)) == 1


def test_a_damaged_document_is_replaced_at_the_next_start(docs, cache):
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    open_corpus(docs.folder, cache)
    with contextlib.closing(sqlite3.connect(store(cache))) as database, database:
        database.execute("update pages set body = x'00'")
    with pytest.raises(zlib.error):
        open_corpus(docs.folder, cache).research(ACME)
    assert open_corpus(docs.folder, cache).research(ACME).content == {"founded_year": 1998}


def test_an_unusable_cache_is_reported_and_not_needed(docs, tmp_path):
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    corpus = open_corpus(docs.folder, blocked)
    assert corpus.research(ACME).content == {"founded_year": 1998}
    assert f"the cache {blocked} cannot be used" in corpus.skipped[0]


def test_an_open_corpus_keeps_its_documents_while_another_process_changes_them(docs, cache):
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    older = open_corpus(docs.folder, cache)
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1999.")
    began = time.monotonic()
    newer = open_corpus(docs.folder, cache)
    assert time.monotonic() - began < 60  # it does not wait for the older process
    assert older.research(ACME).content == {"founded_year": 1998}
    assert newer.research(ACME).content == {"founded_year": 1999}
    assert older.search(SearchQuery(["founded"]))[0].excerpts == (
        "Acme Pumps (acmepumps.example) was founded in 1998.",
    )


def test_two_corpora_do_not_delete_each_others_documents(docs, cache, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "b.txt").write_text("Beta makes valves.")
    docs.file("a.txt", "Acme Pumps (acmepumps.example) was founded in 1998.")
    for corpus in (docs.folder, other, docs.folder):
        assert open_corpus(corpus, cache).size == 1
    assert len(list(cache.glob("corpus-*"))) == 2


def many(docs, count=130):
    for number in range(count):
        docs.page(
            f"{number:03}.html",
            f"<h1>Firm {number}</h1><p>Firm {number} was founded in {1900 + number}.</p>" * 20,
        )


@pytest.mark.slow
def test_processes_can_open_a_corpus_at_the_same_time(docs, cache):
    many(docs)
    code = "import sys; from pathlib import Path; from rowcite.local.research.corpus import open_corpus; from rowcite.local.research.search import SearchQuery\nc = open_corpus(sys.argv[1], Path(sys.argv[2])); print(c.size, len(c.search(SearchQuery(['founded'], max_results=999))), c.skipped)"
    command = [sys.executable, "-c", code, docs.folder, cache]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), text=True) for _ in range(3)
    ]
    tool_answers = {process.communicate(timeout=300)[0].strip() for process in started}
    assert tool_answers == {"130 130 ()"}


def test_a_killed_process_leaves_a_usable_cache(docs, cache):
    many(docs, 400)
    process = subprocess.Popen([sys.executable, "-c", OPEN, docs.folder, cache], env=environment())
    until(lambda: list(cache.glob("corpus-*/pages-*.sqlite-wal")) or process.poll() is not None, 120)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    corpus = open_corpus(docs.folder, cache)
    assert list(corpus.documents) == list(docs.open().documents)
    assert corpus.skipped == ()


def jobs_of(docs):
    return [
        ReadJob(path.name.encode(), path.name, path.read_bytes(), {})
        for path in sorted(docs.folder.iterdir())
    ]


SLOW_OR_DEAD = "import sys, time; from rowcite.local.research.store import ingest\nread = ingest.read\ningest.read = lambda job: {} if job.name == 'a.txt' else read(job)\ningest.work()"


def test_a_file_that_takes_too_long_is_left_out_and_the_others_are_read(docs, monkeypatch):
    docs.file("a.txt", "Acme")
    docs.file("b.txt", "Beta")
    monkeypatch.setattr(ingest, "_WORK", SLOW_OR_DEAD.format("time.sleep(600)"))
    for seconds in (3, 60):  # a busy machine may need more than three for the start of a process
        (late, other) = read_all(jobs_of(docs), processes=1, seconds=seconds)
        if other == read(jobs_of(docs)[1]):
            break
    assert late == StoredFile(
        [], [f"a.txt: not read within {seconds} s, nor again until it changes or with --no-cache"]
    )
    assert other == read(jobs_of(docs)[1])


def test_a_file_that_ends_its_process_is_read_by_this_one(docs, monkeypatch):
    docs.file("a.txt", "Acme")
    docs.file("b.txt", "Beta")
    monkeypatch.setattr(ingest, "_WORK", SLOW_OR_DEAD.format("sys.exit(1)"))
    assert read_all(jobs_of(docs), processes=2) == [read(job) for job in jobs_of(docs)]


def test_a_small_file_of_many_elements_is_read_in_a_process(monkeypatch):
    job = ReadJob(b"", "a.html", b"<p>" * 20_001, {})
    monkeypatch.setattr(
        ingest,
        "_WORK",
        "import msgspec, sys; sys.stdout.buffer.write(msgspec.msgpack.encode([{'pages': [], 'problems': ['read beside']}]))",
    )
    assert read_all([job]) == [StoredFile([], ["read beside"])]


def test_processes_return_what_this_process_would_read(docs):
    many(docs)
    docs.file("bad.html", "<p>")
    jobs = [*jobs_of(docs), ReadJob(b"x", "x.txt", b"\xff\xfa\x00\x01binary", {})]
    assert read_all(jobs, processes=2) == [read(job) for job in jobs]


def test_links_out_of_the_folder_are_left_out_and_counted(docs, tmp_path_factory):
    docs.file("a.txt", "Acme Pumps was founded in 1998.")
    digest = corpus_digest(docs.folder)
    secret = tmp_path_factory.mktemp("secret")
    for number in range(4):
        (secret / f"{number}.txt").write_text("The password is hunter2.")
        (docs.folder / f"link{number}.txt").symlink_to(secret / f"{number}.txt")
    (docs.folder / "folder").symlink_to(secret)
    (docs.folder / "manifest.csv").symlink_to(secret / "0.txt")
    (docs.folder / "gone.txt").symlink_to(secret / "gone")
    corpus = docs.open()
    assert [document.path for document in corpus.documents] == ["a.txt"]
    assert corpus.skipped == ("6 links out of the folder left out, such as folder",)
    assert corpus.digest == corpus_digest(docs.folder) == digest


def test_links_within_the_folder_are_followed(docs):
    docs.file("..data/a.txt", "Acme Pumps was founded in 1998.")
    (docs.folder / "a.txt").symlink_to(docs.folder / "..data" / "a.txt")
    assert [document.path for document in docs.open().documents] == ["a.txt"]


def test_the_digest_depends_on_contents_and_names(docs):
    docs.file("a.txt", "one")
    first = corpus_digest(docs.folder)
    assert first == docs.open().digest
    docs.file("a.txt", "two")
    second = corpus_digest(docs.folder)
    (docs.folder / "a.txt").rename(docs.folder / "b.txt")
    assert len({first, second, corpus_digest(docs.folder)}) == 3


def test_the_digest_is_the_same_on_every_machine(docs):
    docs.file("sub/a.txt", "Acme")
    assert corpus_digest(docs.folder) == "e0444d04da9c2a10c12b5ba4c5e7c231bce91a8cc5275881150dc9df2227c607"


def test_the_digest_imports_no_engine_library():
    code = "import sys, rowcite.local.research.store.corpus_folder; print([m for m in ('sqlite3', 'selectolax', 'rapidfuzz', 'pycountry') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

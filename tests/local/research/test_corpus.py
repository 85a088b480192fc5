"""A folder becomes a corpus: addresses, dates, encodings, broken files, the digest."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rowcite.errors import InputError
from rowcite.local.research import corpus_digest, open_corpus


def only(desk):
    (document,) = desk.open().documents
    return document


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        open_corpus(tmp_path / "gone")


def test_a_folder_without_documents_says_what_to_do(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match="no documents"):
        open_corpus(tmp_path)


def test_the_manifest_names_url_title_and_date(desk):
    desk.file("sub/a.txt", "Acme Pumps was founded in 1998.")
    desk.file("manifest.csv", "file,url,title,date\nsub/a.txt,https://x.example/a,A page,2024-05-06\n")
    document = only(desk)
    assert (document.url, document.title, document.date) == ("https://x.example/a", "A page", "2024-05-06")


def test_front_matter_names_url_title_and_date(desk):
    desk.file(
        "a.md",
        "---\nurl: https://x.example/a\ntitle: A page\ndate: 2024-05-06\n---\n# Hello\n\n| Staff | 40 |\n|---|---|\n",
    )
    document = only(desk)
    assert (document.url, document.title, document.date) == ("https://x.example/a", "A page", "2024-05-06")


def test_a_page_without_any_address_is_called_by_its_place(desk):
    desk.file("sub/a.txt", "Acme Pumps was founded in 1998.")
    assert only(desk).url == "file:sub/a.txt"


@pytest.mark.parametrize(
    ("head", "date"),
    [
        ('<meta property="article:published_time" content="2024-05-06T10:00:00Z">', "2024-05-06"),
        (
            '<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2024-05-06"}</script>',
            "2024-05-06",
        ),
        ("", None),
    ],
)
def test_a_page_is_dated_by_its_own_words(desk, head, date):
    desk.page("a.html", "<p>Acme was founded in 1998.</p>", "https://x.example/", head)
    assert only(desk).date == date


def test_a_file_that_cannot_be_read_is_named_and_left_out(desk):
    desk.file("a.txt", "Acme Pumps was founded in 1998.")
    (desk.folder / "b.txt").write_bytes(b"\xff\xfa\x00\x01binary")
    (desk.folder / "c.md").write_text("---\nurl: [unclosed\n---\ntext", encoding="utf-8")
    corpus = desk.open()
    assert corpus.size == 1
    assert [line.split(":")[0] for line in corpus.skipped] == ["b.txt", "c.md"]


def test_a_latin1_page_that_says_so_is_read(desk):
    (desk.folder / "a.html").write_bytes(
        '<meta charset="iso-8859-1"><p>Wärme seit 1998</p>'.encode("latin-1")
    )
    assert only(desk).text == "Wärme seit 1998"


def test_hidden_text_is_not_visible(desk):
    desk.page(
        "a.html",
        '<p>Seen</p><p style="display:none">Employees: 99999</p><p hidden>Employees: 9</p>',
        "https://acme.example/",
    )
    assert only(desk).facts == ()


def test_the_digest_tells_contents_and_names_apart(desk):
    desk.file("a.txt", "one")
    first = corpus_digest(desk.folder)
    assert first == desk.open().digest
    desk.file("a.txt", "two")
    second = corpus_digest(desk.folder)
    (desk.folder / "a.txt").rename(desk.folder / "b.txt")
    assert len({first, second, corpus_digest(desk.folder)}) == 3


def test_the_digest_is_the_same_on_every_machine(desk):
    desk.file("sub/a.txt", "Acme")
    assert corpus_digest(desk.folder) == "e0444d04da9c2a10c12b5ba4c5e7c231bce91a8cc5275881150dc9df2227c607"


def test_the_digest_loads_nothing_heavy():
    code = "import sys, rowcite.local.research.store.corpus_folder; print([m for m in ('tantivy', 'selectolax', 'rapidfuzz', 'pycountry') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

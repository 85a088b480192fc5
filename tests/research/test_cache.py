"""Parsed documents are kept, and read again when something about them changes."""

from __future__ import annotations

from rowcite.research import open_corpus


def kept(folder):
    return sorted(path.name for path in folder.rglob("*.msgpack"))


def test_a_kept_document_is_the_document(desk, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache") / "new"
    desk.page(
        "a.html", "<h1>Acme</h1><table><tr><th>Staff</th><td>240</td></tr></table>", "https://acme.example/"
    )
    desk.file("b.txt", "Acme was founded in 1998.")
    first, second = open_corpus(desk.folder, cache), open_corpus(desk.folder, cache)
    assert first.documents == second.documents == desk.open().documents
    assert len(kept(cache)) == 2


def test_a_changed_file_is_read_again_and_the_others_are_not(desk, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    desk.file("a.txt", "Acme was founded in 1998.")
    desk.file("b.txt", "Acme makes pumps.")
    open_corpus(desk.folder, cache)
    before = kept(cache)
    desk.file("a.txt", "Acme was founded in 1999.")
    texts = [document.text for document in open_corpus(desk.folder, cache).documents]
    assert texts == ["Acme was founded in 1999.", "Acme makes pumps."]
    assert len(set(kept(cache)) - set(before)) == 1


def test_what_the_manifest_says_counts(desk, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    desk.file("a.txt", "Acme was founded in 1998.")
    open_corpus(desk.folder, cache)
    desk.file("manifest.csv", "file,url\na.txt,https://acme.example/\n")
    assert [document.url for document in open_corpus(desk.folder, cache).documents] == [
        "https://acme.example/"
    ]


def test_a_damaged_entry_is_read_again(desk, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    desk.file("a.txt", "Acme was founded in 1998.")
    open_corpus(desk.folder, cache)
    (entry,) = cache.rglob("*.msgpack")
    entry.write_bytes(b"\x00")
    assert open_corpus(desk.folder, cache).size == 1

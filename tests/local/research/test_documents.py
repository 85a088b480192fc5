"""Files become documents: addresses, dates, encodings, formats, unreadable files."""

from __future__ import annotations

import json
import time

import pytest

from rowcite.errors import InputError
from rowcite.local.research.corpus import open_corpus
from rowcite.local.research.documents import parse
from rowcite.local.research.documents.parse import read_file


def only(docs):
    (document,) = docs.open().documents
    return document


def test_a_missing_folder_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        open_corpus(tmp_path / "gone")


def test_a_folder_without_documents_is_an_input_error(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match="no documents"):
        open_corpus(tmp_path)


def test_the_manifest_names_url_title_and_date(docs):
    docs.file("sub/a.txt", "Acme Pumps was founded in 1998.")
    docs.file("manifest.csv", "file,url,title,date\nsub/a.txt,https://x.example/a,A page,2024-05-06\n")
    document = only(docs)
    assert (document.url, document.title, document.date) == ("https://x.example/a", "A page", "2024-05-06")


def test_front_matter_names_url_title_and_date(docs):
    docs.file(
        "a.md",
        "---\nurl: https://x.example/a\ntitle: A page\ndate: 2024-05-06\n---\n# Hello\n\n| Staff | 40 |\n|---|---|\n",
    )
    document = only(docs)
    assert (document.url, document.title, document.date) == ("https://x.example/a", "A page", "2024-05-06")


def test_front_matter_with_the_path_of_a_site_has_a_file_url(docs):
    docs.file("a.md", "---\nurl: /about\n---\nAcme Pumps was founded in 1998.")
    assert only(docs).url == "file:a.md"


def test_a_page_without_an_address_has_a_file_url(docs):
    docs.file("sub/a.txt", "Acme Pumps was founded in 1998.")
    assert only(docs).url == "file:sub/a.txt"


def test_an_address_that_is_none_does_not_leave_its_page_out(docs):
    docs.page("a.html", '<p>Acme was founded in 1998. <a href="http://[x">More</a></p>', "http://[bad")
    docs.file("b.md", "---\nurl: http://[bad\n---\nAcme was founded in 1998.")
    read = docs.open().documents
    assert [document.raw.count("1998") for document in read] == [1, 1]


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
def test_a_page_is_dated_by_its_metadata(docs, head, date):
    docs.page("a.html", "<p>Acme was founded in 1998.</p>", "https://x.example/", head)
    assert only(docs).date == date


def test_an_unreadable_file_is_reported_and_left_out(docs):
    docs.file("a.txt", "Acme Pumps was founded in 1998.")
    (docs.folder / "b.txt").write_bytes(b"\xff\xfa\x00\x01binary")
    (docs.folder / "c.md").write_text("---\nurl: [unclosed\n---\ntext", encoding="utf-8")
    corpus = docs.open()
    assert corpus.size == 1
    assert [line.split(":")[0] for line in corpus.skipped] == ["b.txt", "c.md"]


def test_text_in_an_undeclared_encoding_is_recognised(docs):
    text = "Die Wärmepumpen für größere Häuser werden seit 1998 in Österreich hergestellt. " * 5
    (docs.folder / "a.txt").write_bytes(text.encode("cp1252"))
    assert "Wärmepumpen für größere Häuser" in only(docs).text


def test_files_of_other_kinds_are_counted(docs):
    docs.file("a.txt", "Acme Pumps was founded in 1998.")
    for name in ("b.docx", "c.docx", "d.xlsx", "e.png"):
        docs.file(name, "x")
    assert docs.open().skipped == ("not read, of other kinds: 2 .docx, 1 .png, 1 .xlsx",)


def test_a_page_is_decoded_by_its_declared_charset(docs):
    (docs.folder / "a.html").write_bytes(
        '<meta charset="iso-8859-1"><p>Wärme seit 1998</p>'.encode("latin-1")
    )
    assert only(docs).text == "Wärme seit 1998"


def test_hidden_text_is_not_visible(docs):
    docs.page(
        "a.html",
        '<p>Seen</p><p style="display:none">Employees: 99999</p><p hidden>Employees: 9</p>',
        "https://acme.example/",
    )
    assert only(docs).facts == ()


ACME = {"company_name": "Acme Pumps"}
COUNT = {"type": ["integer", "null"], "description": "Latest head count"}


def pdf(lines: list[str], title: str = "") -> bytes:
    """Write a PDF of one page, a line of text each."""
    shown = " ".join(f"({line}) Tj T*" for line in lines)
    stream = f"BT /F1 11 Tf 14 TL 72 740 Td {shown} ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Title ({title}) /CreationDate (D:20250304101500Z) >>",
    ]
    body, offsets = "%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    tail = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{tail}".encode("latin-1")


def test_a_pdf_is_read_with_its_title_and_date(docs):
    lines = [
        "Acme Pumps",
        "Acme Pumps makes pumps for ponds and for wells, and now em-",
        "ploys 240 people in two towns of the north.",
        "Founded: 1998",
    ]
    (docs.folder / "report.pdf").write_bytes(pdf(lines, "Acme Pumps"))
    (document,) = docs.open().documents
    assert (document.title, document.date, document.url) == ("Acme Pumps", "2025-03-04", "file:report.pdf")
    finding = docs.ask(ACME, {"employee_count": COUNT, "founded_year": {"type": ["integer", "null"]}})
    assert finding.content == {"employee_count": 240, "founded_year": 1998}
    assert all(document.contains(e) for b in finding.basis for c in b.citations for e in c.excerpts)


def test_a_broken_pdf_is_reported_and_left_out(docs):
    (docs.folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing else")
    docs.file("a.txt", "Acme Pumps was founded in 1998.")
    assert [line.split(":")[0] for line in docs.open().skipped] == ["broken.pdf"]


def test_each_line_of_json_is_a_page(docs):
    pages = [
        {
            "url": "https://acmepumps.example/",
            "title": "Acme Pumps",
            "date": "2024-05-06",
            "text": "Acme Pumps has 240 employees.\u2028Yes.",
        },
        {"url": "https://acmepumps.example/b", "html": "<h1>Acme Pumps</h1><p>Founded: 1998</p>"},
    ]
    docs.file("pages.jsonl", "\n".join(json.dumps(page, ensure_ascii=False) for page in pages))
    found = {document.url: document for document in docs.open().documents}
    assert list(found) == ["https://acmepumps.example/", "https://acmepumps.example/b"]
    assert found["https://acmepumps.example/"].date == "2024-05-06"
    finding = docs.ask(ACME, {"employee_count": COUNT, "founded_year": {"type": ["integer", "null"]}})
    assert finding.content == {"employee_count": 240, "founded_year": 1998}


def test_an_invalid_json_line_is_reported_and_the_others_are_read(docs):
    docs.file("pages.jsonl", '{"text": "Acme Pumps makes pumps."}\n{"text": \n["no page"]\n')
    corpus = docs.open()
    assert corpus.size == 1
    assert [line.split(":")[0] for line in corpus.skipped] == ["pages.jsonl#2", "pages.jsonl#3"]


# --- limits ----------------------------------------------------------------------------------------------

NESTED = "<div>" * 400_000


def test_a_page_of_400000_nested_elements_is_left_out_at_once_and_named(docs):
    docs.file("a.html", NESTED)
    docs.file("b.txt", "Acme Pumps was founded in 1998.")
    docs.file("c.jsonl", "\n".join(json.dumps({"html": html}) for html in (NESTED, "<p>Acme</p>")))
    began = time.monotonic()
    corpus = docs.open()
    assert time.monotonic() - began < 20
    assert [document.path for document in corpus.documents] == ["b.txt", "c.jsonl#2"]
    reason = "its elements nest deeper than 400 levels"
    assert corpus.skipped == (f"a.html: ValueError: {reason}", f"c.jsonl#1: {reason}")


@pytest.mark.parametrize("tags", ["<p>", "<br>", "<li>", "<p><b>"])
def test_elements_that_need_no_end_tag_are_not_nested(docs, tags):
    docs.file("a.html", f"{tags}Acme Pumps" * 2_000)
    assert only(docs).text.startswith("Acme Pumps Acme Pumps")


def test_of_a_long_text_the_first_part_is_read_and_the_file_is_named(monkeypatch):
    monkeypatch.setattr(parse, "MOST_CHARS", 1 << 20)
    (document,), complaints = read_file(b"Acme.\n\n" + b"x" * (1 << 20) + b" last", "a.txt", {})
    assert document.text.startswith("Acme. x")
    assert not document.text.endswith("last")
    assert complaints == ["a.txt: longer than 1 MiB; the rest was not read"]


def test_the_time_for_a_line_of_many_elements_grows_with_their_number(docs):
    docs.file("a.html", "<span>x</span>" * 40_000)
    began = time.process_time()
    assert len(only(docs).text) > 1_000
    assert time.process_time() - began < 10


HOSTILE = {
    "aliases.md": "---\na: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)) + "---\ntext",
    "tiles.html": "<p>a b</p>" * 5_000,
    "initials.txt": "A. " * 30_000,
    "properties.html": '<div itemscope itemtype="https://schema.org/Recipe">' + '<i itemprop="recipeIngredient">salt</i>' * 5_000 + "</div>",
    "metas.html": "<head>" + '<meta name="author" content="A &amp; B">' * 5_000 + "</head><p>text</p>",
    "circle.html": '<script type="application/ld+json">' + json.dumps({"@graph": [{"@id": f"#{a}", "@type": "Person", "name": f"P{a}", "knows": [{"@id": f"#{b}"} for b in range(60)]} for a in range(60)]}) + "</script>",
    "headings.html": "<h2>What is it?</h2><p>It is a boat.</p>" * 3_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_data_takes_no_longer_to_read(name):
    began = time.process_time()
    read_file(HOSTILE[name].encode(), name, {})
    assert time.process_time() - began < 5

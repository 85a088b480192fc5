"""PDF, JSONL and e-mail become documents."""

from __future__ import annotations

import json
from email.message import EmailMessage

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


def test_a_pdf_is_read_with_its_title_and_date(desk):
    lines = [
        "Acme Pumps",
        "Acme Pumps makes pumps for ponds and for wells, and now em-",
        "ploys 240 people in two towns of the north.",
        "Founded: 1998",
    ]
    (desk.folder / "report.pdf").write_bytes(pdf(lines, "Acme Pumps"))
    (document,) = desk.open().documents
    assert (document.title, document.date, document.url) == ("Acme Pumps", "2025-03-04", "file:report.pdf")
    finding = desk.ask(ACME, {"employee_count": COUNT, "founded_year": {"type": ["integer", "null"]}})
    assert finding.content == {"employee_count": 240, "founded_year": 1998}
    assert all(document.contains(e) for b in finding.basis for c in b.citations for e in c.excerpts)


def test_a_broken_pdf_is_named_and_left_out(desk):
    (desk.folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing else")
    desk.file("a.txt", "Acme Pumps was founded in 1998.")
    assert [line.split(":")[0] for line in desk.open().skipped] == ["broken.pdf"]


def test_each_line_of_json_is_a_page(desk):
    pages = [
        {
            "url": "https://acmepumps.example/",
            "title": "Acme Pumps",
            "date": "2024-05-06",
            "text": "Acme Pumps has 240 employees.\u2028Yes.",
        },
        {"url": "https://acmepumps.example/b", "html": "<h1>Acme Pumps</h1><p>Founded: 1998</p>"},
    ]
    desk.file("pages.jsonl", "\n".join(json.dumps(page, ensure_ascii=False) for page in pages))
    found = {document.url: document for document in desk.open().documents}
    assert list(found) == ["https://acmepumps.example/", "https://acmepumps.example/b"]
    assert found["https://acmepumps.example/"].date == "2024-05-06"
    finding = desk.ask(ACME, {"employee_count": COUNT, "founded_year": {"type": ["integer", "null"]}})
    assert finding.content == {"employee_count": 240, "founded_year": 1998}


def test_a_faulty_line_of_json_is_named_and_the_others_are_read(desk):
    desk.file("pages.jsonl", '{"text": "Acme Pumps makes pumps."}\n{"text": \n["no page"]\n')
    corpus = desk.open()
    assert corpus.size == 1
    assert [line.split(":")[0] for line in corpus.skipped] == ["pages.jsonl#2", "pages.jsonl#3"]


def test_an_email_is_dated_and_titled_by_its_headers(desk):
    message = EmailMessage()
    message["Subject"] = "Acme Pumps in figures"
    message["Date"] = "Tue, 04 Mar 2025 10:15:00 +0100"
    message["From"] = "press@acmepumps.example"
    message.set_content("Acme Pumps has 240 employees.\n\nFounded: 1998\n")
    message.add_alternative("<p>Acme Pumps has 241 employees.</p>", subtype="html")
    (desk.folder / "news.eml").write_bytes(message.as_bytes())
    (document,) = desk.open().documents
    assert (document.title, document.date) == ("Acme Pumps in figures", "2025-03-04")
    assert desk.value(ACME, COUNT) == 240

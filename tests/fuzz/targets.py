"""Fuzz targets: every function that reads bytes from a file, the API or the user.

A target takes bytes. It returns when rowcite reads them or rejects them with an explained error. It raises on any other
exception, an error without a message, or a value that breaks a promise.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec
import polars as pl
import pyarrow as pa

from rowcite.accept.judge import judge
from rowcite.accept.policy import acceptance_policy
from rowcite.api.answers import answer
from rowcite.api.bodies import api_warnings, input_of, output_of, read_event
from rowcite.api.failures import failure, retry_after
from rowcite.api.sse import Parser, TooLarge
from rowcite.draft.draft import draft
from rowcite.draft.sample import read_sample
from rowcite.draft.spec_text import text_of
from rowcite.errors import RowciteError
from rowcite.local.research.documents.parse import UNREADABLE, read_file
from rowcite.pipeline.job import make_job
from rowcite.pipeline.spec_file import load_spec, parse_spec
from rowcite.spec.fields import fields
from rowcite.spec.models import CsvOptions
from rowcite.table.reader import Reader
from rowcite.table.sources import FrameSource, open_source


@dataclass(frozen=True, slots=True)
class Target:
    """A function that takes bytes, with example inputs and words of the format."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]


SHM = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112


def explained(error: RowciteError) -> None:
    """Check that an error has a message that can be encoded as UTF-8."""
    text = str(error)
    assert text.strip(), f"{type(error).__name__} has no message"
    text.encode()


# --- specs -----------------------------------------------------------------------------------------------

SPEC = b"""name: accounts
input: {path: a.csv, format: csv, csv: {separator: ",", encoding: utf8, null_values: ["", "N/A"]}, where: "a = '1'"}
output: {path: "${OUT:-b}.csv"}
task:
  processor: core-fast
  instructions: &i Use the company's own site first.
  inputs:
    company_name: {column: name, description: *i, required: true}
    website: {column: website, transform: domain}
  outputs:
    industry: {type: string, description: Main industry}
    stage: {enum: [Seed, Public, Unknown]}
    products: {type: array, items: string}
    office: {type: object, properties: {city: string, since: date}}
  source_policy: {include_domains: [a.com], exclude_domains: []}
  location: us
  metadata: {team: revops}
  mcp_servers: [{url: https://x.example/mcp, name: x, headers: {k: "${KEY}"}}]
accept:
  min_confidence: medium
  trusted_domains: [sec.gov, .gov]
  required: [industry]
  rules: ["since <= 2026"]
  fields: {industry: {min_confidence: 0.4, pattern: "^[a-z]+$"}}
columns: {prefix: "", citations: full}
limits: {max_cost_usd: 25, deadline: 2h, max_failed: "5%"}
prices: {x: 0.1}
cache: {max_age: 90d}
"""
SPEC_WORDS = (
    *b"- ! & * {} [] : | > ' \" # % @ ? << !!python/object ${A:-} $$ \xef\xbb\xbf --- ... true ~ .nan 0x1 1e999".split(),
    *b"json_schema prompt outputs output auto text records_per_run escalate existing not_found otherwise on_reject local".split(),
    b"\n  ",
    b"\x00",
    b"\xc2\x85",
    b"\t",
    b"9" * 400,
)


def spec(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        file = Path(folder) / "spec.yaml"
        file.write_bytes(data)
        try:
            read = load_spec(file, environ={"KEY": "secret", "OUT": "x"})
        except RowciteError as error:
            explained(error)
            return
        assert read.name


# --- tables ----------------------------------------------------------------------------------------------


def table(data: bytes, name: str, **options: str) -> list[tuple[object, ...]] | None:
    """Read bytes as a table and check each batch against the schema. Return the rows, or None if it was rejected."""
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        file = Path(folder) / name
        file.write_bytes(data)
        try:
            source = open_source(str(file), None, CsvOptions(**options))  # type: ignore[arg-type]
            for batch in source.batches():
                assert batch.frame.schema == source.schema, (batch.frame.schema, source.schema)
                assert batch.lines is None or len(batch.lines) == batch.frame.height
                assert batch.arrow is None or batch.arrow.num_rows == batch.frame.height
                assert batch.frame.height
                rows += batch.frame.rows()
        except RowciteError as error:
            explained(error)
            assert folder in str(error), f"the file is not named: {error}"
            return None
    return rows


def csv_table(data: bytes) -> None:
    rows = table(data, "t.csv")
    if rows is None or b"\0" in data or b"\r" in data:
        return
    text = io.StringIO(data.decode("utf-8-sig"), newline="")
    expected = list(csv.reader(text))
    while expected and not expected[0]:
        expected.pop(0)
    if len(expected[0]) > 1:
        assert [["" if cell is None else cell for cell in row] for row in rows] == [
            r for r in expected[1:] if r
        ]


def drafted(data: bytes) -> None:
    """Draft a spec for a table, and load the spec."""
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        file = Path(folder) / "t.csv"
        file.write_bytes(data)
        try:
            sample = read_sample(str(file), file)
            made = draft(str(file), Path(folder) / "s.yaml", sample)
        except RowciteError as error:
            explained(error)
            assert folder in str(error), f"the file is not named: {error}"
            return
        made.spec.write_text(text_of(made), encoding="utf-8")
        inputs = load_spec(made.spec, environ={}).task.inputs or {}
        assert [item.column for item in inputs.values()] == [pick.column for pick in made.picks]


def csv_elsewhere(data: bytes) -> None:
    first, rest = data[:1] or b"\0", data[1:]
    encoding = ("utf-16", "cp1252", "shift_jis", "utf-7", "latin-1", "utf-8-sig", "idna", "punycode")
    try:
        table(rest, "t.tsv", encoding=encoding[first[0] % len(encoding)])
    except ValueError as error:  # CsvOptions rejects an encoding
        assert "encoding" in str(error), error


def packed_table(data: bytes) -> None:
    first, rest = data[:1] or b"\0", data[1:]
    table(rest, f"t.{('csv', 'jsonl', 'parquet')[first[0] % 3]}{('.gz', '.zst')[first[0] // 3 % 2]}")


def jsonl_table(data: bytes) -> None:
    table(data, "t.jsonl")


def parquet_table(data: bytes) -> None:
    table(data, "t.parquet")


def parquet_seeds() -> tuple[bytes, ...]:
    plain = pl.DataFrame({"a": ["x", None, "y" * 50] * 5, "n": [1, 2, None] * 5, "l": [[1], [], None] * 5})
    found = []
    for compression in ("uncompressed", "snappy", "zstd", "gzip"):
        out = io.BytesIO()
        plain.write_parquet(out, compression=compression)  # type: ignore[arg-type]
        found.append(out.getvalue())
    return tuple(found)


def packed_seeds() -> tuple[bytes, ...]:
    whole = b"a,b\n1,2\n" * 20
    parts = [
        b"\0" + pa.compress(whole, "gzip", asbytes=True),
        b"\3" + pa.compress(whole, "zstd", asbytes=True),
    ]
    lines = b'{"a":1}\n' * 20
    return (
        *parts,
        b"\1" + pa.compress(lines, "gzip", asbytes=True),
        b"\2" + pa.compress(whole, "gzip", asbytes=True),
    )


CSV_WORDS = (
    *b', " "" ; \r \r\n \n \t \0 \xef\xbb\xbf \xff\xfe \xe9 \xf0\x9f\x98\x80 \\ \''.split(b" "),
    b"\n\n",
    b'",',
)
JSON_WORDS = (
    *b'{ } [ ] : , " \\" null true NaN -0 1e999 1e-999 \\u0000 \\ud800 \\ud83d\\ude00 {"a":{"b":[1,"x",null]}}'.split(
        b" "
    ),
    b"\n",
    b"9" * 25,
    b"0.1",
    b"\xe2\x80\xa8",
    b"[" * 70,
    b'{"a":' * 70,
)

# --- responses of the API ----------------------------------------------------------------------------------

EVENT = b"""{"type":"task_run.state","event_id":"7","run":{"run_id":"trun_1","status":"completed","processor":"core",\
"metadata":{"rowcite_key":"00ff"},"error":null,"warnings":[{"type":"w","message":"m"}]},\
"input":{"processor":"core","input":{"a":1}},"output":{"type":"json","content":{"city":"Oslo"},"basis":[]}}"""
OUTPUT = b"""{"type":"json","content":{"city":"Oslo","count":"1,200","since":"2001-02-03","tags":["a"],"open":true,\
"office":{"zip":"0150"},"stage":"Seed"},"basis":[{"field":"city","reasoning":"r","confidence":"high","citations":\
[{"url":"https://a.example/","title":"t","excerpts":["e"]}]},{"field":"count","confidence":0.7,"citations":null}]}"""
OLDER_OUTPUT = b"""{"content":"{\\"city\\":\\"Oslo\\",\\"_basis\\":{\\"city\\":{\\"confidence\\":\\"low\\",\\"citations\\":[\\"https://x\\"]}}}"}"""
EVENT_WORDS = (
    *JSON_WORDS,
    *b"task_group_status error run output input content basis _basis field confidence citations url excerpts".split(),
    *b"data: event: id: retry: :ping \r\n \r \n\n \xef\xbb\xbf".split(b" "),
)


SHEET = b"""<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>
<row r="2" hidden="1"><c r="A2" s="1"><v>45000.5</v></c><c r="B2" t="e"><v>#N/A</v></c></row>
<row r="3"><c r="A3" t="b"><v>1</v></c><c r="B3"><f>A1+1</f><v></v></c></row>
<row r="4"><c r="A4" t="str"><f>A1</f><v>x</v></c><c r="B4"><v>230</v></c></row>
</sheetData><mergeCells count="1"><mergeCell ref="A4:B4"/></mergeCells></worksheet>"""
PARTS = {
    "[Content_Types].xml": """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="xml" ContentType="application/xml"/></Types>""",
    "_rels/.rels": """<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>""",
    "xl/workbook.xml": """<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": """<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>
</Relationships>""",
    "xl/sharedStrings.xml": "<sst><si><t>a</t></si><si><r><t>x</t></r><r><t>y</t></r></si></sst>",
    "xl/styles.xml": """<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>""",
}


def workbook(sheet: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, text in {**PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return whole.getvalue()


def workbook_table(data: bytes) -> None:
    table(data, "t.xlsx")


def sheet_table(data: bytes) -> None:
    table(workbook(data), "t.xlsx")


def stream(data: bytes) -> None:
    """Check that a stream gives the same events however it is cut, and that each is read or rejected."""
    whole, cut = Parser(), Parser()
    with suppress(TooLarge):
        events = whole.feed(data)
        step = 1 + len(data) % 7
        pieces = [event for at in range(0, len(data), step) for event in cut.feed(data[at : at + step])]
        assert events == pieces, "events depend on how the stream is cut"
        for one in events:
            event(one)


def event(data: bytes) -> None:
    try:
        read = read_event(data)
    except msgspec.DecodeError:  # documented by `read_event`; the client translates it
        return
    input_of(read)
    output = output_of(read)
    if read.run is not None:
        assert read.run.key is None or isinstance(read.run.key, bytes)
        assert read.run.problem.message is not None
        api_warnings(read.run)
        assert read.run.state
    if output is not None:
        answered(output)


ANSWER_SPEC = parse_spec(
    {
        "name": "t",
        "task": {
            "processor": "core",
            "inputs": {"x": {"column": "a"}},
            "outputs": {
                "city": "string",
                "count": "integer",
                "share": "number",
                "since": "date",
                "open": "boolean",
                "stage": {"enum": ["Seed", "Public"]},
                "tags": {"type": "array", "items": "string"},
                "office": {"type": "object", "properties": {"zip": "integer", "since": "date"}},
            },
        },
        "accept": {"min_confidence": "medium", "min_citations": 1, "trusted_domains": [".gov", "a.example"]},
    },
    environ={},
)
POLICY = acceptance_policy(fields(ANSWER_SPEC), ANSWER_SPEC.accept)
DAY = date(2026, 1, 2)


def answered(data: bytes) -> None:
    try:
        read = answer("trun_1", "core", data)
    except ValueError as error:
        assert str(error).startswith("run trun_1: "), error
        return
    cells = judge(read, POLICY, DAY)
    assert len(cells) == len(POLICY.fields)
    for cell in cells:
        assert (cell.rejection is None) or cell.rejection.strip()
        assert all(isinstance(citation.url, str) for citation in cell.citations)


def refusal(data: bytes) -> None:
    """Check that an error response becomes an explained error, and its pause at most 300 s."""
    head, _, body = data.partition(b"\n")
    pause = retry_after(head.decode("latin-1"))
    assert pause is None or 0 <= pause <= 300
    explained(failure("GET /x", 400 + len(data) % 130, body, pause))


# --- predicates ------------------------------------------------------------------------------------------

FRAME = pl.DataFrame(
    {
        "a": ["1", None, "x"],
        "n": [1, None, 3],
        "f": [0.5, None, float("nan")],
        "b": [True, None, False],
        "d": [date(2020, 1, 1), None, date(2021, 1, 1)],
        "l": [["x"], None, []],
    }
)
WHERE_WORDS = (
    *b"= <> < >= AND OR NOT IS NULL IN LIKE ILIKE BETWEEN CASE WHEN THEN ELSE END CAST ( ) AS DOUBLE TRY_CAST".split(),
    *b"'x' 1 0.5 -1 NULL a n f b d l \"a\" * / % || , ; -- /* */ :: [ ] SELECT FROM EXISTS OVER INTERVAL DATE '2020-01-01'".split(),
    *b"LOWER( STRPOS( REGEXP_LIKE( COALESCE( SUM( COUNT( LENGTH( SUBSTR( ROUND( POW( LEFT( REPLACE( CONCAT( DATE_PART(".split(),
    *b"ARRAY_GET( UNNEST( STRUCT( COLUMNS( 99999999999999999999 'a(' '[' \xc3\xa9".split(),
)


def where(data: bytes) -> None:
    text = data.decode("utf-8", "replace").replace("\0", "")
    task = {"processor": "core", "inputs": {"x": {"column": "a"}}, "outputs": {"y": "string"}}
    try:
        spec = parse_spec({"name": "t", "input": {"where": text}, "task": task}, environ={})
        job = make_job(spec, Reader(FrameSource(FRAME), spec), "https://api.example")
        (batch,) = job.reader.batches(job.question)
    except RowciteError as error:
        explained(error)
        return
    assert len(batch.keys) == FRAME.height


# --- documents of the local engine -----------------------------------------------------------------------

JSON_LD = b'{"@graph":[{"@type":"Book","@id":"#b","name":"Tin Boat","author":{"@id":"#a"},"offers":[{"price":"6.99"}]}]}'
PAGE = (
    b"""<title>Tin Boat</title><meta property="og:x" content="y"><script type="application/ld+json">%s</script><h1>Tin Boat</h1><p><b>Pages</b>: 40<br>Born: 13. M\xc3\xa4rz 2014
<table><tr><th>a<th>b<tr><td>1<td>2</table><dl><dt>c<dd>3</dl><div itemscope itemtype="https://schema.org/Book"><i itemprop="name">d</i></div>"""
    % JSON_LD
)
NOTE = b"---\nname: &n Tin Boat\ntags: [*n, b]\n---\n# Tin Boat\n\nPages: 40\n\n- one: 1\n- two\n"


def document(data: bytes) -> None:
    """Check that a file becomes documents whose facts are quoted from them, or is refused with a reason."""
    for suffix in ("html", "md", "jsonl", "eml"):
        try:
            documents, _ = read_file(data, f"a.{suffix}", {})
        except UNREADABLE as error:
            assert str(error).strip() or isinstance(error, RecursionError)
            continue
        assert all(one.contains(fact.excerpt) for one in documents for fact in one.facts)


TARGETS: dict[str, Target] = {
    "document": Target(
        document,
        (PAGE, NOTE, b'{"text": "a"}\n{"html": "<p>b"}', b"Subject: a\nContent-Type: text/html\n\n<p>b"),
        (
            b"<div>",
            b'itemprop="x"',
            b"typeof=",
            b"</",
            b"{",
            b'"@id"',
            b"&a",
            b"*a",
            b": ",
            b"---\n",
            b"|",
            b"\xff\xfe",
        ),
    ),
    "spec": Target(spec, (SPEC, b"name: a\ntask: {}\n"), SPEC_WORDS),
    "csv": Target(
        csv_table, (b'a,b\n1,"x\ny"\n2,\n', b"\xef\xbb\xbfa;b\r\n1;2\r\n", b'a\n""\n\n1\n'), CSV_WORDS
    ),
    "csv-elsewhere": Target(
        csv_elsewhere, (b"\0" + "a\tb\n1\té\n".encode("utf-16"), b"\1a\tb\n\x80\t1\n"), CSV_WORDS
    ),
    "draft": Target(
        drafted,
        (
            b"Company,Website\nA GmbH,a.example\n",
            b"Firma;E-Mail\nM\xfcller;x@a.example\n",
            "id\tName\n1\té\n".encode("utf-16"),
        ),
        (
            *CSV_WORDS,
            b"\xe9",
            b"\xff\xfe",
            b"sep=;",
            b"PK\x03\x04",
            b"{",
            b"$",
            b"#",
            b": ",
            b"https://a.example",
        ),
    ),
    "packed": Target(packed_table, packed_seeds(), CSV_WORDS),
    "jsonl": Target(
        jsonl_table,
        (b'{"a":1,"b":"x"}\n{"a":null,"c":{"d":[1,2]}}\n', b'{"a":1.5}\n\n{"a":"x"}\n'),
        JSON_WORDS,
    ),
    "parquet": Target(parquet_table, parquet_seeds(), (b"PAR1", b"\xff\xff\xff\xff", b"\x80\x01", b"\0" * 8)),
    "xlsx": Target(
        workbook_table, (workbook(SHEET),), (b"PK\x03\x04", b"PK\x01\x02", b"\xff\xff\xff\xff", b"sheet1")
    ),
    "sheet": Target(
        sheet_table,
        (SHEET,),
        (
            b'r="XFD1048576"',
            b't="d"',
            b"<v>1e400</v>",
            b'r="A0"',
            b'r="B9999999"',
            b"<x:c ",
            b"<f/>",
            b"<!--",
            b"&#0;",
        ),
    ),
    "stream": Target(
        stream, (b"event: x\nid: 1\ndata: " + EVENT + b"\n\n: ping\r\n\r\ndata: {}\rdata:\r\r",), EVENT_WORDS
    ),
    "event": Target(event, (EVENT, b'{"type":"error","error":{"message":"m","ref_id":"r"}}'), EVENT_WORDS),
    "answer": Target(answered, (OUTPUT, OLDER_OUTPUT, b'{"type":"text","content":"# Report"}'), EVENT_WORDS),
    "refusal": Target(
        refusal,
        (
            b'3\n{"type":"error","error":{"ref_id":"r","message":"m","detail":{"x":1}}}',
            b'Wed, 21 Oct 2026 07:28:00 GMT\n{"detail":[{"loc":["body","x"],"msg":"wrong"}]}',
            b"0\n<html>busy</html>",
        ),
        (*JSON_WORDS, *b"error detail loc msg message ref_id -1 inf nan +0000 -0000 Jan 99999 GMT".split()),
    ),
    "where": Target(
        where, (b"a = '1' AND n > 2", b"CAST(a AS DOUBLE) > 1 OR d < DATE '2020-06-01'"), WHERE_WORDS
    ),
}

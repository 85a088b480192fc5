"""Remote tables are read like local ones, and their faults appear before anything is spent."""

import gzip
import re
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import polars as pl
import pytest
from pyarrow import fs

from rowcite.cli import main
from rowcite.errors import TableChanged, TableError
from rowcite.spec.models import CsvOptions
from rowcite.table.input_table import TableAddress
from rowcite.table.input_table import open_table as open_input
from rowcite.table.sinks import NewTable, Replacement, check_output, open_table
from rowcite.table.sources import FrameSource, open_source
from rowcite.table.sources.web import download
from support import environment, small_spec, until, write_spec

ROWS = [("007", "Åse & Søn"), ("008", None)]
CSV = "id,name\n007,Åse & Søn\n008,\n".encode()
JSONL = '{"id":"007","name":"Åse & Søn"}\n{"id":"008","name":null}\n'.encode()


def parquet() -> bytes:
    import io

    out = io.BytesIO()
    pl.DataFrame(ROWS, schema=["id", "name"], orient="row").write_parquet(out)
    return out.getvalue()


TABLES = {"csv": CSV, "jsonl": JSONL, "parquet": parquet(), "csv.gz": gzip.compress(CSV)}


def rows(url: str, kind: str | None = None) -> list[tuple[object, ...]]:
    opened = open_source(url, kind, CsvOptions())
    return [row for batch in opened.batches() for row in batch.frame.rows()]


# --- S3 --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Serve S3 on loopback; yield its address and a filesystem to put objects into it."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=file)
    try:
        until(lambda: "Running on http" in log.read_text() or process.poll() is not None, 120)
        address = re.search(r"http://[\d.:]+", log.read_text())[0]
        there = fs.S3FileSystem(
            access_key="a",
            secret_key="s",
            endpoint_override=address,
            region="us-east-1",
            allow_bucket_creation=True,
        )
        there.create_dir("tables")
        yield address, there
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def put(store, monkeypatch):
    """Return a function that puts an object into the bucket; credentials and address are in the environment."""
    address, there = store
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)

    def write(key: str, data: bytes) -> str:
        with there.open_output_stream(f"tables/{key}", compression=None) as out:
            out.write(data)
        return f"s3://tables/{key}"

    return write


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_in_s3_is_read_as_it_is(put, kind):
    assert rows(put(f"one/t.{kind}", TABLES[kind])) == ROWS


def test_a_glob_in_s3_is_read_in_the_order_of_the_names(put):
    for name in ("g/part-2.csv", "g/part-1.csv.gz", "g/other.csv", "g/deep/part-3.csv"):
        data = f"x\n{name}\n".encode()
        put(name, gzip.compress(data) if name.endswith("gz") else data)
    assert rows("s3://tables/g/part-*.csv*") == [("g/part-1.csv.gz",), ("g/part-2.csv",)]
    assert rows("s3://tables/g/**/part-[23].csv") == [("g/deep/part-3.csv",), ("g/part-2.csv",)]


def test_a_folder_in_s3_is_read_part_after_part(put):
    put("f/1.csv", b"x\n1\n")
    put("f/2.csv", b"x\n")
    put("f/3.csv", b"x\n3\n")
    put("f/_SUCCESS", b"")
    assert rows("s3://tables/f") == rows("s3://tables/f/") == [("1",), ("3",)]


def test_partitions_in_s3_are_columns(put):
    for name in ("NL", "S%C3%A3o"):
        put(f"hive/country={name}/part.csv", b"x\n1\n")
    put("hive/other/part.csv", b"x\n2\n")
    assert (
        rows("s3://tables/hive/") == rows("s3://tables/hive/country=*/*.csv") == [("1", "NL"), ("1", "São")]
    )


def test_a_fault_in_a_table_in_s3_is_named_by_its_address_and_line(put):
    with pytest.raises(TableError, match=r"^s3://tables/bad\.csv:3: 1 cell where the header has 2"):
        rows(put("bad.csv", b"a,b\n1,2\n3\n"))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://tables/none.csv", r"^s3://tables/none\.csv: no such object.*AWS_PROFILE"),
        ("s3://tables/none/*.csv", r"no such object"),
        ("s3://nowhere-at-all/x.csv", r"nowhere-at-all/x\.csv: "),
        ("s3://", "names no object"),
        ("s3://*/x.csv", "name the bucket without a wildcard"),
    ],
)
def test_an_object_that_does_not_exist_is_named(put, url, message):
    with pytest.raises(TableError, match=message):
        rows(url)


def test_a_store_that_cannot_be_reached_is_named(put, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(
        TableError, match=r"^s3://tables/t\.csv: cannot be read or written: .*NETWORK_CONNECTION"
    ):
        rows("s3://tables/t.csv")


def test_azure_without_an_account_names_the_variable(monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT", raising=False)
    with pytest.raises(TableError, match="AZURE_STORAGE_ACCOUNT is not set"):
        rows("az://container/t.csv")


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet", "out.jsonl"])
def test_a_table_is_written_to_s3_whole(put, name):
    frame = pl.DataFrame(ROWS, schema=["id", "name"], orient="row")
    target, source = f"s3://tables/out/{name}", FrameSource(frame)
    check_output(target, source)
    with open_table(target, source, pl.Schema({"x": pl.Int64})) as write:
        for batch in source.batches():
            write(batch, pl.DataFrame({"x": [1, 2]}))
    assert [row[0] for row in rows(target)] == ["007", "008"]
    assert [str(row[-1]) for row in rows(target)] == ["1", "2"]


def test_an_unfinished_table_does_not_appear_in_s3(put):
    source = FrameSource(pl.DataFrame({"a": [1]}))
    with pytest.raises(ZeroDivisionError), open_table("s3://tables/half.csv", source, pl.Schema()):
        raise ZeroDivisionError
    with pytest.raises(TableError, match="no such object"):
        rows("s3://tables/half.csv")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("s3://tables/in/1.csv", "this is the input"),
        ("s3://tables/in/2.csv", "would be a part of it"),
        ("s3://nowhere-at-all/out.csv", "no bucket named 'nowhere-at-all'"),
        ("https://example.com/out.csv", "not to https://"),
        ("s3://tables/out", "unknown format"),
    ],
)
def test_an_output_that_cannot_be_written_is_rejected_before_anything_is_spent(put, target, message):
    put("in/1.csv", CSV)
    source = open_source("s3://tables/in/*.csv", None, CsvOptions())
    with pytest.raises(TableError, match=message):
        check_output(target, source)


def test_a_whole_run_from_s3_to_s3(put, tmp_path):
    url = put("run/in.csv", b"name,website\nHelio Freight,https://nowhere.example/\n,\n")
    write_spec(tmp_path, small_spec(input={"path": url}, output={"path": "s3://tables/run-out/out.csv.gz"}))
    assert main(["run", str(tmp_path / "spec.yaml"), "--yes", "-q"]) == 0
    assert [(row[0], row[-4]) for row in rows("s3://tables/run-out/out.csv.gz")] == [
        ("Helio Freight", "completed"),
        (None, "skipped"),
    ]


def test_a_poorer_table_in_s3_has_a_key_of_its_own_until_the_table_is_complete(put, tmp_path):
    url = put("poorer/in.csv", b"name,website\nHelio Freight,https://nowhere.example/\n")
    target, partial = "s3://tables/poorer-out/out.csv.gz", "s3://tables/poorer-out/out.partial.csv.gz"
    spec = small_spec(input={"path": url}, output={"path": target})
    file = str(write_spec(tmp_path, spec))
    assert main(["run", file, "-q"]) == 0
    complete = rows(target)
    spec["task"]["instructions"] = "Use the company's own site"
    write_spec(tmp_path, spec)
    assert main(["write", file, "-q"]) == 5
    assert rows(target) == complete
    assert [row[-4] for row in rows(partial)] == ["pending"]
    assert main(["run", file, "-q"]) == 0
    with pytest.raises(TableError, match="no such object"):
        rows(partial)


# --- https -----------------------------------------------------------------------------------------------


class Site:
    """The responses of a web server: a table, whole or cut after some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.broken, self.status, self.to = data, [], 200, None
        self.tag: str | None = '"one"'
        self.ranges: list[str | None] = []


@contextmanager
def serving(site: Site):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            wanted = self.headers.get("range")
            site.ranges.append(wanted)
            if site.to or site.status != 200:
                self.send_response(302 if site.to else site.status)
                self.send_header("location", site.to or "")
                self.send_header("content-length", "0")
                self.end_headers()
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            part = site.data[start:]
            self.send_response(206 if wanted else 200)
            self.send_header("content-length", str(len(part)))
            if site.tag:
                self.send_header("etag", site.tag)
            self.end_headers()
            cut = site.broken.pop(0) if site.broken else len(part)
            self.wfile.write(part[:cut])
            self.close_connection = cut < len(part)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_behind_an_address_is_read_as_it_is(kind):
    with serving(Site(TABLES[kind])) as base:
        assert rows(f"{base}/some/t.{kind}?token=secret") == ROWS


def test_a_download_that_breaks_resumes_where_it_broke(tmp_path):
    data = b"x\n" + b"".join(b"%d\n" % n for n in range(50_000))
    site = Site(data)
    site.broken = [100_000, 50_000]
    with serving(site) as base:
        (copy,) = download(f"{base}/t.csv", tmp_path, pause=0.0)[0]
    assert copy.read_bytes() == data
    assert site.ranges == [None, "bytes=100000-", "bytes=150000-"]


def test_a_download_that_always_breaks_is_an_error_without_the_query(tmp_path):
    site = Site(CSV)
    site.broken = [5] * 10
    with (
        serving(site) as base,
        pytest.raises(TableError, match=r"t\.csv: the download failed after \d+ bytes") as error,
    ):
        download(f"{base}/t.csv?token=secret", tmp_path, pause=0.0)
    assert "secret" not in str(error.value)
    assert "Nothing was spent" in str(error.value)


@pytest.mark.parametrize(("status", "message"), [(404, "answers 404 Not Found"), (503, "answers 503")])
def test_an_address_without_a_table_is_an_error_with_the_status(status, message):
    site = Site(CSV)
    site.status = status
    with serving(site) as base, pytest.raises(TableError, match=message):
        rows(f"{base}/t.csv")


@pytest.mark.parametrize("url", ["http://example.com/t.csv", "http://10.0.0.1/t.csv"])
def test_plain_http_to_another_machine_is_rejected(url):
    with pytest.raises(TableError, match="plain http"):
        rows(url)


def test_a_redirect_to_plain_http_on_another_machine_is_rejected():
    site = Site(CSV)
    site.to = "http://example.com/t.csv?token=secret"
    with serving(site) as base, pytest.raises(TableError, match="plain http") as error:
        rows(f"{base}/t.csv")
    assert "secret" not in str(error.value)


def test_an_address_without_a_suffix_is_read_as_the_given_format():
    with serving(Site(CSV)) as base:
        assert rows(f"{base}/download", "csv") == ROWS
        with pytest.raises(TableError, match="/download: unknown format"):
            rows(f"{base}/download")


# --- a store that does not let the output be read -------------------------------------------------------


@contextmanager
def limited(store: str, refused: tuple[str, ...] = ("HEAD", "GET")):
    """Serve a store on loopback, except that objects named `out` refuse some methods, as with limited credentials."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self):
            body, url = self.body(), store + self.path
            if self.command in refused and "/out" in self.path:
                answer = httpx.Response(403)
            else:
                left_out = ("host", "content-length", "transfer-encoding", "expect", "connection")
                headers = [item for item in self.headers.items() if item[0].lower() not in left_out]
                answer = httpx.request(self.command, url, content=body, headers=headers)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length") or 0))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, *_):
            pass

    for method in ("GET", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.do_HEAD)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("complete", "place"), [(True, "out.csv"), (False, "out.partial.csv")])
def test_an_output_that_may_not_be_read_does_not_lose_the_table(put, store, monkeypatch, complete, place):
    put(f"w{complete}/out.csv", b"name\nrich\n")
    source = FrameSource(pl.DataFrame(ROWS, schema=["id", "name"], orient="row"))
    replacement = Replacement(lambda: NewTable(0, complete=complete))
    added = pl.DataFrame({"rowcite_status": ["pending", "pending"]})
    url = f"s3://tables/w{complete}/out.csv"
    with limited(store[0]) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with open_table(url, source, added.schema, replacement) as write:
            for part in source.batches():
                write(part, added)
    assert replacement.place == f"s3://tables/w{complete}/{place}"
    assert "it cannot be read, so its answered rows are not known" in str(replacement.warning)
    monkeypatch.setenv("AWS_ENDPOINT_URL", store[0])
    assert [row[:2] for row in rows(replacement.place)] == [("007", "Åse & Søn"), ("008", None)]


def test_an_output_that_may_not_be_written_is_an_error_before_anything_is_spent(put, store, monkeypatch):
    source = FrameSource(pl.DataFrame({"name": ["x"]}))
    with limited(store[0], ("PUT", "POST")) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(TableError, match=r"s3://tables/limited/out\.csv: cannot be read or written"):
            check_output("s3://tables/limited/out.csv", source)
        check_output("s3://tables/limited/out.csv", source, writes=False)


@pytest.mark.parametrize(("refused", "left"), [((), 0), (("DELETE",), 1)])
def test_trying_an_output_leaves_an_empty_object_only_where_none_can_be_deleted(
    put, store, monkeypatch, refused, left
):
    url = put(f"tried{left}/out.csv", b"name\nkept\n")
    with limited(store[0], refused) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        check_output(url, FrameSource(pl.DataFrame({"name": ["x"]})))
    monkeypatch.setenv("AWS_ENDPOINT_URL", store[0])
    found = store[1].get_file_info(fs.FileSelector(f"tables/tried{left}"))
    assert sorted((file.base_name, file.size) for file in found) == [
        ("out.csv", 10),
        *[("out.csv.rowcite-check", 0)] * left,
    ]
    assert rows(f"s3://tables/tried{left}") == [("kept",)]


# --- changes while a command runs ------------------------------------------------------------------------


def opened(url: str):
    return open_input(TableAddress(url, None, CsvOptions()), identify=True)


def test_a_table_in_s3_is_looked_at_again_and_another_header_is_an_error(put):
    table = opened(put("now/t.csv", CSV))
    assert table.now() is table
    put("now/t.csv", CSV)
    assert table.now().has_bytes_of(table)
    put("now/t.csv", CSV + b"009,Late\n")
    now = table.now()
    assert not now.has_bytes_of(table)
    assert sum(batch.frame.height for batch in now.source.batches()) == 3
    put("now/t.csv", b"name,id\nZo,007\n")
    with pytest.raises(TableChanged, match=r"s3://tables/now/t\.csv: the header changed"):
        table.now()


def test_a_part_that_is_added_in_s3_is_a_change(put):
    put("grows/1.csv", b"x\n1\n")
    table = opened("s3://tables/grows")
    put("grows/2.csv", b"x\n2\n")
    assert [row for batch in table.now().source.batches() for row in batch.frame.rows()] == [("1",), ("2",)]


@pytest.mark.parametrize("tags", [('"one"', '"two"'), (None, None)], ids=["by its tag", "without a tag"])
def test_a_table_behind_an_address_is_looked_at_again(tags):
    site = Site(CSV)
    site.tag = tags[0]
    with serving(site) as base:
        table = opened(f"{base}/t.csv?token=secret")
        assert table.now().has_bytes_of(table)
        site.data, site.tag = b"nom\nZo\n", tags[1]
        with pytest.raises(TableChanged, match=r"t\.csv: the header changed") as error:
            table.now()
    assert "secret" not in str(error.value)


def test_a_table_that_cannot_be_looked_at_again_counts_as_unchanged():
    with serving(Site(CSV)) as base:
        table = opened(f"{base}/t.csv")
    assert table.now() is table

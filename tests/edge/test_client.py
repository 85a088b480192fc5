"""The client against real sockets: requests, retries, and error messages."""

import asyncio
import json
import logging
import socket
import time
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from rowcite.api.base_url import is_loopback
from rowcite.api.bodies import UnreadableEvent
from rowcite.api.client import Client
from rowcite.api.failures import failure, retry_after
from rowcite.api.rate_limit import RateLimiter
from rowcite.api.retry import RetryPolicy
from rowcite.errors import (
    ApiError,
    ApiRefused,
    InsufficientCredit,
    KeyRefused,
    NotFound,
    Retriable,
    UsageError,
)
from support.scripted import drops, says, scripted, sleeps, streams

KEY = "secret-key-of-the-test"
QUICK = RetryPolicy(
    attempts=3, total=4.0, first_pause=0.01, longest_pause=0.05, connect=1.0, answer=0.5, silence=0.4
)
GROUP = {"taskgroup_id": "g", "status": {"num_task_runs": 2}}
RUN = {"run_id": "r", "status": "completed"}


def event(number, **more):
    return (
        b"data: " + json.dumps({"type": "task_run.state", "event_id": str(number), **more}).encode() + b"\n\n"
    )


def send(url, call, *, key=KEY, retry_policy=QUICK):
    async def sent():
        async with Client(url, key, RateLimiter(2000, 8), retry_policy=retry_policy) as client:
            return await call(client)

    return asyncio.run(sent())


def group(client):
    return client.group("g")


def add(client):
    return client.add_runs("g", b'{"inputs":[]}')


def listing(client):
    found = []

    async def take(items):
        found.extend(items)

    async def read():
        await client.group_runs("g", take)
        return found

    return read()


def events(client):
    async def read():
        return [item.event_id async for some in client.group_events("g") for item in some]

    return read()


# --- the key ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["http://api.example", "http://10.0.0.1:80", "http://localhost.example", "http://127.0.0.1@a.example"],
)
def test_a_key_is_never_sent_over_plain_http_to_another_machine(url):
    with pytest.raises(UsageError, match="plain http"):
        Client(url, KEY, RateLimiter(10, 1))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://a.localhost"]
)
def test_plain_http_is_allowed_to_this_machine(url):
    assert is_loopback(url)
    Client(url, KEY, RateLimiter(10, 1))


@pytest.mark.parametrize("url", ["ftp://a.example", "a.example", ""])
def test_an_invalid_base_url_is_refused(url):
    with pytest.raises(UsageError, match="base URL"):
        Client(url, KEY, RateLimiter(10, 1))


@pytest.mark.parametrize("key", ["abc\n", "abc\r", "a\x00b", "schlüssel"])
def test_an_invalid_key_is_refused_and_not_shown(key):
    with pytest.raises(KeyRefused) as raised:
        Client("https://api.example", key, RateLimiter(10, 1))
    assert key not in str(raised.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    with (
        scripted(says(200, GROUP)) as other,
        scripted(says(status, location=f"{other.url}/v1/tasks/groups/g")) as first,
    ):
        with pytest.raises(ApiError, match=str(status)):
            send(first.url, group)
        assert other.seen == []


def test_the_key_is_sent_in_its_header_alone(caplog):
    caplog.set_level(logging.DEBUG)
    with scripted(says(200, GROUP)) as server:
        send(server.url, group)
    assert server.headers[0]["x-api-key"] == KEY
    assert KEY not in caplog.text


@pytest.mark.parametrize("step", [says(401), says(403), says(422), says(500), drops, says(200, b"<html>")])
def test_the_key_is_in_no_error(step):
    with scripted(step) as server, pytest.raises(Exception) as raised:
        send(server.url, add)
    cause = raised.value
    while cause is not None:
        assert KEY not in str(cause)
        cause = cause.__cause__ or cause.__context__


# --- the log ---------------------------------------------------------------------------------------------


def test_each_request_is_one_debug_line_of_method_path_status_and_time(caplog):
    caplog.set_level(logging.DEBUG, "rowcite.api.http")
    with scripted(says(503), says(200, {"run_ids": []})) as server:
        with pytest.raises(Retriable):
            send(server.url, add)
        send(server.url, add)
    lines = [
        record.getMessage().rsplit(" ", 2)[0]
        for record in caplog.records
        if record.name == "rowcite.api.http"
    ]
    assert lines == ["POST /v1/tasks/groups/g/runs 503", "POST /v1/tasks/groups/g/runs 200"]


def test_a_request_without_an_answer_is_logged_too(caplog):
    caplog.set_level(logging.DEBUG, "rowcite.api.http")
    with scripted(drops) as server, pytest.raises(Retriable):
        send(server.url, add)
    assert "POST /v1/tasks/groups/g/runs RemoteProtocolError" in caplog.text


# --- retries ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 524])
def test_a_get_is_retried(status):
    with scripted(says(status), says(200, GROUP)) as server:
        assert send(server.url, group).status.num_task_runs == 2
        assert len(server.seen) == 2


@pytest.mark.parametrize(
    "step",
    [
        drops,
        sleeps,
        says(200, b"<html>"),
        says(200, b'{"taskgroup_id": "g'),
        says(200, b"x", content_encoding="gzip"),
    ],
)
def test_a_get_without_a_usable_answer_is_retried(step):
    with scripted(step, says(200, GROUP)) as server:
        assert send(server.url, group).taskgroup_id == "g"


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, KeyRefused, 3),
        (402, InsufficientCredit, 6),
        (403, ApiRefused, 2),
        (404, NotFound, 4),
        (422, ApiRefused, 2),
        (501, ApiError, 4),
    ],
)
def test_a_final_status_is_not_retried(status, kind, code):
    with scripted(says(status, {"type": "error", "error": {"ref_id": "ref-1", "message": "no"}})) as server:
        with pytest.raises(kind, match=rf"{status}: no.*ref-1") as raised:
            send(server.url, group)
        assert len(server.seen) == 1
    assert raised.value.exit_code == code


def test_attempts_are_limited():
    with scripted(says(503)) as server, pytest.raises(Retriable, match="503"):
        send(server.url, group)
    assert len(server.seen) == QUICK.attempts


def test_429s_are_retried_without_limit_of_attempts_or_time():
    retry_policy = RetryPolicy(attempts=2, total=1.2, first_pause=0.05, longest_pause=0.1)
    with scripted(*[says(429)] * 14, says(200, GROUP)) as server:
        began = time.monotonic()
        assert send(server.url, group, retry_policy=retry_policy).taskgroup_id == "g"
        assert time.monotonic() - began > retry_policy.total
    assert len(server.seen) == 15


def test_the_total_time_of_retries_starts_after_the_last_429():
    retry_policy = RetryPolicy(attempts=9, total=1.2, first_pause=0.05, longest_pause=0.1)
    with scripted(*[says(429)] * 14, says(503), says(200, GROUP)) as server:
        assert send(server.url, group, retry_policy=retry_policy).taskgroup_id == "g"


def test_the_total_time_of_failures_is_limited():
    began = time.monotonic()
    with scripted(says(503, retry_after="1")) as server, pytest.raises(Retriable, match="503"):
        send(server.url, group, retry_policy=RetryPolicy(attempts=99, total=2.0))
    assert 2 < len(server.seen) < 5
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "step",
    [
        says(408),
        says(500),
        says(502),
        says(503),
        says(504),
        drops,
        sleeps,
        says(200, b"<html>"),
        says(202, b'{"run_ids": ["r'),
    ],
)
def test_a_post_that_creates_runs_is_never_sent_again_blindly(step):
    with scripted(step) as server:
        with pytest.raises(Retriable) as raised:
            send(server.url, add)
        assert len(server.seen) == 1
    assert raised.value.sent


def test_a_post_that_creates_runs_is_retried_after_429():
    with scripted(says(429), says(429), says(200, {"run_ids": ["r"]})) as server:
        assert send(server.url, add) == ["r"]
        assert len(server.seen) == 3


def test_a_post_of_many_runs_gives_up_after_a_few_429():
    with scripted(says(429)) as server, pytest.raises(Retriable):
        send(server.url, lambda client: client.add_runs("g", b"{}", many=True))
    assert len(server.seen) == QUICK.throttled


def test_a_post_that_creates_runs_is_retried_if_no_connection_was_made():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        tries = []

        async def sending():
            tries.append(1)

        with pytest.raises(Retriable) as raised:
            send(
                f"http://127.0.0.1:{taken.getsockname()[1]}",
                lambda client: client.add_runs("g", b"{}", sending=sending),
            )
    assert not raised.value.sent
    assert len(tries) == QUICK.attempts <= QUICK.attempts_before_first_response


def test_creating_a_group_is_retried_because_it_costs_nothing():
    with scripted(drops, says(200, GROUP)) as server:
        assert send(server.url, lambda client: client.create_group()) == "g"


def test_nothing_is_sent_to_a_name_that_does_not_resolve():
    with pytest.raises(Retriable) as raised:
        send("https://no-such-host.invalid", add)
    assert not raised.value.sent


def test_a_server_without_tls_is_a_clear_error():
    with scripted(says(200)) as server, pytest.raises(ApiError, match=r"SSL|TLS|Connect"):
        send(server.url.replace("http:", "https:"), group)


def test_a_408_for_the_result_of_an_active_run_is_not_retried():
    with scripted(says(408)) as server, pytest.raises(Retriable) as raised:
        send(server.url, lambda client: client.result("r"))
    assert raised.value.status == 408
    assert len(server.seen) == 1


# --- Retry-After -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7), ("0", 0), ("-3", 0), ("1.5", 1.5), ("99999", 300), ("inf", 300)]
)
def test_retry_after_in_seconds(text, seconds):
    assert retry_after(text) == seconds


def test_retry_after_as_a_date():
    then = datetime.now(UTC) + timedelta(seconds=20)
    assert 17 < retry_after(format_datetime(then, usegmt=True)) <= 20


@pytest.mark.parametrize("text", [None, "", "soon", "nan", "Wed, 99 Foo"])
def test_an_invalid_retry_after_is_none(text):
    assert retry_after(text) is None


@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "date"])
def test_retry_after_pauses_all_requests(as_date):
    served = []

    def throttled(handler):
        served.append(time.monotonic())
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
        says(429, retry_after=date if as_date else "1")(handler)

    with scripted(throttled, says(200, GROUP)) as server:

        async def two(client):
            first = asyncio.create_task(client.group("g"))
            while not (first.done() or client.rate_limiter._wait(time.monotonic()) > 0):  # noqa: ASYNC110 - waits for a thread
                await asyncio.sleep(0.01)
            await client.group("other")
            waited = time.monotonic() - served[0]
            await first
            return waited

        assert send(server.url, two) > 0.95


# --- error messages --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            b'{"type":"error","error":{"ref_id":"x","message":"bad","detail":{"a":1}}}',
            '422: bad {"a":1} (ref_id x)',
        ),
        (b'{"error":{"message":"bad"}}', "422: bad"),
        (b'{"detail":[{"loc":["body","inputs",3],"msg":"wrong","type":"t"}]}', "422: body.inputs.3: wrong"),
        (b'{"detail":"gone"}', "422: gone"),
        (b'{"error":{"message":null,"ref_id":5}}', "422 (ref_id 5)"),
        (b"<html>\n<b>Bad</b></html>", "422: <html> <b>Bad</b></html>"),
        (b"\xff\xfe", "422: \ufffd\ufffd"),
        (b"[]", "422: []"),
        (b"", "422"),
        (b"x" * 500, f"422: {'x' * 200}…"),
    ],
)
def test_an_error_contains_the_message_of_the_api(body, text):
    assert text in str(failure("POST /runs", 422, body))


# --- streams ---------------------------------------------------------------------------------------------


def test_a_broken_listing_resumes_after_the_last_event():
    script = [streams(event(1, run=RUN), event(2, run=RUN)[:-9], then="cut"), streams(event(2, run=RUN))]
    with scripted(*script) as server:
        assert [item.event_id for item in send(server.url, listing)] == ["1", "2"]
        assert "last_event_id=1" in server.seen[1][1]


def test_a_listing_that_breaks_after_each_event_is_read_to_its_end():
    script = [*(streams(event(number, run=RUN), then="cut") for number in range(20)), streams()]
    with scripted(*script) as server:
        assert len(send(server.url, listing)) == 20


def test_a_listing_that_always_breaks_at_the_same_place_is_given_up():
    with scripted(streams(event(1, run=RUN), then="cut")) as server, pytest.raises(Retriable):
        send(server.url, listing)
    assert len(server.seen) <= QUICK.attempts + 1


@pytest.mark.parametrize(
    "body", [{"type": "error", "error": {"message": "broke", "ref_id": "x"}}, {"error": {"message": "broke"}}]
)
def test_an_error_event_ends_a_stream_as_an_error(body):
    frame = b"event: error\ndata: " + json.dumps(body).encode() + b"\n\n"
    with scripted(streams(event(1), frame)) as server, pytest.raises(Retriable, match="broke"):
        send(server.url, events)


def test_a_silent_stream_is_given_up():
    began = time.monotonic()
    with scripted(streams(event(1), then="stall")) as server, pytest.raises(Retriable, match="ReadTimeout"):
        send(server.url, events)
    assert time.monotonic() - began < 20


def test_an_unreadable_event_does_not_affect_the_others():
    frames = [event(1, run=RUN), b"data: {nonsense\n\n", event(2, run={"run_id": "x"}), event(3, run=RUN)]
    with scripted(streams(*frames)) as server:
        found = send(server.url, listing)
    assert [getattr(item, "event_id", None) for item in found] == ["1", None, None, "3"]
    assert [item.run_id for item in found if isinstance(item, UnreadableEvent)] == [None, "x"]


def test_the_event_stream_leaves_out_unreadable_events():
    with scripted(streams(event(1), b"data: {nonsense\n\n", event(2))) as server:
        assert send(server.url, events) == ["1", "2"]


# --- too large or too slow -------------------------------------------------------------------------------

BOMB = 10 << 30


def bomb(*, head=b""):
    """Send 10 GiB of blanks, compressed to 10 MiB."""

    def step(handler):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        handler.send_response(200)
        handler.send_header("content-encoding", "gzip")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        handler.close_connection = True
        handler.wfile.write(_chunk(packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)))
        piece = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
        for _ in range(BOMB >> 20):
            handler.wfile.write(_chunk(piece))

    return step


def _chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.mark.parametrize(
    ("call", "head"),
    [(group, b""), (add, b""), pytest.param(listing, b"data: ", marks=pytest.mark.slow), (events, b"data: ")],
    ids=["group", "add", "listing", "events"],
)
def test_an_answer_that_decompresses_to_ten_gigabytes_is_refused_before_it_fills_the_memory(call, head):
    tracemalloc.start()
    try:
        with (
            scripted(bomb(head=head)) as server,
            pytest.raises(ApiError, match="larger than 64 MiB") as raised,
        ):
            send(server.url, call, retry_policy=RetryPolicy(answer=120))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert raised.value.exit_code == 4
    assert len(server.seen) == 1
    assert peak < 512 << 20


@pytest.mark.parametrize("call", [group, listing])
@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
def test_an_answer_with_an_unrequested_content_encoding_is_refused(call, encoding):
    with (
        scripted(says(200, b"x", content_encoding=encoding)) as server,
        pytest.raises(ApiError, match=encoding),
    ):
        send(server.url, call)
    assert server.headers[0]["accept-encoding"] == "gzip"


def test_an_answer_that_trickles_endlessly_is_given_up():
    def trickles(handler):
        handler.send_response(200)
        handler.send_header("content-length", "1000")
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b" ")
            time.sleep(0.05)

    began = time.monotonic()
    with scripted(trickles) as server, pytest.raises(Retriable, match="was not complete in time"):
        send(server.url, group, retry_policy=RetryPolicy(attempts=1, total=0.5))
    assert time.monotonic() - began < 4.5  # it ends after 5


def test_a_listing_that_only_sends_comments_is_given_up():
    def comments(handler):
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(_chunk(event(1, run=RUN)))
        for _ in range(100):
            handler.wfile.write(_chunk(b": still here\n\n"))
            time.sleep(0.05)

    began = time.monotonic()
    with scripted(comments) as server, pytest.raises(Retriable, match="was not complete in time"):
        send(server.url, listing)
    assert time.monotonic() - began < 5


# --- Retry-After with extreme values ---------------------------------------------------------------------


@pytest.mark.parametrize("value", ["0", "-5", "-1e9", "nan", "soon", "", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_an_api_that_answers_retry_now_is_not_flooded(value):
    retry_policy = RetryPolicy(attempts=2, total=1.0, first_pause=0.1, longest_pause=0.5)

    async def briefly(client):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await client.group("g")

    with scripted(says(429, retry_after=value)) as server:
        send(server.url, briefly, retry_policy=retry_policy)
    assert 2 <= len(server.seen) <= 10


@pytest.mark.parametrize("value", ["1000000000", "1e308", "inf", "Fri, 31 Dec 9999 23:59:59 GMT", "9" * 5000])
def test_a_pause_is_never_longer_than_five_minutes(value):
    assert retry_after(value) == 300


def test_failures_between_429s_are_counted_and_429s_are_not():
    script = [*[says(429, retry_after="0")] * 6, says(503), says(200, GROUP)]
    with scripted(*script) as server:
        assert send(server.url, group).taskgroup_id == "g"


# --- beta headers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("call", [group, listing])
def test_a_beta_header_that_is_refused_is_left_out_from_then_on(status, call):
    refusal = {"error": {"message": "parallel-beta: unknown"}}
    with scripted(says(status, refusal), streams() if call is listing else says(200, GROUP)) as server:
        send(server.url, call)
    assert [("parallel-beta" in headers) for headers in server.headers] == [True, False]


def test_a_post_that_creates_runs_is_not_retried_after_a_refused_header():
    with scripted(says(400, {"error": {"message": "parallel-beta"}})) as server:
        with pytest.raises(Retriable) as raised:
            send(server.url, add)
        assert len(server.seen) == 1
    assert raised.value.sent


def test_a_refusal_that_persists_without_the_header_is_final():
    with scripted(says(422, {"error": {"message": "parallel-beta: give another"}})) as server:
        with pytest.raises(ApiRefused, match="give another"):
            send(server.url, group)
        assert len(server.seen) == 2


def test_the_betas_of_events_and_of_list_elements_are_requested():
    with scripted(says(200, GROUP)) as server:
        send(server.url, group)
    (headers,) = server.headers
    assert headers["parallel-beta"] == "events-sse-2025-07-24,field-basis-2025-11-25"


# --- the rows that a 422 names ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("detail", "rows"),
    [
        ([{"loc": ["body", "inputs", 17, "input"], "msg": "m"}], (17,)),
        (
            [
                {"loc": ["body", "inputs", 4]},
                {"loc": ["body", "inputs", 2, "x"]},
                {"loc": ["body", "inputs", 4]},
            ],
            (2, 4),
        ),
        ([{"loc": ["inputs", 3]}], (3,)),
        (
            [{"loc": ["body", "inputs"]}, {"loc": ["body", "inputs", "7"]}, {"loc": ["body", "inputs", -1]}],
            (),
        ),
        ([{"loc": ["body", "inputs", True]}, {"loc": "inputs"}, {"loc": None}, 5, {}], ()),
        ("no", ()),
        (None, ()),
    ],
)
def test_the_rows_that_a_422_names_are_read(detail, rows):
    assert failure("POST /runs", 422, json.dumps({"detail": detail}).encode()).rows == rows


def test_a_422_that_names_every_row_is_shortened():
    detail = [{"loc": ["body", "inputs", row], "msg": "wrong"} for row in range(1000)]
    message = str(failure("POST /runs", 422, json.dumps({"detail": detail}).encode()))
    assert message.endswith("body.inputs.4: wrong; and 995 more")


# --- an API that never answered --------------------------------------------------------------------------


def test_an_api_that_never_answered_is_given_up_sooner():
    retry_policy = RetryPolicy(
        attempts=6, attempts_before_first_response=2, total=5.0, first_pause=0.01, longest_pause=0.02
    )
    with scripted(says(200, GROUP, connection="close")) as server:

        async def both(client):
            await client.group("g")
            server.http.shutdown()
            server.http.server_close()
            with pytest.raises(Retriable):
                await client.group("g")
            return client.rate_limiter.requests - 1

        assert send(server.url, both, retry_policy=retry_policy) == retry_policy.attempts

        async def stranger(client):
            with pytest.raises(Retriable) as raised:
                await client.group("g")
            assert not raised.value.sent
            return client.rate_limiter.requests

        assert (
            send(server.url, stranger, retry_policy=retry_policy)
            == retry_policy.attempts_before_first_response
        )

"""Server-sent events: the same events wherever the bytes are split. Grammar: the WHATWG HTML standard."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowcite.api.sse import MAX_BYTES, Parser, TooLarge


def events(stream: bytes, cuts: tuple[int, ...] = ()) -> list[bytes]:
    """Return the events of a stream that is split at these places."""
    parser, found = Parser(), []
    places = [0, *sorted(cuts), len(stream)]
    for start, end in pairwise(places):
        found += parser.feed(stream[start:end])
    return found


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b"data: a\n\n", [b"a"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  a \n\n", [b" a "]),
        (b"data: a\r\n\r\n", [b"a"]),
        (b"data: a\r\r", [b"a"]),
        (b"data: a\r\n\ndata: b\n\r\n", [b"a", b"b"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data: a\rdata: b\r\n\n", [b"a\nb"]),
        (b"data\n\n", [b""]),
        (b"data:\ndata:\n\n", [b"\n"]),
        (b": hello\n\n:\n\ndata: a\n: inside\n\n", [b"a"]),
        (b"event: ping\nid: 7\nretry: 10\n\n", []),
        (b"event: x\ndata: a\nid: 7\n\n", [b"a"]),
        (b"event: one\n\ndata: a\n\n", [b"a"]),
        (b"datax: a\nDATA: b\n data: c\n\n", []),
        (b"\n\n\ndata: a\n\n\n\n", [b"a"]),
        (b"data: a\n", []),
        (b"data: a", []),
        (b"data: a\n\ndata: b\n", [b"a"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [b"a"]),
        (b"\xef\xbb", []),
        ("data: a\u2028b\u0085c\x0b\x0c\x1c\n\n".encode(), ["a\u2028b\u0085c\x0b\x0c\x1c".encode()]),
        (b"data: a: b\n\n", [b"a: b"]),
        (b"", []),
    ],
)
def test_a_stream_is_parsed_into_its_events(stream, data):
    assert events(stream) == data
    assert events(stream, tuple(range(len(stream)))) == data


LINES = st.one_of(
    st.sampled_from([b"", b"data", b"data:", b"event: x", b"id: 1", b": comment", b"\xef\xbb\xbfdata: x"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8).map(
        lambda text: b"data: " + text.encode()
    ),
)
STREAMS = st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r", b"\r\n"])), max_size=12).map(
    lambda lines: b"".join(line + end for line, end in lines)
)


@given(st.sampled_from([b"", b"\xef\xbb\xbf"]), STREAMS, st.data())
def test_any_split_gives_the_same_events(mark, stream, data):
    stream = mark + stream
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=10))
    assert events(stream, tuple(cuts)) == events(stream)


@given(st.binary(max_size=60), st.data())
def test_any_split_of_any_bytes_gives_the_same_events(stream, data):
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=10))
    assert events(stream, tuple(cuts)) == events(stream)


PIECES = st.lists(
    st.sampled_from([b"data", b":", b" ", b"\r", b"\n", b"\r\n", b"\xef", b"\xbb", b"\xbf", b"x"])
)


@given(PIECES.map(b"".join))
def test_byte_by_byte_gives_the_same_events(stream):
    assert events(stream, tuple(range(len(stream)))) == events(stream)


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n")), min_size=1, max_size=3),
        max_size=4,
    )
)
def test_written_events_are_read_back(written):
    stream = "".join("".join(f"data: {line}\n" for line in lines) + "\n" for lines in written)
    assert events(stream.encode()) == ["\n".join(lines).encode() for lines in written]


def test_an_empty_chunk_changes_nothing():
    parser = Parser()
    chunks = (b"", b"data: a\r", b"", b"\n", b"", b"\n", b"data: b\n\n")
    assert [data for chunk in chunks for data in parser.feed(chunk)] == [b"a", b"b"]


def test_a_line_that_never_ends_is_refused():
    parser, half = Parser(), b"x" * (MAX_BYTES // 2 + 1)
    parser.feed(b"data: " + half)
    with pytest.raises(TooLarge, match="larger than 64 MiB"):
        parser.feed(half)


def test_an_event_that_never_ends_is_refused():
    parser, line = Parser(), b"data: " + b"x" * (MAX_BYTES // 8) + b"\n"
    for _ in range(7):
        parser.feed(line)
    with pytest.raises(TooLarge):
        parser.feed(line * 2)


def test_many_events_together_may_exceed_the_limit_of_one():
    parser, event = Parser(), b"data: " + b"x" * (MAX_BYTES // 3) + b"\n\n"
    assert sum(len(parser.feed(event)) for _ in range(4)) == 4

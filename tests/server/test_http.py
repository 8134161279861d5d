"""The HTTP layer of the worker: requests, responses and waits for the client."""

from __future__ import annotations

import gc
import socket
import struct
import weakref
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from gevent import socket as gevent_socket
from gunicorn.config import Config
from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import IterUnreader
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketsvc.problems import BadRequest, UnsupportedTransferCoding
from ticketsvc.server.client_wait import ClientTimeout, ClientWait
from ticketsvc.server.request import (
    MAX_DRAIN_BYTES,
    MAX_HEAD_BYTES,
    MAX_SIMPLE_BYTES,
    READ_BYTES,
    RequestBody,
    Requests,
    SimpleRequest,
    environ,
    parse_simple,
    wants_close,
)
from ticketsvc.server.response import Response

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENT = ("203.0.113.9", 4711)
SERVER = ("127.0.0.1", 3000)
ATTRIBUTES = ("method", "uri", "path", "query", "version", "headers", "scheme")


class Source:
    """A socket from which the given bytes are received, packet by packet."""

    def __init__(self, *packets: bytes) -> None:
        self.packets = list(packets)

    def recv(self, size: int) -> bytes:
        if not self.packets:
            return b""
        packet, self.packets[0] = self.packets[0][:size], self.packets[0][size:]
        if not self.packets[0]:
            del self.packets[0]
        return packet


def read_all(parser: Callable[..., Any], packets: list[bytes], config: Config) -> list[Any]:
    """Return the attributes and bodies of all requests of a connection, and the error that ended it, if any."""
    requests: list[Any] = []
    try:
        for request in parser(config, Source(*packets), CLIENT):
            attributes = {name: getattr(request, name) for name in ATTRIBUTES}
            requests.append({**attributes, "should_close": request.should_close(), "body": request.body.read()})
    except Exception as error:  # noqa: BLE001  # both parsers have to raise the same one, whatever it is
        requests.append(type(error))
    return requests


def assert_read_alike(*packets: bytes, **configured: Any) -> None:
    """Check that the service finds the same requests in the bytes of a connection as gunicorn's own parser."""
    config = Config()
    for name, value in configured.items():
        config.set(name, value)
    assert read_all(Requests, list(packets), config) == read_all(RequestParser, list(packets), config)


def read_one(data: bytes) -> Any:
    """Return the first request of a connection."""
    return next(Requests(Config(), Source(data), CLIENT))


GET = b"GET /api/tickets/?search=a%20b HTTP/1.1\r\nHost: x\r\n"
HEADS = [
    GET + b"\r\n",
    GET + b"\r\nGET /next HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}rest",
    b"POST /a HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\n{}",
    *(
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: " + n + b"\r\n\r\n{}"
        for n in (b"", b"+2", b"-1", b"0x2", b"\xb2", b"2, 2", b"2 2", b"02", b"2 \t", b"1" * 25, b"2_0")
    ),
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nrest",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    *(
        method + b" /a HTTP/1.1\r\nHost: x\r\n\r\n"
        for method in (b"PUT", b"TRACE", b"CONNECT", b"M-SEARCH", b"PROPFIND", b"QUERY", b"PLAY", b"PRI", b"AB", b"X_Y")
    ),
    b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
    *(
        b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        for path in (
            b"//evil/a",
            b"///a",
            b"//[x?b",
            b"/a//b",
            b"/a?b?c",
            b"/a#b",
            b"/a?b#c",
            b"http://x/a?b",
            b"*",
            b"a",
            b"/\xff",
            b"/%ff%00",
            b"/a:b@c",
            b"/?",
            b"/[x]",
            b"/a;b=c",
        )
    ),
    *(
        b"GET / " + version + b"\r\nHost: x\r\n\r\n"
        for version in (b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/11", b"http/1.1")
    ),
    *(
        GET + field + b"\r\n\r\n"
        for field in (
            b"Accept: a\r\nAccept: b",
            b"X: a",
            b"X:",
            b"X:  a \t",
            b"X: a: b",
            b"X : a",
            b" X: a",
            b"X",
            b": a",
            b"X_Y: a",
            b"X: a\x00",
            b"X: a\nY: b",
            b"X: \xe9",
            b"\xe9: a",
            b"Host: y",
            b"X-Forwarded-Proto: https",
            b"Connection: close",
            b"Connection: CLOSE",
            b"Connection: Keep-Alive",
            b"Upgrade: h2c",
            b"X: a\r\n b",
            b"X: a\r\n\tb",
            b"X: a\rY: b",
            b"X:\r\nY: b",
            b"X: \t\r\nY:",
            b"X: a\x7f",
            b"X:a",
            b"X(: a",
            b"Content-Type: a\r\nContent-Type: b",
            b"X-Forwarded-Proto: http",
            b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off",
            b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on",
            b"X-Forwarded-For: 1.2.3.4",
            b"Connection: close, x",
            b"Connection: Upgrade\r\nUpgrade: websocket",
            b"Expect: 100-continue",
            b"Expect: other",
            b"Transfer-Encoding: identity",
            b"Transfer-Encoding: gzip, chunked",
        )
    ),
    GET.replace(b"\r\n", b"\n") + b"\n",
    b"\r\n" + GET + b"\r\n",
    b"\n" + GET + b"\r\n",
    b"\r\n\r\n" + GET + b"\r\n",
    b"GET /a\r\n\r\n",
    b"GET /a HTTP/1.1 \r\nHost: x\r\n\r\n",
    b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    GET + b"X: " + b"a" * MAX_SIMPLE_BYTES + b"\r\n\r\n",
    GET + b"".join(b"X%d: y\r\n" % number for number in range(99)) + b"\r\n",
    GET + b"".join(b"X%d: y\r\n" % number for number in range(100)) + b"\r\n",
    b"",
    b"GET / HT",
]


@pytest.mark.parametrize("data", HEADS)
@pytest.mark.parametrize(
    "configured",
    [
        {},
        {"forwarded_allow_ips": "*"},
        {"forwarded_allow_ips": "198.51.100.7,203.0.113.0/24"},
        {"forwarded_allow_ips": ""},
        {"proxy_protocol": "v1"},
    ],
    ids=repr,
)
def test_requests_are_read_as_by_gunicorn(data: bytes, configured: dict[str, Any]) -> None:
    assert_read_alike(data, **configured)


@pytest.mark.parametrize("cut", range(0, 120, 7))
def test_requests_in_two_packets_are_read_as_by_gunicorn(cut: int) -> None:
    data = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{'a': 12}" + GET + b"\r\n" + GET + b"X: y\r\n\r\n"
    assert_read_alike(data[:cut], data[cut:])


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Content-Length: 2\r\nContent-Type: application/json\r\n",
        b"User-Agent: x\r\nAccept: */*\r\nConnection: keep-alive\r\n",
        b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Request-Id: 1\r\nVia: 1.1 router\r\n",
    ],
)
def test_common_requests_use_the_fast_parser(fields: bytes) -> None:
    assert type(read_one(b"POST /api/tickets/?limit=2 HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n")) is SimpleRequest


def test_a_head_near_the_limits_of_gunicorn_is_not_simple() -> None:
    head = b"GET / HTTP/1.1\r\nX: %b\r\n\r\n"
    size = MAX_SIMPLE_BYTES - len(head % b"")
    assert parse_simple(head % (b"a" * size), IterUnreader([]), {})
    assert not parse_simple(head % (b"a" * (size + 1)), IterUnreader([]), {})


PARTS = [
    b"GET",
    b"POST",
    b" ",
    b"/",
    b"/a",
    b"?",
    b"#",
    b"%",
    b"a=b",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"Host: x",
    b"Content-Length: 3",
    b"Transfer-Encoding: chunked",
    b"X-Y: z",
    b"X_Y: z",
    b":",
    b"\t",
    b"\x00",
    b"\x7f",
    b"\xff",
    b"abc",
    b"Connection: close",
    b"Expect: 100-continue",
    b"Upgrade: h2c",
    b"X-Forwarded-Proto: https",
    b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=6), st.lists(st.sampled_from(PARTS), max_size=12))
def test_random_bytes_are_read_as_by_gunicorn(line: list[bytes], fields: list[bytes]) -> None:
    assert_read_alike(b"".join(line + fields))
    assert_read_alike(b"GET /a" + b"".join(line) + b" HTTP/1.1\r\n" + b"".join(fields) + b"\r\n\r\n")
    assert_read_alike(b"POST /a HTTP/1.1\r\nHost: x\r\n" + b"".join(fields) + b"\r\n\r\nabc")


def test_a_connection_leaves_no_cyclic_garbage() -> None:
    """Otherwise thousands of closed connections wait for the garbage collector, which then stops the event loop."""
    requests = Requests(Config(), Source(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), CLIENT)
    next(requests)
    known = weakref.ref(requests)
    gc.disable()
    try:
        del requests
        assert known() is None
    finally:
        gc.enable()


def test_environ_has_the_wsgi_variables() -> None:
    fields = b"Host: x\r\nContent-Length: 2\r\nContent-Type: text/plain\r\nX-A: 1\r\nX-A: 2\r\n"
    request = read_one(b"POST /a%20%c3%bc?q=%20 HTTP/1.1\r\n" + fields + b"\r\n{}")
    variables = environ(request, SERVER, CLIENT, ClientWait({}, CLIENT[0]))
    assert variables.pop("wsgi.input").read() == b"{}"
    assert variables == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a%20%c3%bc",
        "QUERY_STRING": "q=%20",
        "RAW_URI": "/a%20%c3%bc?q=%20",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "3000",
        "REMOTE_ADDR": "203.0.113.9",
        "REMOTE_PORT": "4711",
        "HTTP_HOST": "x",
        "HTTP_X_A": "1,2",
        "CONTENT_LENGTH": "2",
        "CONTENT_TYPE": "text/plain",
        "wsgi.url_scheme": "http",
    }


# --- rules that neither parser checks


def environ_of(data: bytes) -> dict[str, Any]:
    """Return the WSGI variables of the first request of a connection."""
    return environ(read_one(data), SERVER, CLIENT, ClientWait({}, CLIENT[0]))


@pytest.mark.parametrize("extra", [b"", b"Expect: 100-continue\r\n"], ids=["simple", "general"])
@pytest.mark.parametrize(
    ("line", "host", "is_valid"),
    [
        *(
            (b"GET / HTTP/1.1", host, True)
            for host in (b"x", b"x:80", b"x:", b"a-b.example", b"a_b", b"127.0.0.1:3000", b"[::1]:3000", b"X%20y")
        ),
        *(
            (b"GET / HTTP/1.1", host, False)
            for host in (
                b"",
                b"a b",
                b"a/b",
                b"u@a",
                b"a, b",
                b"a,b",
                b"a:b",
                b"[::1",
                b"::1",
                b"a\\b",
                b"a?b",
                b"%zz",
                b":80",
            )
        ),
        (b"GET / HTTP/1.0", b"a b", False),
        (b"GET http://x/ HTTP/1.1", b"y", True),
        (b"GET http://u@x/ HTTP/1.1", b"y", False),
        (b"OPTIONS * HTTP/1.1", b"x", True),
    ],
)
def test_host_must_be_valid(line: bytes, host: bytes, is_valid: bool, extra: bytes) -> None:
    head = line + b"\r\nHost: " + host + b"\r\n" + extra + b"\r\n"
    if is_valid:
        assert environ_of(head)["HTTP_HOST"] in (host.decode(), "x")
    else:
        with pytest.raises(BadRequest, match="host"):
            environ_of(head)


def test_http_1_1_needs_a_host() -> None:
    assert "HTTP_HOST" not in environ_of(b"GET / HTTP/1.0\r\n\r\n")
    for head in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET http://x/ HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
    ):
        with pytest.raises(BadRequest, match="Host"):
            environ_of(head)


def test_an_absolute_target_replaces_the_host() -> None:
    assert environ_of(b"GET http://y:81/a HTTP/1.1\r\nHost: x\r\n\r\n")["HTTP_HOST"] == "y:81"


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"identity, chunked", b"gzip\r\nTransfer-Encoding: chunked"])
def test_another_transfer_coding_is_rejected(coding: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n"
    with pytest.raises(UnsupportedTransferCoding):
        environ_of(head)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (b"", False),
        (b"Connection: keep-alive\r\n", False),
        (b"Connection: closed, TE\r\n", False),
        (b"Connection: close\r\n", True),
        (b"Connection: Close\r\n", True),
        (b"Connection: foo, close\r\n", True),
        (b"Connection: close ,te\r\n", True),
        (b"Connection: te\r\nConnection: close\r\n", True),
        (b"Connection: close\r\nConnection: te\r\n", True),
    ],
)
def test_every_connection_option_counts(fields: bytes, expected: bool) -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n"
    request = read_one(head)
    assert wants_close(request, environ(request, SERVER, CLIENT, ClientWait({}, CLIENT[0]))) is expected


@pytest.mark.parametrize("fields", [4, 90])
def test_the_length_of_a_head_is_limited(fields: int) -> None:
    start = b"GET / HTTP/1.1\r\nHost: x\r\n"
    size = MAX_HEAD_BYTES - len(start) - 2

    def head(size: int) -> bytes:
        sizes = [size // fields + (number < size % fields) for number in range(fields)]
        return start + b"".join(b"A: " + b"a" * (size - 5) + b"\r\n" for size in sizes) + b"\r\n"

    assert len(head(size)) == MAX_HEAD_BYTES
    assert len(environ_of(head(size) + GET)["HTTP_A"]) > MAX_HEAD_BYTES - 1000
    for larger in (size + 1, size + 100_000):
        with pytest.raises(LimitRequestHeaders):
            read_one(head(larger) + GET)


def test_a_request_tells_whether_another_follows() -> None:
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    assert [read_one(data).is_followed for data in (post, post[:-1], post + b"G")] == [False, False, True]


# --- bodies


def chunked(size: int) -> bytes:
    return (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % size
        + b"a" * size
        + b"\r\n0\r\n\r\n"
    )


def announced(size: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size


@pytest.mark.parametrize(
    ("data", "sizes", "is_drainable"),
    [
        (announced(2), [], True),
        (announced(MAX_DRAIN_BYTES), [], True),
        (announced(MAX_DRAIN_BYTES + 1), [], False),
        (announced(MAX_DRAIN_BYTES + 1), [1], True),
        (chunked(2), [], False),
        (chunked(2), [2], False),
        (chunked(2), [3], True),
        (chunked(2), [1, 2], True),
        (chunked(2), [None], True),
        (GET + b"\r\n", [], True),
    ],
)
def test_only_a_small_rest_of_a_body_is_drainable(data: bytes, sizes: list[int | None], is_drainable: bool) -> None:
    body = environ(read_one(data), SERVER, CLIENT, ClientWait({}, CLIENT[0]))["wsgi.input"]
    for size in sizes:
        body.read(size)
    assert body.is_drainable is is_drainable


def body_of(data: bytes, send_continue: Callable[[], object] | None = None) -> RequestBody:
    """Return the body of the first request of a connection."""
    body: RequestBody = environ(read_one(data), SERVER, CLIENT, ClientWait({}, CLIENT[0]), send_continue)["wsgi.input"]
    return body


@pytest.mark.parametrize("data", [announced(2_000_000), chunked(2_000_000)], ids=["announced", "chunked"])
@pytest.mark.parametrize("size", [None, 2_000_000, 3_000_000])
def test_other_greenlets_run_while_a_large_body_is_read(data: bytes, size: int | None) -> None:
    turns = 0

    def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    other = gevent.spawn(count)
    assert body_of(data).read(size) == b"a" * 2_000_000
    other.kill()
    assert turns >= 2_000_000 // READ_BYTES


CHUNKED_HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "chunks",
    [
        b"1\r\na\r\n" * 100_000,
        b"1;a\r\na\r\n" * 100_000,
        b"40;%b\r\n%b\r\n" % (b"x" * 1000, b"a" * 64) * 1000,
        b"80000\r\n%b\r\n" % (b"a" * 0x80000) + b"1\r\na\r\n" * 100_000,
    ],
    ids=["tiny", "with extensions", "long extensions", "tiny after a large one"],
)
def test_framing_out_of_proportion_is_rejected(chunks: bytes) -> None:
    source = Source(CHUNKED_HEAD + chunks)
    body = environ(next(Requests(Config(), source, CLIENT)), SERVER, CLIENT, ClientWait({}, CLIENT[0]))["wsgi.input"]
    with pytest.raises(BadRequest, match="too small"):
        body.read()
    assert len(source.packets[0]) > 250_000, "most of it was read"


@pytest.mark.parametrize(
    "chunks",
    [
        [b"a"] * 1000,
        [b"a" * 16] * 20_000,
        [b"a line of a file, in a chunk of its own\n"] * 20_000,
        [b"a" * 1_000_000, b"b" * 1000, b"c"],
    ],
)
def test_chunks_of_ordinary_size_are_read(chunks: list[bytes]) -> None:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    assert body_of(CHUNKED_HEAD + framed + b"0\r\n\r\n").read() == b"".join(chunks)


@pytest.mark.parametrize(
    "length", [b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"]
)
def test_100_continue_is_sent_before_the_first_read_only(length: bytes) -> None:
    waits: dict[ClientWait, None] = {}
    sent: list[int] = []  # how many waits the client timeout covers while it is sent
    request = read_one(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n" + length)
    wait = ClientWait(waits, CLIENT[0])
    body = environ(request, SERVER, CLIENT, wait, lambda: sent.append(len(waits)))["wsgi.input"]
    assert not sent
    assert not body.is_drainable, "the client has not sent the body and may never do so"
    assert body.read() == b"{}"
    assert body.read() == b""
    assert sent == [1]
    assert body.is_drainable


def test_100_continue_is_not_sent_without_a_body() -> None:
    sent: list[int] = []
    for fields in (b"Expect: 100-continue\r\n", b"Expect: 100-continue\r\nContent-Length: 0\r\n", b""):
        body_of(b"POST / HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n", lambda: sent.append(1)).read()
    assert not sent


# --- responses


class Sink:
    """A socket that records the packets it sends."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.lingers: list[tuple[int, ...]] = []

    def sendall(self, data: bytes) -> None:
        self.packets.append(data)

    def setsockopt(self, level: int, name: int, value: bytes) -> None:
        assert (level, name) == (socket.SOL_SOCKET, socket.SO_LINGER)
        self.lingers.append(struct.unpack("ii", value))


def send(line: bytes, status: str, headers: list[tuple[str, str]], *parts: bytes) -> tuple[Sink, Response]:
    request, wait = read_one(line + b"\r\nHost: x\r\n\r\n"), ClientWait({}, CLIENT[0])
    body = environ(request, SERVER, CLIENT, wait)["wsgi.input"]
    sink = Sink()
    response = Response(request, body, sink, wait, request.should_close())
    response.start_response(status, headers)
    for part in parts:
        response.write(part)
    response.finish()
    return sink, response


def test_a_complete_response_is_one_packet() -> None:
    sink, response = send(b"GET / HTTP/1.1", "200 OK", [("Content-Length", "5")], b"hello")
    (packet,) = sink.packets
    head, _, body = packet.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nDate: ")
    assert head.endswith(b"Connection: keep-alive\r\nContent-Length: 5")
    assert body == b"hello"
    assert not response.must_close


def test_a_response_of_unknown_length_is_chunked() -> None:
    sink, response = send(b"GET / HTTP/1.1", "200 OK", [], b"hello", b"", b"you")
    assert sink.packets[0].partition(b"\r\n\r\n")[2] == b"5\r\nhello\r\n"
    assert sink.packets[1:] == [b"3\r\nyou\r\n", b"0\r\n\r\n"]
    assert b"\r\nTransfer-Encoding: chunked\r\n" in sink.packets[0]
    assert not response.must_close
    assert sink.lingers == [(1, 0), (0, 0)]


def test_a_response_that_breaks_off_resets_the_connection() -> None:
    """Whatever ends the process or the greenlet before `finish`, the kernel resets the connection."""
    sink, response = send(b"GET / HTTP/1.0", "200 OK", [], b"hello")
    assert sink.lingers == [(1, 0), (0, 0)]
    response.start_response("200 OK", [])
    response.write(b"hello")
    assert sink.lingers[-1] == (1, 0)


def test_http_1_0_gets_no_chunks_and_the_connection_closes() -> None:
    sink, response = send(b"GET / HTTP/1.0", "200 OK", [], b"hello", b"you")
    assert b"".join(sink.packets).endswith(b"\r\n\r\nhelloyou")
    assert b"Connection: close\r\n" in sink.packets[0]
    assert response.must_close


@pytest.mark.parametrize(
    ("line", "status"),
    [(b"HEAD / HTTP/1.1", "200 OK"), (b"GET / HTTP/1.1", "304 NOT MODIFIED"), (b"DELETE / HTTP/1.1", "204 NO CONTENT")],
)
def test_head_204_and_304_have_no_body(line: bytes, status: str) -> None:
    sink, response = send(line, status, [], b"ignored")
    assert len(sink.packets) == 1
    assert sink.packets[0].endswith(b"\r\n\r\n")
    assert b"chunked" not in sink.packets[0]
    assert not response.must_close


def test_an_empty_body_keeps_the_connection() -> None:
    sink, response = send(b"GET / HTTP/1.1", "200 OK", [("Content-Length", "0")])
    assert len(sink.packets) == 1
    assert not response.must_close


def test_a_body_longer_than_announced_is_cut() -> None:
    sink, _ = send(b"GET / HTTP/1.1", "200 OK", [("Content-Length", "2")], b"hello", b"you")
    assert b"".join(sink.packets).endswith(b"\r\n\r\nhe")


def test_a_body_shorter_than_announced_closes_the_connection() -> None:
    assert send(b"GET / HTTP/1.1", "200 OK", [("Content-Length", "9")], b"hello")[1].must_close


@pytest.mark.parametrize(
    "field", [("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "\x00"), ("X Y", "a"), ("", "a"), ("X", "\u2028")]
)
def test_an_invalid_response_field_raises_value_error(field: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="not valid HTTP"):
        send(b"GET / HTTP/1.1", "200 OK", [field])


# --- waits for the client


def test_cancel_raises_client_timeout_in_the_wait() -> None:
    here, there = gevent_socket.socketpair()
    active_waits: dict[ClientWait, None] = {}

    def receive() -> type[BaseException] | None:
        try:
            with ClientWait(active_waits, CLIENT[0]):
                here.recv(1)
        except ClientTimeout as timeout:
            return type(timeout)
        return None

    greenlet = gevent.spawn(receive)
    gevent.sleep(0)
    (wait,) = active_waits
    assert wait.elapsed() >= 0
    wait.cancel()
    assert greenlet.get() is ClientTimeout
    assert not active_waits
    here.close()
    there.close()


def test_cancel_does_not_end_a_later_wait() -> None:
    here, there = gevent_socket.socketpair()
    active_waits: dict[ClientWait, None] = {}
    received: list[bytes] = []

    def receive_twice() -> None:
        wait = ClientWait(active_waits, CLIENT[0])
        for _ in range(2):
            with wait:
                received.append(here.recv(1))

    greenlet = gevent.spawn(receive_twice)
    gevent.sleep(0)
    (wait,) = active_waits
    there.sendall(b"a")
    while not received or wait not in active_waits:  # until the second wait has begun
        gevent.sleep(0)
    wait._cancel(started=-1.0)  # as if the first wait had been cancelled just before it ended
    there.sendall(b"b")
    greenlet.get()
    assert received == [b"a", b"b"]
    here.close()
    there.close()

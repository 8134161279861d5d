"""The worker's own reading of requests, writing of answers and patience with silent clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gevent
import pytest
from gevent import socket as gevent_socket
from gunicorn.config import Config
from gunicorn.http import message
from gunicorn.http.unreader import IterUnreader
from hypothesis import given
from hypothesis import strategies as st

from ticketsvc.server.client_wait import ClientTimeout, Patience
from ticketsvc.server.request import LONGEST_PLAIN_HEAD, Request, environ
from ticketsvc.server.response import Response

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENT = ("203.0.113.9", 4711)
SERVER = ("127.0.0.1", 3000)
ATTRIBUTES = ("method", "uri", "path", "query", "version", "headers", "scheme", "must_close", "_expected_100_continue")


def read(kind: Callable[..., Any], data: bytes, config: Config) -> Any:
    """What a class of request makes of the bytes of a connection: attributes, body and rest, or an error."""
    unreader = IterUnreader([data])
    try:
        request = kind(config, unreader, CLIENT)
        body = request.body.read()
        return {**{name: getattr(request, name) for name in ATTRIBUTES}, "body": body, "rest": unreader.read()}
    except Exception as error:  # noqa: BLE001  # whatever it is, both have to raise it
        return type(error)


def assert_read_alike(data: bytes, **settings: Any) -> None:
    config = Config()
    for name, value in settings.items():
        config.set(name, value)
    assert read(Request, data, config) == read(message.Request, data, config)


GET = b"GET /api/tickets/?search=a%20b HTTP/1.1\r\nHost: x\r\n"
HEADS = [
    GET + b"\r\n",
    GET + b"\r\nGET /next HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}rest",
    b"POST /a HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\n{}",
    *(
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: " + n + b"\r\n\r\n{}"
        for n in (b"", b"+2", b"-1", b"0x2", b"\xb2", b"2, 2", b"2 2")
    ),
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nrest",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    b"PUT /a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
    *(
        b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        for path in (
            b"//evil/a",
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
            b"Connection: Keep-Alive",
            b"Upgrade: h2c",
            b"X: a\r\n folded",
        )
    ),
    GET.replace(b"\r\n", b"\n") + b"\n",
    b"\r\n" + GET + b"\r\n",
    GET + b"X: " + b"a" * LONGEST_PLAIN_HEAD + b"\r\n\r\n",
    GET + b"".join(b"X%d: y\r\n" % number for number in range(99)) + b"\r\n",
    GET + b"".join(b"X%d: y\r\n" % number for number in range(100)) + b"\r\n",
    b"",
    b"GET / HT",
]


@pytest.mark.parametrize("data", HEADS)
@pytest.mark.parametrize("settings", [{}, {"forwarded_allow_ips": "*"}, {"proxy_protocol": "v1"}], ids=repr)
def test_it_reads_a_request_as_gunicorn_does(data: bytes, settings: dict[str, Any]) -> None:
    assert_read_alike(data, **settings)


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
]


@given(st.lists(st.sampled_from(PARTS), max_size=6), st.lists(st.sampled_from(PARTS), max_size=12))
def test_it_reads_anything_as_gunicorn_does(line: list[bytes], fields: list[bytes]) -> None:
    assert_read_alike(b"".join(line + fields))
    assert_read_alike(b"GET /a" + b"".join(line) + b" HTTP/1.1\r\n" + b"".join(fields) + b"\r\n\r\n")
    assert_read_alike(b"POST /a HTTP/1.1\r\nHost: x\r\n" + b"".join(fields) + b"\r\n\r\nabc")


def test_the_environment_has_what_wsgi_says() -> None:
    fields = b"Host: x\r\nContent-Length: 2\r\nContent-Type: text/plain\r\nX-A: 1\r\nX-A: 2\r\n"
    data = b"POST /a%20%c3%bc?q=%20 HTTP/1.1\r\n" + fields + b"\r\n{}"
    request = Request(Config(), IterUnreader([data]), CLIENT)
    found = environ(request, SERVER, CLIENT, Patience(set()))
    assert found.pop("wsgi.input").read() == b"{}"
    assert found == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a \xc3\xbc",
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


# --- answers


class Wire:
    """Takes what is sent, packet by packet."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.packets.append(data)


def send(line: bytes, status: str, headers: list[tuple[str, str]], *parts: bytes) -> tuple[Wire, Response]:
    request = Request(Config(), IterUnreader([line + b"\r\nHost: x\r\n\r\n"]), CLIENT)
    wire = Wire()
    response = Response(request, wire, Patience(set()), must_close=False)
    response.start_response(status, headers)
    for part in parts:
        response.write(part)
    response.finish()
    return wire, response


def test_an_answer_is_one_packet() -> None:
    wire, response = send(b"GET / HTTP/1.1", "200 OK", [("Content-Length", "5")], b"hello")
    (packet,) = wire.packets
    head, _, body = packet.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nDate: ")
    assert head.endswith(b"Connection: keep-alive\r\nContent-Length: 5")
    assert body == b"hello"
    assert not response.must_close


def test_an_answer_of_unknown_length_is_chunked() -> None:
    wire, response = send(b"GET / HTTP/1.1", "200 OK", [], b"hello", b"", b"you")
    assert wire.packets[0].partition(b"\r\n\r\n")[2] == b"5\r\nhello\r\n"
    assert wire.packets[1:] == [b"3\r\nyou\r\n", b"0\r\n\r\n"]
    assert b"\r\nTransfer-Encoding: chunked\r\n" in wire.packets[0]
    assert not response.must_close


def test_an_older_client_gets_it_until_the_connection_is_closed() -> None:
    wire, response = send(b"GET / HTTP/1.0", "200 OK", [], b"hello", b"you")
    assert b"".join(wire.packets).endswith(b"\r\n\r\nhelloyou")
    assert b"Connection: close\r\n" in wire.packets[0]
    assert response.must_close


@pytest.mark.parametrize(
    ("line", "status"),
    [(b"HEAD / HTTP/1.1", "200 OK"), (b"GET / HTTP/1.1", "304 NOT MODIFIED"), (b"DELETE / HTTP/1.1", "204 NO CONTENT")],
)
def test_an_answer_without_a_body_has_none(line: bytes, status: str) -> None:
    wire, response = send(line, status, [], b"ignored")
    assert len(wire.packets) == 1
    assert wire.packets[0].endswith(b"\r\n\r\n")
    assert b"chunked" not in wire.packets[0]
    assert not response.must_close


def test_an_empty_body_works() -> None:
    wire, response = send(b"GET / HTTP/1.1", "200 OK", [("Content-Length", "0")])
    assert len(wire.packets) == 1
    assert not response.must_close


def test_a_body_that_is_longer_than_announced_is_cut() -> None:
    wire, _ = send(b"GET / HTTP/1.1", "200 OK", [("Content-Length", "2")], b"hello", b"you")
    assert b"".join(wire.packets).endswith(b"\r\n\r\nhe")


def test_after_a_body_that_is_shorter_than_announced_the_connection_is_closed() -> None:
    assert send(b"GET / HTTP/1.1", "200 OK", [("Content-Length", "9")], b"hello")[1].must_close


@pytest.mark.parametrize(
    "field", [("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "\x00"), ("X Y", "a"), ("", "a"), ("X", "\u2028")]
)
def test_it_refuses_to_send_a_field_that_breaks_http(field: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="breaks HTTP"):
        send(b"GET / HTTP/1.1", "200 OK", [field])


# --- patience


def test_a_wait_is_ended() -> None:
    here, there = gevent_socket.socketpair()
    waiting: set[Patience] = set()

    def wait() -> type[BaseException] | None:
        patience = Patience(waiting)
        try:
            with patience:
                here.recv(1)
        except ClientTimeout as silence:
            return type(silence)
        return None

    greenlet = gevent.spawn(wait)
    gevent.sleep(0)
    (patience,) = waiting
    assert patience.lasted() >= 0
    patience.end()
    assert greenlet.get() is ClientTimeout
    assert not waiting
    here.close()
    there.close()


def test_a_wait_that_is_over_is_not_ended() -> None:
    here, there = gevent_socket.socketpair()
    waiting: set[Patience] = set()

    def wait_twice() -> bytes:
        patience = Patience(waiting)
        with patience:
            first = here.recv(1)
        with patience:
            return bytes(first + here.recv(1))

    greenlet = gevent.spawn(wait_twice)
    gevent.sleep(0)
    (patience,) = waiting
    there.sendall(b"a")
    gevent.sleep(0.01)  # the first wait is over, the second has begun
    patience._end(since=-1.0)  # what was meant for another wait
    there.sendall(b"b")
    assert greenlet.get() == b"ab"
    here.close()
    there.close()

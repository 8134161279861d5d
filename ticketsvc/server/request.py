"""Requests of a connection: llhttp reads the simple heads, gunicorn everything else.

llhttp (httptools) parses a head in half the time of gunicorn's parser. Its result counts only for a head that both
understand alike; any other head is left to gunicorn, which accepts the rare forms and refuses the malformed ones.
docs/decisions/http-head-parser.md has the measurements. What neither parser checks, `environ` does for both.
"""

from __future__ import annotations

import re
from functools import lru_cache
from io import BytesIO
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import gevent
from gunicorn.http import message
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.errors import InvalidChunkSize, LimitRequestHeaders, ParseException
from gunicorn.http.parser import RequestParser
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from ticketsvc.problems import BadRequest, UnsupportedTransferCoding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ticketsvc.server.client_wait import ClientWait

MAX_SIMPLE_BYTES = 8_000
"""Length of a simple head; below gunicorn's limits on the request line and on each field."""
MAX_SIMPLE_FIELDS = 50
MAX_HEAD_BYTES = 32_768
"""Length of any head. Reading one of this length takes a few milliseconds."""

READ_BYTES = 65_536
"""A body is read in pieces of this size. Between two of them other greenlets run."""
FREE_FRAMING_BYTES = 4_096
"""Limit of the bytes between chunks (sizes, extensions) at first; after that they may be a quarter of the content."""

MAX_DRAIN_BYTES = 65_536
"""An unread body up to this size is read, to keep the connection; after a larger one the connection is closed."""

_UNUSUAL_FIELDS = frozenset({"TRANSFER-ENCODING", "EXPECT", "UPGRADE"})
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|(%[0-9A-Fa-f]{2}|[A-Za-z0-9._~!$&'()*+;=-])+)(:[0-9]*)?")
_is_host = lru_cache(256)(_HOST.fullmatch)


class SimpleRequest:
    """A request with a simple head. Has those attributes of gunicorn's Request that the service uses.

    `is_followed` is true if a part of the next request has been received with it.
    """

    version = (1, 1)

    def __init__(
        self, method: str, uri: str, fields: dict[str, str], scheme: str, body: Body | BytesIO, is_followed: bool
    ) -> None:
        self.method = method
        self.uri = uri
        self.path, _, self.query = uri.partition("?")
        self.headers = list(fields.items())
        self.scheme = scheme
        self.body = body
        self.is_followed = is_followed
        self._is_last = fields.get("CONNECTION", "").lower() == "close"

    def should_close(self) -> bool:
        """Return whether the client asked to close the connection after the response."""
        return self._is_last


class Requests(RequestParser):  # type: ignore[misc]  # gunicorn has no types
    """Iterator over the requests of one connection. Raises gunicorn's errors for a malformed request."""

    def __init__(self, cfg: Any, sock: Any, peer: tuple[str, int]) -> None:
        super().__init__(cfg, sock, peer)
        is_trusted = is_trusted_proxy(peer[0], tuple(cfg.forwarded_allow_ips))
        self._scheme_fields = cfg.secure_scheme_headers if is_trusted else {}

    # gunicorn has a class here. As an attribute of the object this method would make it refer to itself, and what each
    # closed connection leaves would wait for the garbage collector, which then stops the event loop for 0.3 s.
    def mesg_class(self, cfg: Any, unreader: Any, peer: tuple[str, int], number: int) -> Any:
        """Return the next request. Raises StopIteration at the end of the connection."""
        data = unreader.read()
        if not data:
            raise StopIteration
        if request := parse_simple(data, unreader, self._scheme_fields):
            return request
        unreader.unread(data)
        return _GeneralRequest(cfg, unreader, peer, number)


class _GeneralRequest(message.Request):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's request, with a limit on the length of its head and one on the framing of its chunks."""

    body: Body
    is_followed = True  # or not, but such requests are rare

    def parse(self, unreader: Any) -> bytes:
        """Read the head and return what follows it. Raises gunicorn's errors."""
        self.max_buffer_headers = MAX_HEAD_BYTES  # gunicorn checks it only before it reads more
        self._received = 0
        rest: bytes = super().parse(unreader)
        if self._received - len(rest) > MAX_HEAD_BYTES:
            raise LimitRequestHeaders("head")
        return rest

    def read_into(self, unreader: Any, buf: bytearray, stop: bool = False) -> None:
        """Append what is received to `buf`."""
        before = len(buf)
        super().read_into(unreader, buf, stop)
        self._received += len(buf) - before

    def set_body_reader(self) -> None:
        """Choose how the body is read. Raises gunicorn's errors."""
        super().set_body_reader()
        if isinstance(self.body.reader, ChunkedReader):
            self.body = Body(_FrugalChunkedReader(self, self.unreader))


class _FrugalChunkedReader(ChunkedReader):  # type: ignore[misc]  # gunicorn has no types
    """Refuses tiny chunks and long extensions: reading them costs far more than their content.

    The credit grows with the content and shrinks four times as fast with the lines that frame it. It is limited, so
    that no large chunk pays for many tiny ones after it.
    """

    def __init__(self, request: Any, unreader: Any) -> None:
        super().__init__(request, unreader)
        self._credit = 4 * FREE_FRAMING_BYTES

    def parse_chunk_size(self, unreader: Any, data: bytes | None = None) -> tuple[int, bytes | None]:
        """Return the size of the next chunk and what follows the line. Raises gunicorn's errors."""
        self._received = len(data or b"")
        size, rest = super().parse_chunk_size(unreader, data)
        if rest is not None:
            self._credit += size - 4 * (self._received - len(rest))
            if self._credit < 0:
                raise ChunksTooSmall(b"")
            self._credit = min(self._credit, 4 * FREE_FRAMING_BYTES)
        return size, rest

    def read_into(self, unreader: Any, buf: bytearray) -> None:
        """Append what is received to `buf`."""
        before = len(buf)
        super().read_into(unreader, buf)
        self._received += len(buf) - before


class ChunksTooSmall(InvalidChunkSize):  # type: ignore[misc]  # gunicorn has no types
    """The lines between the chunks are out of proportion to their content."""


@lru_cache(1024)
def is_trusted_proxy(address: str, proxies: tuple[str, ...]) -> bool:
    """Return whether the peer is a proxy that may report the scheme. `proxies` is gunicorn's `forwarded_allow_ips`."""
    return "*" in proxies or any(ip_address(address) in ip_network(proxy) for proxy in proxies)


class _Head:
    """The callbacks of httptools: collects the target and the fields of a head."""

    def __init__(self) -> None:
        self.target = b""
        self.fields: list[tuple[bytes, bytes]] = []

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))


def parse_simple(data: bytes, unreader: Any, scheme_fields: Mapping[str, str]) -> SimpleRequest | None:
    """Parse the head at the start of `data` and leave the rest to `unreader`. Returns None if the head is not simple.

    `scheme_fields` maps each field in which a trusted proxy reports the scheme to the value that means https.
    """
    end = data.find(b"\r\n\r\n") + 4
    if not 4 <= end <= MAX_SIMPLE_BYTES:
        return None
    head = _Head()
    parser = HttpRequestParser(head)
    try:
        parser.feed_data(data[:end])
    except (HttpParserError, HttpParserUpgrade):
        return None
    method, target = parser.get_method(), head.target
    # llhttp skips empty lines before the request line and additional spaces in it: compare with the original.
    if not data.startswith(b"%b %b HTTP/1.1\r\n" % (method, target)):
        return None
    if not target.startswith(b"/") or b"#" in target:
        return None
    fields = {name.decode().upper(): value.decode("latin-1").rstrip(" \t") for name, value in head.fields}
    if not len(fields) == len(head.fields) <= MAX_SIMPLE_FIELDS:
        return None
    names = fields.keys()
    reported = names & scheme_fields.keys()
    if names & _UNUSUAL_FIELDS or "_" in "".join(names) or len(reported) > 1:
        return None
    scheme = "https" if any(fields[name] == scheme_fields[name] for name in reported) else "http"
    end_of_body = end + int(fields.get("CONTENT-LENGTH", 0))
    if end_of_body <= len(data):
        body, rest = BytesIO(data[end:end_of_body]), data[end_of_body:]
    else:
        body, rest = Body(LengthReader(unreader, end_of_body - end)), data[end:]
    if rest:
        unreader.unread(rest)
    return SimpleRequest(method.decode(), target.decode(), fields, scheme, body, end_of_body < len(data))


class RequestBody:
    """The body of a request, as the `wsgi.input` of a WSGI environment.

    `send_continue` is set if the client waits for 100 Continue before it sends the body.
    """

    def __init__(
        self,
        body: Body | BytesIO,
        length: int | None,
        wait: ClientWait,
        send_continue: Callable[[], object] | None = None,
    ) -> None:
        self._body = body
        self._left = length  # None: chunked, and not read to its end
        self._wait = wait
        self._send_continue = send_continue

    def read(self, size: int | None = None) -> bytes:
        """Read `size` bytes, or fewer at the end. Raises BadRequest if the body is malformed or incomplete.

        The client timeout applies to the whole of it.
        """
        try:
            with self._wait:
                if self._send_continue and self._left != 0:
                    send_continue, self._send_continue = self._send_continue, None
                    send_continue()
                data = self._read(size)
        except ChunksTooSmall as error:
            raise BadRequest("The chunks of the body are too small, or their extensions too long.") from error
        except (ParseException, OSError) as error:
            raise BadRequest("The body cannot be read: it ends early, or its chunks are wrong.") from error
        if self._left is not None:
            self._left -= len(data)
        elif size is None or len(data) < size:
            self._left = 0
        return data

    def _read(self, size: int | None) -> bytes:
        if size is not None and size <= READ_BYTES:
            data: bytes = self._body.read(size)
            return data
        parts: list[bytes] = []
        left = size
        while left is None or left > 0:
            wanted = READ_BYTES if left is None else min(left, READ_BYTES)
            parts.append(self._body.read(wanted))
            if len(parts[-1]) < wanted:
                break
            left = None if left is None else left - wanted
            gevent.sleep(0)  # gevent's recv() does not yield while data is there
        return b"".join(parts)

    @property
    def is_drainable(self) -> bool:
        """True if the unread rest is small enough to be read, and comes without a 100 Continue.

        The rest of a chunked body may have any size.
        """
        return not self._send_continue and self._left is not None and self._left <= MAX_DRAIN_BYTES


def environ(
    request: Any,
    server: tuple[str, int],
    client: tuple[str, int],
    wait: ClientWait,
    send_continue: Callable[[], object] | None = None,
) -> dict[str, Any]:
    """Return the part of a WSGI environment that depends on the request (PEP 3333).

    PATH_INFO is not decoded, unlike in PEP 3333: no route needs an encoded character, and rules for paths in a proxy
    must not be bypassed by another spelling. Raises BadRequest and UnsupportedTransferCoding.
    """
    result: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "RAW_URI": request.uri,
        "SERVER_PROTOCOL": f"HTTP/{request.version[0]}.{request.version[1]}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.url_scheme": request.scheme,
    }
    for name, value in request.headers:
        key = name.replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        result[key] = f"{result[key]},{value}" if key in result else value  # RFC 9110 section 5.3
    _check_host(request, result)
    length: int | None = int(result.get("CONTENT_LENGTH", 0))
    if "HTTP_TRANSFER_ENCODING" in result:
        length = None
        if result["HTTP_TRANSFER_ENCODING"].lower() != "chunked":
            raise UnsupportedTransferCoding("The only transfer coding that the service decodes is chunked.")
    if "HTTP_EXPECT" not in result or request.version < (1, 1):  # gunicorn accepts only 100-continue
        send_continue = None
    result["wsgi.input"] = RequestBody(request.body, length, wait, send_continue)
    return result


def _check_host(request: Any, variables: dict[str, Any]) -> None:
    """Check the Host field, or replace it by the authority of an absolute target (RFC 9112 section 3.2)."""
    host = variables.get("HTTP_HOST")
    if host is None:
        if request.version >= (1, 1):
            raise BadRequest("A request of HTTP/1.1 needs a Host field.")
    elif not _is_host(host):
        raise BadRequest("The Host field must name a host, and optionally a port.")
    if not request.uri.startswith("/") and (authority := urlsplit(request.uri).netloc):
        if not _is_host(authority):
            raise BadRequest("The target of the request must name a host, and optionally a port.")
        variables["HTTP_HOST"] = authority


def wants_close(request: Any, variables: dict[str, Any]) -> bool:
    """Return whether the client asked to close the connection after the response (RFC 9112 section 9.6)."""
    if request.should_close():
        return True
    options = variables.get("HTTP_CONNECTION", "")
    return "," in options and "close" in [option.strip(" \t") for option in options.lower().split(",")]

"""Requests of a connection: llhttp reads the simple heads, gunicorn everything else.

llhttp (httptools) parses a head in half the time of gunicorn's parser. Its result counts only for a head that both
understand alike; any other head is left to gunicorn, which accepts the rare forms and refuses the malformed ones.
docs/decisions/http-head-parser.md has the measurements.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from gunicorn.http import message
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from ticketsvc.problems import BadRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketsvc.server.client_wait import ClientWait

MAX_SIMPLE_BYTES = 8_000
"""Length of a simple head; below gunicorn's limits on the request line and on each field."""
MAX_SIMPLE_FIELDS = 50

MAX_DRAIN_BYTES = 65_536
"""An unread body up to this size is read, to keep the connection; after a larger one the connection is closed."""

_UNUSUAL_FIELDS = frozenset({"TRANSFER-ENCODING", "EXPECT", "UPGRADE"})


class SimpleRequest:
    """A request with a simple head. Has those attributes of gunicorn's Request that the service uses."""

    version = (1, 1)

    def __init__(self, method: str, uri: str, fields: dict[str, str], scheme: str, body: Body) -> None:
        self.method = method
        self.uri = uri
        self.path, _, self.query = uri.partition("?")
        self.headers = list(fields.items())
        self.scheme = scheme
        self.body = body
        self._is_last = fields.get("CONNECTION", "").lower() == "close"

    def should_close(self) -> bool:
        """Return whether the client asked to close the connection after the response."""
        return self._is_last


class Requests(RequestParser):  # type: ignore[misc]  # gunicorn has no types
    """Iterator over the requests of one connection. Raises gunicorn's errors for a malformed request."""

    def __init__(self, cfg: Any, sock: Any, peer: tuple[str, int]) -> None:
        super().__init__(cfg, sock, peer)
        self.mesg_class = self._read_request
        is_trusted = _is_trusted_proxy(peer[0], tuple(cfg.forwarded_allow_ips))
        self._scheme_fields = cfg.secure_scheme_headers if is_trusted else {}

    def _read_request(self, cfg: Any, unreader: Any, peer: tuple[str, int], number: int) -> Any:
        data = unreader.read()
        if not data:
            raise StopIteration
        if request := parse_simple(data, unreader, self._scheme_fields):
            return request
        unreader.unread(data)
        return message.Request(cfg, unreader, peer, number)


@lru_cache(1024)
def _is_trusted_proxy(address: str, proxies: tuple[str, ...]) -> bool:
    """Return whether the peer may report the client's scheme. `proxies` is gunicorn's `forwarded_allow_ips`."""
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
    if end < len(data):
        unreader.unread(data[end:])
    body = Body(LengthReader(unreader, int(fields.get("CONTENT-LENGTH", 0))))
    return SimpleRequest(method.decode(), target.decode(), fields, scheme, body)


class RequestBody:
    """The body of a request, as the `wsgi.input` of a WSGI environment."""

    def __init__(self, body: Body, length: int | None, wait: ClientWait) -> None:
        self._body = body
        self._left = length  # None: chunked, and not read to its end
        self._wait = wait

    def read(self, size: int | None = None) -> bytes:
        """Read `size` bytes, or fewer at the end. Raises BadRequest if the body is malformed or incomplete."""
        try:
            with self._wait:
                data: bytes = self._body.read(size)
        except (ParseException, OSError) as error:
            raise BadRequest("The body cannot be read: it ends early, or its chunks are wrong.") from error
        if self._left is not None:
            self._left -= len(data)
        elif size is None or len(data) < size:
            self._left = 0
        return data

    @property
    def is_drainable(self) -> bool:
        """True if the unread rest is small enough to be read. The rest of a chunked body may have any size."""
        return self._left is not None and self._left <= MAX_DRAIN_BYTES


def environ(request: Any, server: tuple[str, int], client: tuple[str, int], wait: ClientWait) -> dict[str, Any]:
    """Return the part of a WSGI environment that depends on the request (PEP 3333)."""
    result: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _decode_path(request.path),
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
    length = None if "HTTP_TRANSFER_ENCODING" in result else int(result.get("CONTENT_LENGTH", 0))
    result["wsgi.input"] = RequestBody(request.body, length, wait)
    return result


def _decode_path(path: str) -> str:
    return unquote_to_bytes(path).decode("latin-1") if "%" in path else path

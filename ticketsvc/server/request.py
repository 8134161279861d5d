"""A request as gunicorn reads it, with a shorter way for the heads that nearly all requests have.

A head without anything unusual in it is matched by one regular expression; whatever that does not match is left to
gunicorn, which takes the rare forms and refuses the wrong ones. Both ways read the same from the same bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from gunicorn.http import message
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from ticketsvc.problems import BadRequest

if TYPE_CHECKING:
    from ticketsvc.server.client_wait import Patience

LONGEST_PLAIN_HEAD = 8_000
"""Bytes; below all of gunicorn's limits on lines and fields."""
MOST_PLAIN_FIELDS = 50
MAX_DRAIN_BYTES = 65_536
"""Bytes of a body that are read only to get to the next request of the connection; after more it is closed."""

# RFC 9112 section 3 (origin-form) and RFC 9110 section 5; without "_" in names, which needs a decision of gunicorn's.
_PLAIN_HEAD = re.compile(
    r"(GET|HEAD|POST|PATCH|DELETE|OPTIONS) ((/(?!/)[!\"$->@-~]*)(?:\?([!\"$-~]*))?) HTTP/1\.1\r\n"
    r"((?:[!#$%&'*+\-.^`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)+)\r\n"
)
_NEEDS_GUNICORN = {"TRANSFER-ENCODING", "EXPECT", "UPGRADE"}


class Request(message.Request):  # type: ignore[misc]  # gunicorn has no types
    """One request of a connection. `headers` are pairs of upper-case names and values."""

    def parse(self, unreader: Any) -> bytes:
        """Read the head; return what came after it. Raises gunicorn's errors."""
        data = unreader.read()
        if not data:
            raise StopIteration
        plain = _PLAIN_HEAD.match(data.decode("latin-1")) if self.cfg.proxy_protocol == "off" else None
        if plain and plain.end() <= LONGEST_PLAIN_HEAD and self._take(plain):
            rest: bytes = data[plain.end() :]
            return rest
        unreader.unread(data)
        return super().parse(unreader)  # type: ignore[no-any-return]

    @property
    def has_undrained_body(self) -> bool:
        """Whether more of its body is left than is worth reading; of chunks nobody knows how many will come."""
        reader = self.body.reader
        return getattr(reader, "length", 0) > MAX_DRAIN_BYTES or getattr(reader, "parser", None) is not None

    def _take(self, head: re.Match[str]) -> bool:
        pairs = [line.split(":", 1) for line in head[5].split("\r\n")[:-1]]
        fields = {name.upper(): value.strip(" \t") for name, value in pairs}
        if not len(pairs) == len(fields) <= MOST_PLAIN_FIELDS or fields.keys() & _NEEDS_GUNICORN:
            return False
        if fields.keys() & self.cfg.secure_scheme_headers.keys() or not fields.get("CONTENT-LENGTH", "0").isdecimal():
            return False
        self.method, self.uri, self.path, self.query, self.fragment = head[1], head[2], head[3], head[4] or "", ""
        self.version, self.headers = (1, 1), list(fields.items())
        return True


class Requests(RequestParser):  # type: ignore[misc]
    """The requests of one connection."""

    mesg_class = Request


class RequestBody:
    """A request's body. Reading it raises BadRequest where it is not as HTTP says, or ends early."""

    def __init__(self, body: Any, patience: Patience) -> None:
        self._body = body
        self._patience = patience

    def read(self, size: int | None = None) -> bytes:
        """Read bytes, fewer than `size` only at the end."""
        try:
            with self._patience:
                data: bytes = self._body.read(size)
        except (ParseException, OSError) as error:
            raise BadRequest("The body cannot be read: it ends early, or its chunks are wrong.") from error
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)


def environ(request: Request, server: tuple[str, int], client: tuple[str, int], patience: Patience) -> dict[str, Any]:
    """The request's part of a WSGI environment (PEP 3333)."""
    found: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _path(request.path),
        "QUERY_STRING": request.query,
        "RAW_URI": request.uri,
        "SERVER_PROTOCOL": f"HTTP/{request.version[0]}.{request.version[1]}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": RequestBody(request.body, patience),
    }
    for name, value in request.headers:
        key = name.replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        found[key] = f"{found[key]},{value}" if key in found else value  # RFC 9110 section 5.3
    return found


def _path(raw: str) -> str:
    return unquote_to_bytes(raw).decode("latin-1") if "%" in raw else raw

"""An answer on its way to the client: head and body in one packet where the body is there at once."""

from __future__ import annotations

import re
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from ticketsvc.server.client_wait import Patience
    from ticketsvc.server.request import Request

_FIELDS = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*\r\n)*")


class Response:
    """What a WSGI application answers to one request (PEP 3333), written to a socket.

    An answer without a Content-Length is sent in chunks (RFC 9112 section 7.1), to an older client until the
    connection is closed.
    """

    def __init__(self, request: Request, sock: Any, patience: Patience, must_close: bool) -> None:
        self._request = request
        self._sock = sock
        self._patience = patience
        self._head = b""
        self._left: int | None = None
        self._has_body = request.method != "HEAD"
        self._is_chunked = False
        self.is_started = False
        self.must_close = must_close or request.should_close()

    def start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
    ) -> Any:
        """Take the head; it goes out with the first bytes of the body. Raises what went wrong after it was sent."""
        if exc_info and exc_info[1] and self.is_started:
            raise exc_info[1]
        fields = "".join([f"{name}: {value}\r\n" for name, value in headers])
        if not _FIELDS.fullmatch(fields) or fields.count("\r\n") != len(headers):
            raise ValueError("a header field of the answer breaks HTTP")
        self.must_close = self.must_close or self._request.has_undrained_body
        self._left = next((int(value) for name, value in headers if name.lower() == "content-length"), None)
        self._has_body = self._has_body and status[:3] not in ("204", "304")
        self._head = f"HTTP/1.1 {status}\r\nDate: {now()}\r\n{self._framing()}{fields}\r\n".encode("latin-1")
        return self.write

    def _framing(self) -> str:
        if self._has_body and self._left is None:
            self._is_chunked = self._request.version >= (1, 1)
            self.must_close = self.must_close or not self._is_chunked
        connection = "close" if self.must_close else "keep-alive"
        return f"Connection: {connection}\r\n" + ("Transfer-Encoding: chunked\r\n" if self._is_chunked else "")

    def write(self, data: bytes) -> None:
        """Send a part of the body. Raises OSError when the client is gone."""
        if not self._has_body:
            return
        if self._is_chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        elif self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        if data:
            self._send(data)

    def finish(self) -> None:
        """Send what was not sent yet. After a body that was shorter than announced the connection has to be closed."""
        if not self.is_started or self._is_chunked:
            self._send(b"0\r\n\r\n" if self._is_chunked else b"")
        self.must_close = self.must_close or bool(self._has_body and self._left)

    def _send(self, data: bytes) -> None:
        head, self._head, self.is_started = self._head, b"", True
        with self._patience:
            self._sock.sendall(head + data if head else data)


_date = (0, "")


def now() -> str:
    """The time as an HTTP date (RFC 9110 section 5.6.7), written once a second."""
    global _date
    second = int(time.time())
    if _date[0] != second:
        _date = (second, formatdate(second, usegmt=True))
    return _date[1]

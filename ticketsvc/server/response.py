"""The response to a request. Head and body go out in one packet if the body is complete."""

from __future__ import annotations

import re
import socket
import struct
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from ticketsvc.server.unsent import LARGE_BYTES, unsent

if TYPE_CHECKING:
    from types import TracebackType

    from ticketsvc.server.client_wait import ClientWait
    from ticketsvc.server.request import RequestBody

_RESET_ON_CLOSE, _CLOSE_NORMALLY = struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)
"""Values of SO_LINGER."""

_FIELDS = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*\r\n)*")


class Response:
    """Writes the response of a WSGI application (PEP 3333) to a socket.

    A response without Content-Length is sent in chunks (RFC 9112 section 7.1); to a client of HTTP/1.0 it is sent
    without, and ends with the connection. Until such a response is complete, whatever closes the connection resets it,
    the end of the process included: an incomplete response must not look complete, not even to HTTP/1.0.
    """

    def __init__(self, request: Any, body: RequestBody, sock: Any, wait: ClientWait, must_close: bool) -> None:
        self._request = request
        self._request_body = body
        self._sock = sock
        self._wait = wait
        self._head = b""
        self._left: int | None = None  # of the announced length
        self._has_body = request.method != "HEAD"
        self._is_streamed = self._is_chunked = False
        self.is_started = False
        self.must_close = must_close

    def start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
    ) -> Any:
        """Prepare the head, which is sent with the first bytes of the body.

        Raises the exception of `exc_info` if the head has been sent, and ValueError if a field is not valid HTTP.
        """
        if exc_info and exc_info[1] and self.is_started:
            raise exc_info[1]
        self.must_close = self.must_close or not self._request_body.is_drainable
        self._left = next((int(value) for name, value in headers if name.lower() == "content-length"), None)
        self._has_body = self._has_body and status[:3] not in ("204", "304")
        if self._has_body and self._left is None:
            self._is_streamed = True
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._is_chunked = self._request.version >= (1, 1)
            self.must_close = self.must_close or not self._is_chunked
        framing = [("Transfer-Encoding", "chunked")] if self._is_chunked else []
        self._head = format_head(status, [*framing, *headers], self.must_close)
        return self.write

    def write(self, data: bytes) -> None:
        """Send a part of the body, cut at the announced length. Raises OSError if the connection is lost."""
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
        """Send what is pending. Sets `must_close` if the body was shorter than announced."""
        if not self.is_started or self._is_chunked:
            self._send(b"0\r\n\r\n" if self._is_chunked else b"")
        if self._is_streamed:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_NORMALLY)
        self.must_close = self.must_close or bool(self._has_body and self._left)

    def _send(self, data: bytes) -> None:
        head, self._head, self.is_started = self._head, b"", True
        with self._wait:
            if len(data) < LARGE_BYTES:
                self._sock.sendall(head + data if head else data)
                return
            with unsent.sending(self._wait, len(data)):
                self._sock.sendall(head)
                self._sock.sendall(data)


def format_head(status: str, headers: list[tuple[str, str]], must_close: bool) -> bytes:
    """Return the head of a response. Raises ValueError if a field is not valid HTTP."""
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if not _FIELDS.fullmatch(fields) or fields.count("\r\n") != len(headers):
        raise ValueError("a header field of the response is not valid HTTP")
    connection = "close" if must_close else "keep-alive"
    return f"HTTP/1.1 {status}\r\nDate: {_http_date()}\r\nConnection: {connection}\r\n{fields}\r\n".encode("latin-1")


_date = (0, "")


def _http_date() -> str:
    """Return the current time as an HTTP date (RFC 9110 section 5.6.7), formatted once a second."""
    global _date
    second = int(time.time())
    if _date[0] != second:
        _date = (second, formatdate(second, usegmt=True))
    return _date[1]

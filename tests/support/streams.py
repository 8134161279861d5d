"""A client of server-sent events that keeps to the bytes, to see what a browser would."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.support.locks import TIMEOUT

if TYPE_CHECKING:
    from types import TracebackType

    from tests.support.http import Service

ENDS = (b"\r\n\r\n", b"\r\n", b"\n\n", b"\n")
MAX_HEARTBEATS = 4
"""Heartbeats, one each 15 seconds, after which no event is expected any more: a lost one fails and does not hang."""


class Stream:
    """A stream of events. `head` is the head of the response, `position` the id that it began with."""

    def __init__(self, service: Service, query: str = "?after=latest", receive_bytes: int = 0, **fields: str) -> None:
        self._socket = socket.socket()
        if receive_bytes:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._socket.settimeout(TIMEOUT)
        self._socket.connect(("127.0.0.1", service.port))
        self._received = b""
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        host = f"Host: 127.0.0.1:{service.port}"
        request = [f"GET /api/events/{query} HTTP/1.1", host, "Accept: text/event-stream", *lines, "", ""]
        self._socket.sendall("\r\n".join(request).encode())
        self.head = self._until(b"\r\n\r\n").decode()
        self.is_chunked = "transfer-encoding: chunked" in self.head.lower()
        self._text, self._is_complete = b"", False
        self.position = ""

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def start(self) -> Stream:
        """Read the first block, which tells the position."""
        fields = self.block()
        assert (fields["event"], fields["id"]) == ("position", json.loads(fields["data"])["id"]), fields
        self.position = fields["id"]
        return self

    def event(self) -> dict[str, Any]:
        """Return the next event."""
        while not (fields := self.block()).get("data"):
            assert fields, "the stream has ended"
        assert set(fields) == {"id", "data"}
        event: dict[str, Any] = json.loads(fields["data"])
        assert event["id"] == fields["id"]
        return event

    def block(self) -> dict[str, str]:
        """Return the fields up to the next empty line; comments are left out. Empty at the end."""
        while b"\n\n" not in self._text.replace(b":\n", b""):
            assert self._text.count(b":\n") < MAX_HEARTBEATS, "no event, only heartbeats"
            if not self._read_part():
                return {}
        text, _, self._text = self._text.replace(b":\n", b"").partition(b"\n\n")
        return dict(line.split(": ", 1) for line in text.decode().split("\n") if line)

    def end(self) -> bool:
        """Read to the end. Return whether the response was complete: it has its last chunk."""
        with suppress(ConnectionError):
            while self._read_part():
                pass
        return self._is_complete

    def _read_part(self) -> bool:
        """Read a chunk, or what there is of a body that has none. Return false at the end."""
        if not self.is_chunked:
            data = self._received or self._socket.recv(65536)
            self._received = b""
            self._text += data
            return bool(data)
        size = self._until(b"\r\n")
        if not size:
            return False
        self._text += self._until(b"", int(size, 16)) if int(size, 16) else b""
        self._until(b"\r\n")
        self._is_complete = int(size, 16) == 0
        return not self._is_complete

    def _until(self, end: bytes, size: int = 0) -> bytes:
        while (end and end not in self._received) or len(self._received) < size:
            data = self._socket.recv(65536)
            if not data:
                return b""
            self._received += data
        if end:
            found, _, self._received = self._received.partition(end)
            return found
        found, self._received = self._received[:size], self._received[size:]
        return found

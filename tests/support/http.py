"""An HTTP client that sends one request and returns the response as it came over the wire."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess

    from tests.support.masters import Master

TIMEOUT = 60.0
"""Seconds that a request may take. The service gives up sooner; a busy machine does not."""


@dataclass(frozen=True)
class Response:
    """A response of the service."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Service:
    """A running service: its port on loopback, gunicorn's master process, and its log file."""

    port: int
    process: subprocess.Popen[bytes] | Master
    log: Path

    @property
    def workers(self) -> list[int]:
        """The process ids of its workers."""
        master = self.process.pid
        return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        timeout: float = TIMEOUT,
    ) -> Response:
        """Send one request on a new connection. A body that is not bytes is sent as JSON."""
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if raw is not None else {}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
            connection.request(method, path, raw, given | (headers or {}))
            response = connection.getresponse()
            return Response(response.status, response.headers, response.read())

    def raw(self, request: bytes, timeout: float = TIMEOUT) -> bytes:
        """Send bytes unchanged and read until the service closes the connection."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout)) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

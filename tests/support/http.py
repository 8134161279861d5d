"""A client that hides nothing: one call, its status, headers and body as they came over the wire."""

from __future__ import annotations

import http.client
import json
import subprocess
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What the service answered."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Service:
    """A running service: its port on loopback, gunicorn's master process, and the file of its log."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def workers(self) -> list[int]:
        """The process ids of its workers."""
        master = self.process.pid
        return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None, timeout: float = 30
    ) -> Answer:
        """Send one request on a connection of its own; a body that is not bytes is sent as JSON."""
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if raw is not None else {}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
            connection.request(method, path, raw, given | (headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def raw(self, request: bytes, timeout: float = 30) -> bytes:
        """Send bytes as they are and read until the service closes the connection."""
        import socket

        with closing(socket.create_connection(("127.0.0.1", self.port), timeout)) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

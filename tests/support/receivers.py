"""Receivers of webhooks on loopback, each of another kind, and the processes that deliver to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.conftest import ROOT
from tests.support.locks import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Received:
    """A request that a receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The webhook-id."""
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        """The parsed body."""
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass
class Receivers:
    """A server whose paths behave differently.

    `/500/x` responds 500, as every other number does; `/redirect/x` redirects to `/200/redirected`; `/hang/x` responds
    200 when `release` is set; `/hints/x` responds 103 first; `/drip/x` sends a byte of an endless body every 10 ms.
    """

    server: ThreadingHTTPServer
    release: threading.Event = field(default_factory=threading.Event)
    received: list[Received] = field(default_factory=list)

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        """Return the URL of a path."""
        return f"{scheme}://{host}:{self.server.server_port}{path}"

    def at(self, path: str) -> list[Received]:
        """Return the requests for a path, in the order in which they came."""
        return [received for received in self.received if received.path == path]


@contextmanager
def receivers() -> Iterator[Receivers]:
    """Serve on a free port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fields = {name.lower(): value for name, value in self.headers.items()}
            served.received.append(Received(self.path, fields, body))
            with suppress(OSError):
                self.respond(self.path.split("/")[1])

        def respond(self, kind: str) -> None:
            if kind == "hang":
                served.release.wait(TIMEOUT)
            if kind == "hints":
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
            self.send_response({"redirect": 307, "gone": 410}.get(kind) or (int(kind) if kind.isdigit() else 200))
            if kind == "redirect":
                self.send_header("Location", served.url("/200/redirected"))
            if kind == "503":
                self.send_header("Retry-After", "600")
            if kind == "drip":
                self.send_header("Content-Length", "1000000")
                self.end_headers()
                while not served.release.wait(0.01):
                    self.wfile.write(b"x")
                return
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Receivers(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield served
        finally:
            served.release.set()
            server.shutdown()


@dataclass
class Deliverer:
    """A process that runs `flask deliver` or `flask work`, and its log."""

    process: subprocess.Popen[bytes]
    log: Path

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait, and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of its log."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def deliverer(
    database_url: str, log: Path, *options: str, command: str = "deliver", **settings: str
) -> Iterator[Deliverer]:
    """Run `flask deliver`, or another command, until the block ends."""
    environment = {"DATABASE_URL": database_url, "PATH": os.environ["PATH"], "WEBHOOK_ALLOW_PRIVATE": "on", **settings}
    arguments = [sys.executable, "-m", "flask", "--app", "app", command, *options]
    with log.open("ab") as output:
        process = subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield Deliverer(process, log)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(TIMEOUT)

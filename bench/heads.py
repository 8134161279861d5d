"""CPU time to read one request: the service's way, and gunicorn's parser alone. Run `python -m bench.heads`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from ticketsvc.server.request import Requests

BATCHES, BATCH = 300, 60
PEER = ("127.0.0.1", 4711)
CLIENT = (
    "Host: tickets.example.com\r\nUser-Agent: python-requests/2.32.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Accept: application/json\r\nConnection: keep-alive\r\n"
)
FIELDS = {
    "wrk": "Host: 127.0.0.1:3000\r\n",
    "HTTP library": CLIENT,
    "HTTP library, behind a router": CLIENT
    + "X-Request-Id: 7f9c24e8-3b12-4f0e-9c43-0a5b8c1d2e3f\r\nX-Forwarded-For: 203.0.113.9\r\n"
    "X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nVia: 1.1 router\r\nX-Request-Start: 1764300000000\r\n",
}
BODY = b'{"title": "Charged twice", "description": "The invoice of March shows two payments."}'


class Source:
    """A socket from which each read receives one whole request."""

    def __init__(self, request: bytes) -> None:
        self.request = request

    def recv(self, size: int) -> bytes:
        """Return the request."""
        return self.request


def main() -> None:
    """Print the least CPU time of many batches, the parsers in turns."""
    config = Config()
    parsers: dict[str, Callable[..., Any]] = {"ticketsvc": Requests, "gunicorn": RequestParser}
    print("| request | " + " | ".join(f"{name}, us" for name in parsers) + " |\n| --- | ---: | ---: |")
    for name, fields in FIELDS.items():
        length = f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n"
        requests = {
            "create": f"POST /api/tickets/ HTTP/1.1\r\n{fields}{length}\r\n".encode() + BODY,
            "list": f"GET /api/tickets/?limit=50 HTTP/1.1\r\n{fields}\r\n".encode(),
        }
        for operation, request in requests.items():
            best = dict.fromkeys(parsers, float("inf"))
            for _ in range(BATCHES):
                for parser, make in parsers.items():
                    best[parser] = min(best[parser], _measure(make(config, Source(request), PEER)))
            print(f"| {operation}, {name} | " + " | ".join(f"{value:.1f}" for value in best.values()) + " |")


def _measure(requests: Any) -> float:
    """Return the CPU microseconds of one request, body included."""
    started = time.process_time()
    for _ in range(BATCH):
        next(requests).body.read()
    return (time.process_time() - started) / BATCH * 1e6


if __name__ == "__main__":
    main()

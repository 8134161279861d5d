"""gunicorn's gevent worker with two changes: what is not HTTP is answered in JSON too, and an answer is one packet."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from gunicorn import util
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.ggevent import GeventWorker

from ticketsvc.problems import BadRequest, HeadersTooLarge, InternalError, Problem, UriTooLong


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """Named by gunicorn.conf.py."""

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        """Serve one request."""
        joined = JoinedSends(sock)
        try:
            return super().handle_request(listener_name, req, joined, addr)
        finally:
            joined.flush()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what cannot be read as HTTP. The log gets the kind of the error: its text quotes the request."""
        problem = _problem(exc)
        self.log.warning("cannot be read as HTTP: %s", type(exc).__name__)
        body = json.dumps(problem.document("/")).encode()
        status = HTTPStatus(problem.status)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
            f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            util.write_nonblock(client, head.encode() + body)
        except OSError:
            self.log.debug("the client was gone")


class JoinedSends:
    """A socket that keeps the head of an answer back until the first bytes of its body go out with it."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._head: bytes | None = None
        self._started = False

    def sendall(self, data: bytes) -> None:
        """Called by gunicorn once with the head, then with each part of the body."""
        if not self._started:
            self._started, self._head = True, data
        else:
            head, self._head = self._head, None
            self._sock.sendall(head + data if head else data)

    def flush(self) -> None:
        """Send a head that no body followed."""
        if self._head is not None:
            head, self._head = self._head, None
            self._sock.sendall(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _problem(error: BaseException) -> Problem:
    if isinstance(error, LimitRequestLine):
        return UriTooLong("The request line is too long.")
    if isinstance(error, LimitRequestHeaders):
        return HeadersTooLarge("The header fields are too many or too large.")
    if isinstance(error, ParseException):
        return BadRequest("The request cannot be read as HTTP.")
    return InternalError("Something in the service is broken.")

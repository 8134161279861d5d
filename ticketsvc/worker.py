"""gunicorn's gevent worker with what a service needs beside it.

What is not HTTP is answered in JSON too; an answer is one packet; connections on which nothing is going on do not
delay the end of a worker, and silent ones do not live for ever.
"""

from __future__ import annotations

import gc
import json
import os
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import gevent
from gunicorn import util
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker

from ticketsvc.logs import NO_CONTENT, request_id
from ticketsvc.problems import BadRequest, HeadersTooLarge, InternalError, Problem, UriTooLong

if TYPE_CHECKING:
    from types import TracebackType

GARBAGE_THRESHOLD = 20_000
"""New objects after which the youngest are collected: a request makes some hundred, and few of them cycles."""

LINGER_BYTES = 16_777_216
"""How much of a request that was refused is still read, so that its sender gets to read the answer."""
IDLE_SECONDS = 1.0
"""A connection that waits for a request as long as this is ended when its worker ends."""


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """Named by gunicorn.conf.py."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: set[WaitForRequest] = set()

    def init_process(self) -> None:
        """Start the worker in its own process."""
        # gunicorn looks a setting up through two calls, some twenty times a request; as attributes they are there.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application, and keep the garbage collector from going through what stays for good."""
        super().load_wsgi()
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD)

    def timeout_ctx(self) -> WaitForRequest:
        """Around each wait for a request: it ends after `keepalive`."""
        return WaitForRequest(self.cfg.keepalive, self._waiting)

    def notify(self) -> None:
        """Called every second; while the worker ends too."""
        super().notify()
        if not self.alive:
            for wait in [wait for wait in self._waiting if wait.lasted() >= IDLE_SECONDS]:
                wait.end()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve a connection. Silence amid a request, or amid an answer that nobody reads, ends it too."""
        client.settimeout(self.cfg.keepalive + 5)
        AsyncWorker.handle(self, listener, client, addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        """Serve one request."""
        joined = JoinedSends(sock)
        req.body = CheckedBody(req.body)
        try:
            return super().handle_request(listener_name, req, joined, addr)
        except StopIteration:  # the answer was the connection's last; what was not read of the request is in its way
            joined.flush()
            util.close_graceful(sock, max_drain=LINGER_BYTES)
            raise
        finally:
            joined.flush()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what cannot be read as HTTP. The log gets the kind of the error: its text quotes the request."""
        problem, identifier = _problem(exc), os.urandom(16).hex()
        request_id.set(identifier)
        self.log.warning("cannot be read as HTTP: %s", type(exc).__name__)
        body = json.dumps(problem.document("/")).encode()
        status = HTTPStatus(problem.status)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nDate: {formatdate(usegmt=True)}\r\nConnection: close\r\n"
            f"Cache-Control: no-store\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
            f"X-Request-Id: {identifier}\r\nX-Content-Type-Options: nosniff\r\n"
            f"Content-Security-Policy: {NO_CONTENT}\r\n\r\n"
        )
        try:
            util.write_nonblock(client, head.encode() + body)
        except OSError:
            self.log.debug("the client was gone")
        else:
            util.close_graceful(client, max_drain=LINGER_BYTES)


class WaitForRequest(gevent.Timeout):  # type: ignore[misc]  # gevent has no types
    """The wait of one connection for its next request; `end` ends it as if the time were over."""

    def __init__(self, seconds: float, waiting: set[WaitForRequest]) -> None:
        super().__init__(seconds, False)
        self._waiting = waiting
        self._since = time.monotonic()
        self._greenlet = gevent.getcurrent()

    def __enter__(self) -> WaitForRequest:
        self._waiting.add(self)
        super().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._waiting.discard(self)
        ended: bool | None = super().__exit__(kind, error, trace)
        return ended

    def lasted(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self._since

    def end(self) -> None:
        """End it; called from another greenlet."""
        self._waiting.discard(self)
        gevent.kill(self._greenlet, self)


class CheckedBody:
    """A request's body. Reading it raises BadRequest where it is not as HTTP says, or ends early."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int | None = None) -> bytes:
        """Read bytes, fewer than `size` only at the end."""
        try:
            data: bytes = self._body.read(size)
        except (ParseException, OSError) as error:
            raise BadRequest("The body cannot be read: it ends early, or its chunks are wrong.") from error
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)


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
    return InternalError()

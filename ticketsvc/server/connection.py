"""One client connection: passes its requests to the application, and responds to malformed ones itself."""

from __future__ import annotations

import os
from contextlib import nullcontext
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Any

import gevent
from gunicorn import util
from gunicorn.http import errors

from ticketsvc.problems import (
    BadRequest,
    HeadersTooLarge,
    InternalError,
    Problem,
    UnsupportedTransferCoding,
    UriTooLong,
)
from ticketsvc.server.logs import request_id
from ticketsvc.server.request import MAX_HEAD_BYTES, Requests, environ, wants_close
from ticketsvc.server.response import Response, format_head
from ticketsvc.server.security_headers import SECURITY_HEADERS
from ticketsvc.server.waiting import WaitingBody

if TYPE_CHECKING:
    from ticketsvc.server.client_wait import ClientWait
    from ticketsvc.server.worker import Worker

MAX_LINGER_BYTES = 16_777_216
"""Limit of what is read of a refused request before the connection is closed, so that the client reads the response."""

REQUESTS_PER_TURN = 8
"""After this number of requests of a connection other greenlets run, even if the next one has arrived."""


class Connection:
    """Serves the requests of one connection, one at a time."""

    def __init__(self, worker: Worker, sock: Any, peer: tuple[str, int], wait: ClientWait) -> None:
        self._worker = worker
        self._sock = sock
        self._peer = peer
        self._server: tuple[str, int] = sock.getsockname()
        self._wait = wait

    def serve(self) -> None:
        """Serve requests until either side closes the connection."""
        try:
            requests = Requests(self._worker.cfg, self._sock, self._peer)
            for number in count(1):
                self._wait.idle = True
                with self._wait:
                    request = next(requests)
                self._wait.idle = False
                if not self._respond(request) or self._wait.must_end:
                    self._close_gracefully()
                    break
                if request.is_followed or number % REQUESTS_PER_TURN == 0:
                    gevent.sleep(0)  # gevent's recv() does not yield while data is there
        except (StopIteration, errors.NoMoreData, OSError) as error:  # the client closed the connection or timed out
            self._worker.log.debug("connection ended: %s", type(error).__name__)
        except Exception as error:  # noqa: BLE001  # gunicorn's errors have no common base class
            self._reject(error)
        finally:
            util.close(self._sock)

    def _respond(self, request: Any) -> bool:
        """Run the application for a request. Returns whether the connection can be kept.

        Raises ConnectionAbortedError if the response broke off.
        """
        worker = self._worker
        worker.count_request()
        variables = environ(request, self._server, self._peer, self._wait, self._send_continue)
        must_close = wants_close(request, variables) or worker.connections.are_crowded or not worker.alive
        response = Response(request, variables["wsgi.input"], self._sock, self._wait, must_close)
        chunks = worker.wsgi(
            {**worker.base_environ, **variables, "gunicorn.socket": self._sock}, response.start_response
        )
        uncounted = worker.connections.uncounted(self._wait) if isinstance(chunks, WaitingBody) else nullcontext()
        try:
            with uncounted:
                for chunk in chunks:
                    response.write(chunk)
                response.finish()
        except Exception as error:
            if isinstance(error, OSError) or not response.is_started:
                raise
            worker.log.exception("the response was cut short")
            raise ConnectionAbortedError from error
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return not response.must_close

    def _send_continue(self) -> None:
        self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _close_gracefully(self) -> None:
        """Read what the client still sends, for a short time, then close the connection.

        Bytes that are unread at the close would reset it before the client has read the response.
        """
        if self._wait.must_end:
            return
        self._wait.idle = True
        with self._wait:
            util.close_graceful(self._sock, max_drain=MAX_LINGER_BYTES)

    def _reject(self, error: Exception) -> None:
        """Send a problem document instead of serving a request that cannot be read."""
        problem, identifier = _problem(error), os.urandom(16).hex()
        self._worker.metrics.HTTP_UNREADABLE.labels(str(problem.status)).inc()
        request_id.set(identifier)
        # Only the type: the message quotes the request.
        self._worker.log.warning("cannot be read as HTTP: %s", type(error).__name__)
        body = f"{problem.json('/')}\n".encode()
        headers = [
            ("Cache-Control", "no-store"),
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(body))),
            ("X-Request-Id", identifier),
            *SECURITY_HEADERS.items(),
        ]
        status = HTTPStatus(problem.status)
        try:
            util.write_nonblock(self._sock, format_head(f"{status.value} {status.phrase}", headers, True) + body)
        except OSError:
            self._worker.log.debug("the client closed the connection before the response")
        else:
            self._close_gracefully()


UNREADABLE_STATUSES = [
    str(problem.status)
    for problem in (BadRequest, UriTooLong, HeadersTooLarge, UnsupportedTransferCoding, InternalError)
]
"""The statuses with which the connection itself responds."""


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, errors.LimitRequestLine):
        return UriTooLong("The request line is too long.")
    if isinstance(error, errors.LimitRequestHeaders):
        return HeadersTooLarge(f"The header fields are too many or too large: at most {MAX_HEAD_BYTES:,} bytes in all.")
    if isinstance(error, errors.UnsupportedTransferCoding):
        return UnsupportedTransferCoding("The only transfer coding that the service decodes is chunked.")
    if isinstance(error, errors.ParseException):
        return BadRequest("The request cannot be read as HTTP.")
    return InternalError()

"""One client connection: passes its requests to the application, and responds to malformed ones itself."""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, NoMoreData, ParseException

from ticketsvc.problems import BadRequest, HeadersTooLarge, InternalError, Problem, UriTooLong
from ticketsvc.server.client_wait import ClientWait
from ticketsvc.server.logs import request_id
from ticketsvc.server.request import Requests, environ
from ticketsvc.server.response import Response, format_head
from ticketsvc.server.security_headers import SECURITY_HEADERS

if TYPE_CHECKING:
    from ticketsvc.server.worker import Worker

MAX_LINGER_BYTES = 16_777_216
"""Limit of what is read of a refused request before the connection is closed, so that the client reads the response."""


class Connection:
    """Serves the requests of one connection, one at a time."""

    def __init__(self, worker: Worker, sock: Any, peer: tuple[str, int]) -> None:
        self._worker = worker
        self._sock = sock
        self._peer = peer
        self._server: tuple[str, int] = sock.getsockname()
        self._wait = ClientWait(worker.active_waits)

    def serve(self) -> None:
        """Serve requests until either side closes the connection."""
        try:
            requests = Requests(self._worker.cfg, self._sock, self._peer)
            while True:
                self._wait.idle = True
                with self._wait:
                    request = next(requests)
                self._wait.idle = False
                if not self._respond(request):
                    # Bytes that are still unread at the close would reset the connection before the client has read
                    # the response.
                    util.close_graceful(self._sock, max_drain=MAX_LINGER_BYTES)
                    break
        except (StopIteration, NoMoreData, OSError) as error:  # the client closed the connection or timed out
            self._worker.log.debug("connection ended: %s", type(error).__name__)
        except Exception as error:  # noqa: BLE001  # gunicorn's errors have no common base class
            self._reject(error)
        finally:
            util.close(self._sock)

    def _respond(self, request: Any) -> bool:
        """Run the application for a request. Returns whether the connection can be kept."""
        worker = self._worker
        worker.count_request()
        variables = environ(request, self._server, self._peer, self._wait)
        if "HTTP_EXPECT" in variables and request.version >= (1, 1):  # gunicorn accepts only 100-continue
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        response = Response(request, variables["wsgi.input"], self._sock, self._wait, must_close=not worker.alive)
        chunks = worker.wsgi(
            {**worker.base_environ, **variables, "gunicorn.socket": self._sock}, response.start_response
        )
        try:
            for chunk in chunks:
                response.write(chunk)
            response.finish()
        except Exception as error:
            if isinstance(error, OSError) or not response.is_started:
                raise
            worker.log.exception("the response was cut short")
            return False
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return not response.must_close

    def _reject(self, error: Exception) -> None:
        """Send a problem document instead of serving a request that cannot be read."""
        problem, identifier = _problem(error), os.urandom(16).hex()
        self._worker.metrics.HTTP_UNREADABLE.labels(str(problem.status)).inc()
        request_id.set(identifier)
        # Only the type: the message quotes the request.
        self._worker.log.warning("cannot be read as HTTP: %s", type(error).__name__)
        body = json.dumps(problem.document("/")).encode()
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
            util.close_graceful(self._sock, max_drain=MAX_LINGER_BYTES)


def _problem(error: Exception) -> Problem:
    if isinstance(error, LimitRequestLine):
        return UriTooLong("The request line is too long.")
    if isinstance(error, LimitRequestHeaders):
        return HeadersTooLarge("The header fields are too many or too large.")
    if isinstance(error, ParseException):
        return BadRequest("The request cannot be read as HTTP.")
    return InternalError()

"""gunicorn's gevent worker with what a service needs beside it.

What is not HTTP is answered in JSON too; an answer is one packet; connections on which nothing is going on do not
delay the end of a worker, and silent ones do not live for ever. gunicorn's way from a request to the application and
back costs three times as much (bench/RESULTS.md).
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import gevent
from gevent import get_hub
from gevent.monkey import get_original
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn import util
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, NoMoreData, ParseException
from gunicorn.http.wsgi import base_environ
from gunicorn.workers.ggevent import GeventWorker

from ticketsvc.problems import BadRequest, HeadersTooLarge, InternalError, Problem, UriTooLong
from ticketsvc.server.client_wait import Patience
from ticketsvc.server.logs import request_id
from ticketsvc.server.request import Request, Requests, environ
from ticketsvc.server.response import Response, now
from ticketsvc.server.security_headers import SECURITY_HEADERS

GARBAGE_THRESHOLD = 20_000
"""New objects after which the youngest are collected: a request makes some hundred, and few of them cycles."""

LINGER_BYTES = 16_777_216
"""How much of a request that was refused is still read, so that its sender gets to read the answer."""
IDLE_SECONDS = 1.0
"""A connection that waits for a request as long as this is ended when its worker ends."""

ENDING_SECONDS = 0.1
"""How often a worker that ends looks whether it may."""


class Server(StreamServer):  # type: ignore[misc]  # gevent has no types
    """Takes the connections of a listener."""

    max_accept = 1  # at once; the workers share the load better than with gevent's 100

    def accept_backlog(self) -> None:
        """Take the connections that callers have made and nobody has taken yet, then no more.

        To such a caller the connection stands; he has sent his request. A listener that is closed resets it.
        """
        self.max_accept = sys.maxsize
        self._do_read()
        self._stop_event.set()  # or the next free place would start it again
        self.stop_accepting()

    def end(self) -> None:
        """Take what came since, and close the listener with as little as can be between the last look and that."""
        with suppress(OSError):
            while taken := self.do_read():
                self.do_handle(*taken)
        get_original("os", "close")(self.socket.detach())  # gevent's own leaves it to the loop's next turn
        self.close()


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """Named by gunicorn.conf.py."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.alive: bool  # until the worker is told to end
        self._waiting: set[Patience] = set()
        self._is_told_to_end = False

    def init_process(self) -> None:
        """Start the worker in its own process."""
        # A SIGTERM that comes before there is a handler for it would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        # gunicorn looks a setting up through two calls, several times a request; as attributes they are there.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        super().init_process()

    def init_signals(self) -> None:
        """Install the handlers of signals."""
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])

    def handle_exit(self, sig: int, frame: object) -> None:
        """On SIGTERM, which comes with the end of the service or from an administrator."""
        self._is_told_to_end = True
        super().handle_exit(sig, frame)

    def run(self) -> None:
        """Serve until the worker is to end; then finish what is under way, for `graceful_timeout` at most.

        A worker that has served `max_requests` leaves further callers to the others and to its successor. It keeps its
        listener open to its end: where the service is told to end first, there may be no other to answer them.
        """
        servers = [self._start(listener) for listener in self.sockets]
        while self.alive:
            self.notify()
            gevent.sleep(1.0)
        for server in servers:
            server.accept_backlog()
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < deadline:
            for server in servers:
                if self._is_told_to_end and not server.closed:
                    server.end()
            if not any(len(server.pool) for server in servers):
                return
            self.notify()
            gevent.sleep(ENDING_SECONDS)
        self.log.warning("Worker graceful timeout (pid:%s)", self.pid)
        for server in servers:
            server.stop(timeout=1)

    def _start(self, listener: Any) -> Server:
        listener.setblocking(1)
        server = Server(listener, handle=partial(self.handle, listener), spawn=Pool(self.worker_connections))
        server.start()
        return server

    def load_wsgi(self) -> None:
        """Load the application, and keep the garbage collector from going through what stays for good."""
        super().load_wsgi()
        from ticketsvc.server import metrics  # opens files of this worker, so the master must not import it

        self._metrics = metrics
        get_hub().print_exception = self._log_exception
        self._environ = {**base_environ(self.cfg), "wsgi.multithread": True}
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD)

    def _log_exception(self, context: object, kind: Any, error: Any, trace: Any) -> None:
        """What nothing else catches, such as a connection that cannot be taken; gevent would print its message too."""
        self.log.error("a greenlet failed", exc_info=(kind, error, trace))

    def notify(self) -> None:
        """Called every second; while the worker ends too."""
        super().notify()
        self.publish()
        for patience in list(self._waiting):
            is_unneeded = patience.idle and not self.alive and patience.lasted() >= IDLE_SECONDS
            if is_unneeded or patience.lasted() >= self.cfg.keepalive:
                patience.end()

    def publish(self) -> None:
        """Let the other workers have what this one has counted."""
        if self.wsgi:
            self._metrics.update(self.wsgi.extensions["ticketsvc"].database.pool)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve a connection."""
        client.setblocking(1)
        patience = Patience(self._waiting)
        server, requests = client.getsockname(), Requests(self.cfg, client, addr)
        try:
            while True:
                patience.idle = True
                with patience:
                    request = next(requests)
                patience.idle = False
                if not self._serve(request, server, client, addr, patience):
                    # What was not read of the request is in the answer's way.
                    util.close_graceful(client, max_drain=LINGER_BYTES)
                    break
        except (StopIteration, NoMoreData, OSError) as error:  # the client is done, gone or silent
            self.log.debug("connection ended: %s", type(error).__name__)
        except Exception as error:  # noqa: BLE001  # of any kind: gunicorn's have no root of their own
            self.handle_error(None, client, addr, error)
        finally:
            util.close(client)

    def _serve(self, request: Request, server: Any, client: Any, addr: Any, patience: Patience) -> bool:
        """Answer one request. Returns whether the connection can serve another."""
        self._count()
        if request._expected_100_continue:
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        response = Response(request, client, patience, must_close=not self.alive)
        given = {**self._environ, **environ(request, server, addr, patience), "gunicorn.socket": client}
        chunks = self.wsgi(given, response.start_response)
        try:
            for chunk in chunks:
                response.write(chunk)
            response.finish()
        except Exception as error:
            if isinstance(error, OSError) or not response.is_started:
                raise
            self.log.exception("an answer broke off")
            return False
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return not response.must_close

    def _count(self) -> None:
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what cannot be read as HTTP. The log gets the kind of the error: its text quotes the request."""
        problem, identifier = _problem(exc), os.urandom(16).hex()
        self._metrics.HTTP_UNREADABLE.labels(str(problem.status)).inc()
        request_id.set(identifier)
        self.log.warning("cannot be read as HTTP: %s", type(exc).__name__)
        body = json.dumps(problem.document("/")).encode()
        status = HTTPStatus(problem.status)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nDate: {now()}\r\nConnection: close\r\n"
            f"Cache-Control: no-store\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
            f"X-Request-Id: {identifier}\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in SECURITY_HEADERS.items())
            + "\r\n"
        )
        try:
            util.write_nonblock(client, head.encode() + body)
        except OSError:
            self.log.debug("the client was gone")
        else:
            util.close_graceful(client, max_drain=LINGER_BYTES)


def _problem(error: BaseException) -> Problem:
    if isinstance(error, LimitRequestLine):
        return UriTooLong("The request line is too long.")
    if isinstance(error, LimitRequestHeaders):
        return HeadersTooLarge("The header fields are too many or too large.")
    if isinstance(error, ParseException):
        return BadRequest("The request cannot be read as HTTP.")
    return InternalError()

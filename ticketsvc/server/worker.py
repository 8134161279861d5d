"""The worker class of gunicorn.conf.py.

Adds to gunicorn's gevent worker: JSON errors for malformed HTTP, single-packet responses, shutdown that does not wait
for idle connections, and client timeouts. docs/decisions/own-gunicorn-worker.md has the reasons.
"""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import gevent
from gevent import get_hub
from gevent.event import Event
from gevent.monkey import get_original
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.http.wsgi import base_environ
from gunicorn.workers.ggevent import GeventWorker

from ticketsvc import background
from ticketsvc.server.client_wait import ClientWait
from ticketsvc.server.connection import UNREADABLE_STATUSES, Connection
from ticketsvc.server.connections import Connections
from ticketsvc.server.request import is_trusted_proxy

GC_THRESHOLD = 20_000
"""Allocations between two collections of the youngest generation. A request makes some hundred, few of them cycles."""

IDLE_SECONDS = 1.0
"""At shutdown, connections that have waited this long for a request are closed."""

FIRST_BACKGROUND_SECONDS = 5.0
"""Time after the start of a worker at which its background work begins, with or without requests."""
CLEANUP_SECONDS = 60.0
"""Interval at which each worker deletes expired data."""
CATCH_UP_SECONDS = 2.0
"""Interval at which one worker of each instance does what writes have left for later."""
SIGNS_SECONDS = 1.0
"""The pause between two times that signs of texts are stored."""

NOTIFY_SECONDS = 1.0
"""Interval at which a worker reports that it is alive. SIGTERM ends the wait."""

SHUTDOWN_POLL_SECONDS = 0.1
"""Interval at which a worker that shuts down checks whether its connections have ended."""


class Server(StreamServer):  # type: ignore[misc]  # gevent has no types
    """Accepts the connections of a listener."""

    max_accept = 1  # per turn of the event loop: shares the load between workers better than gevent's 100
    is_draining = False

    def start_accepting(self) -> None:
        """Accept connections until `accept_backlog` is called. gevent calls this whenever its pool has room again."""
        if not self.is_draining:
            super().start_accepting()

    def accept_backlog(self) -> None:
        """Accept the connections in the listener's backlog, and none after them.

        These clients already consider the connection established and may have sent a request; closing the listener
        would reset it.
        """
        self.is_draining = True
        self.stop_accepting()
        with suppress(OSError):
            while not self.full() and (accepted := self.do_read()):
                self.do_handle(*accepted)

    def close_listener(self) -> None:
        """Accept whatever arrived since, then close the listener at once: the gap between the two is the only race.

        While `worker_connections` are open the listener stays open, too: call this again.
        """
        self.accept_backlog()
        if self.full():
            return
        # gevent's own close() would take effect in the next turn of its event loop.
        get_original("os", "close")(self.socket.detach())
        self.close()


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn creates one in its master for each worker process; everything but `__init__` runs in that process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.alive: bool  # False as soon as the worker is to end
        proxies = tuple(self.cfg.forwarded_allow_ips)
        self.connections = Connections(self.worker_connections, lambda address: is_trusted_proxy(address, proxies))
        self.base_environ: dict[str, Any] = {}
        self._shutdown_requested = False

    def init_process(self) -> None:
        """Start the worker. SIGTERM is blocked until its handler is installed; otherwise it could be lost."""
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        super().init_process()

    def init_signals(self) -> None:
        """Install the signal handlers."""
        self._ending = Event()
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])

    def handle_exit(self, sig: int, frame: object) -> None:
        """Handle SIGTERM, which the master sends at shutdown."""
        self._shutdown_requested = True
        super().handle_exit(sig, frame)
        self._ending.set()

    def load_wsgi(self) -> None:
        """Load the application, and exempt what it has allocated from garbage collection."""
        super().load_wsgi()
        from ticketsvc.server import metrics  # opens files of this worker, so the master must not import it

        self.metrics = metrics
        metrics.start_at_zero(metrics.HTTP_UNREADABLE, UNREADABLE_STATUSES)
        get_hub().print_exception = self._log_exception
        self.base_environ = {**base_environ(self.cfg), "wsgi.multithread": True}
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)

    def _log_exception(self, context: object, kind: Any, error: Any, trace: Any) -> None:
        """Log an exception that nothing caught, such as a failed accept. gevent would also print its message."""
        self.log.error("a greenlet failed", exc_info=(kind, error, trace))

    def run(self) -> None:
        """Serve until the worker is to end, then finish the requests in progress, within `graceful_timeout`.

        After `max_requests` a worker stops accepting but keeps its listener open, because on a shutdown there may be
        no other worker left to take the backlog.
        """
        servers = [self._start_server(listener) for listener in self.sockets]
        services = self.wsgi.extensions["ticketsvc"]
        gevent.spawn(self._repeat, services.delete_expired, CLEANUP_SECONDS)
        if self.number == 1:  # of each instance
            gevent.spawn(self._repeat, services.catch_up, CATCH_UP_SECONDS)
            if services.encoder:
                gevent.spawn(self._repeat, services.store_signs, SIGNS_SECONDS)
        while self.alive:
            self.notify()
            self._ending.wait(NOTIFY_SECONDS)
        gevent.spawn(services.feed.end)
        for server in servers:
            server.accept_backlog()
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < deadline:
            for server in servers:
                if self._shutdown_requested and not server.closed:
                    server.close_listener()
            if not any(len(server.pool) for server in servers):
                return
            self.notify()
            gevent.sleep(SHUTDOWN_POLL_SECONDS)
        self.log.warning("Worker graceful timeout (pid:%s)", self.pid)
        for server in servers:
            server.stop(timeout=1)

    def _repeat(self, work: Callable[[], object], interval: float) -> None:
        """Run database work in the background, `interval` seconds after the end of the last time.

        While a `flask work` is there, this only looks whether it still is.
        """
        services = self.wsgi.extensions["ticketsvc"]
        gevent.sleep(FIRST_BACKGROUND_SECONDS)
        while self.alive:
            background.run_in_background(partial(services.run_unless_taken, work)).join()
            gevent.sleep(interval)

    def _start_server(self, listener: Any) -> Server:
        listener.setblocking(1)
        services = self.wsgi.extensions["ticketsvc"]
        places = self.worker_connections + services.config.event_listeners
        server = Server(listener, handle=self._serve_connection, spawn=Pool(places))
        server.start()
        return server

    def _serve_connection(self, sock: Any, peer: tuple[str, int]) -> None:
        sock.setblocking(1)
        wait = ClientWait(self.connections.waits, peer[0])
        try:
            if self.connections.add(wait):
                Connection(self, sock, peer, wait).serve()
        finally:
            self.connections.remove(wait)

    def notify(self) -> None:
        """Report to the master that the worker is alive, publish its metrics and cancel overdue waits.

        Called every second, and more often during shutdown.
        """
        super().notify()
        self.publish()
        keepalive = self.cfg.keepalive
        for wait in list(self.connections.waits):
            is_unneeded = wait.idle and not self.alive and wait.elapsed() >= IDLE_SECONDS
            if is_unneeded or wait.elapsed() >= keepalive:
                wait.cancel()

    def publish(self) -> None:
        """Publish this worker's metrics to the other workers."""
        if self.wsgi:
            self.metrics.update(self.wsgi.extensions["ticketsvc"].database.pool)

    def count_request(self) -> None:
        """Count a request; after `max_requests` the worker ends."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False

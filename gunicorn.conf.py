"""How gunicorn runs the service: `gunicorn app:app`. The figures behind the choices are in bench/RESULTS.md.

Nothing here may import psycopg: it chooses how to wait when it is imported, and that must be after the worker's
gevent has patched the standard library.

FORWARDED_ALLOW_IPS (gunicorn's own setting) names the proxies whose X-Forwarded-* headers count.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from ticketsvc.config import Config
from ticketsvc.dev import embedded
from ticketsvc.server import logs, trace_context
from ticketsvc.server.metrics import board

settings = Config.from_env()
if settings.otlp_endpoint:
    trace_context.check_installed()

bind = f"0.0.0.0:{settings.port}"
workers = settings.workers
worker_class = "ticketsvc.server.worker.Worker"
worker_connections = 1000
max_requests = settings.max_requests
max_requests_jitter = settings.max_requests // 2  # workers share the load evenly: they must not all go at once

# Longer than a router keeps an idle connection, so that the router closes it and no request meets a closed one.
keepalive = 95
# Below the 30 s after which a PaaS kills what it told to stop.
graceful_timeout = 20
timeout = 60

limit_request_line = 8190  # the most that gunicorn allows: a long search has to fit

control_socket_disable = True  # needs a writable home
logconfig_dict = logs.settings(settings.log_level)


def on_starting(server: Any) -> None:
    """Make the place for the workers' metrics, and start the embedded server, if that is what DATABASE_URL asks for.

    The workers inherit where both are.
    """
    board.Board.make()
    if embedded.is_embedded(settings.database_url):
        try:
            os.environ["DATABASE_URL"] = embedded.start(settings.database_url)
        except embedded.EmbeddedError as error:
            raise SystemExit(str(error)) from None


def when_ready(server: Any) -> None:
    """Say it when everybody may do everything."""
    if not settings.require_api_key:
        server.log.warning("REQUIRE_API_KEY is off: whoever reaches the port can read, change and delete every ticket")


def child_exit(server: Any, worker: Any) -> None:
    """Keep the counts of a worker that has ended."""
    if place := board.current():
        with suppress(OSError):
            place.bury(worker.pid)


def worker_exit(server: Any, worker: Any) -> None:
    """Keep a worker's last counts, and close its connections while its gevent still runs."""
    if getattr(worker, "wsgi", None):  # not if it could not be loaded
        worker.publish()
        worker.wsgi.extensions["ticketsvc"].database.close()

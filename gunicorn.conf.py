"""gunicorn's configuration: `gunicorn app:app`. The measurements behind the choices are in bench/results/1.0.0.md.

This file and what it imports run in the master, before a worker's gevent patches the standard library. They must not
import psycopg, which decides at import how it waits, nor `ticketsvc.server.metrics`, which opens a worker's files.
Whatever the master loads, its workers share in memory: that is why it imports modules that it does not use.

gunicorn reads FORWARDED_ALLOW_IPS itself: it names the proxies whose X-Forwarded-* headers count.
"""

from __future__ import annotations

import asyncio  # noqa: F401  # psycopg needs it
import gc
import os
import resource
import time
from typing import Any

import flask  # noqa: F401

from ticketsvc.config import Config
from ticketsvc.server import logs, metrics_files, trace_context
from ticketsvc.triage import encoder
from ticketsvc.triage.offline.classifier import OfflineClassifier

settings = Config.from_env()
if settings.otlp_endpoint:
    trace_context.check_installed()
classifier = encoder.load() if settings.triage_encoder else OfflineClassifier()

bind = f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
workers = settings.workers
worker_class = "ticketsvc.server.worker.Worker"
worker_connections = 1000  # a worker has EVENT_LISTENERS in addition
max_requests = settings.max_requests
max_requests_jitter = settings.max_requests // 2  # workers share the load evenly and would all be replaced at once

# Longer than routers keep idle connections: a router then closes them first and never sends to a closed one.
keepalive = 95
# Less than the 30 s after which platforms kill a process that they asked to stop.
graceful_timeout = 20
timeout = 60

limit_request_line = 8190  # gunicorn's maximum: a long search must fit

control_socket_disable = True  # it needs a writable home directory
logconfig_dict = logs.configuration(settings.log_level, settings.is_text_log)

SPARE_FILES = 200
"""Open files of a worker that are neither connections of clients nor of the database."""

POOLER_CHECK_SECONDS = 5
"""Interval at which the check of the connection pooler is repeated while the database is away."""


def on_starting(server: Any) -> None:
    """Create the metrics directory, and start the embedded PostgreSQL if DATABASE_URL asks for it.

    The workers inherit both through the environment. They also inherit what the first text loads: the encoder, if it is
    used, with 110 MB that they then share.
    """
    classifier.classify("Good morning")
    metrics_files.create_directory()
    raise_file_limit(server)
    os.environ["DATABASE_URL"] = settings.start_database()


def raise_file_limit(server: Any) -> None:
    """Let each worker have as many open files as connections, or warn that the system does not allow it."""
    needed = worker_connections + settings.event_listeners + settings.pool_size + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if -1 < soft < needed:  # -1 means no limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed if hard == -1 else min(needed, hard), hard))
    if -1 < hard < needed:
        server.log.warning("the limit of open files (ulimit -n) is %d, and the connections need %d", hard, needed)


def when_ready(server: Any) -> None:
    """Warn if the service requires no API keys."""
    if not settings.require_api_key:
        server.log.warning("REQUIRE_API_KEY is off: anyone who can reach the port can read, change and delete tickets")
        if "*" in settings.cors_origins:
            server.log.warning("CORS_ORIGINS is *: so can any web page that a user of this network visits")


def pre_fork(server: Any, worker: Any) -> None:
    """Give the worker the lowest free number, and exempt what it inherits from garbage collection.

    A collection writes to every object that it visits, and what a worker writes to is no longer shared memory.
    """
    gc.freeze()
    worker.number = metrics_files.free_number({other.number for other in server.WORKERS.values()})


def post_fork(server: Any, worker: Any) -> None:
    """Let the worker continue the metrics files of its number."""
    metrics_files.open_files(worker.number)


def post_worker_init(worker: Any) -> None:
    """Check the connection pooler, if there is one, without delaying requests. One worker logs what is wrong.

    While the database is away the check is repeated.
    """
    from ticketsvc.background import run_in_background
    from ticketsvc.commands import doctor
    from ticketsvc.problems import Unavailable

    def check() -> None:
        while True:
            try:
                finding = doctor.pooler(worker.wsgi.extensions["ticketsvc"].database)
                break
            except Unavailable:
                time.sleep(POOLER_CHECK_SECONDS)
        if finding.advice and worker.number == 1:
            worker.log.error(f"{finding.found} {finding.advice}")

    run_in_background(check)


def child_exit(server: Any, worker: Any) -> None:
    """Remove an ended worker's gauges."""
    metrics_files.mark_process_dead(worker.number)


def worker_exit(server: Any, worker: Any) -> None:
    """Update a worker's counters a last time, and close its database connections while its gevent still runs."""
    if getattr(worker, "wsgi", None):  # not if it could not be loaded
        worker.publish()
        worker.wsgi.extensions["ticketsvc"].database.close()

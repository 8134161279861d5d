"""Logs for machines: one JSON object a line on standard output, one line a request.

No line has a ticket's text or a secret in it: of an exception only its type and where it was raised are written,
because messages of the database quote rows.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
import traceback
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ticketsvc.server.metrics.counts import COUNTS
from ticketsvc.server.trace_context import read, trace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

API_KEY_NAME = "ticketsvc.key"
"""The key of the WSGI environment under which the name of the API key is stored."""

DEFAULT_CSP = "default-src 'none'; frame-ancestors 'none'"
"""The content security policy of answers without one of their own: a browser that shows them loads nothing for them."""

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)
_logger = logging.getLogger("ticketsvc.requests")


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object; `extra={"fields": {...}}` adds members to it."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1]:
            fields = {**fields, **_describe(record.exc_info[1])}
        return _line(record.created, record.levelname.lower(), record.name, record.getMessage(), fields)


def settings(level: str) -> dict[str, Any]:
    """The logging of a process, for logging.config.dictConfig: everything goes to standard output."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "ticketsvc.server.logs.JsonFormatter"}},
        "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
        "root": {"level": level, "handlers": ["stdout"]},
        "loggers": {"gunicorn.error": {"level": level, "handlers": [], "propagate": True}},
    }


class RequestMiddleware:
    """WSGI middleware: gives every request an id (X-Request-Id, taken or made) and a line in the log."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request; the line is written when the answer is ready to be sent."""
        started = time.perf_counter()
        given = environ.get("HTTP_X_REQUEST_ID", "")
        identifier = given if _ACCEPTABLE_ID.fullmatch(given) else os.urandom(16).hex()
        request_id.set(identifier)
        traced = read(environ["HTTP_TRACEPARENT"]) if "HTTP_TRACEPARENT" in environ else None
        trace.set(traced)
        answered, route = "", None

        def start(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
        ) -> Any:
            nonlocal answered, route
            answered = status
            rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
            route = rule and rule.rule
            headers.append(("X-Request-Id", identifier))
            headers.append(("X-Content-Type-Options", "nosniff"))
            if not any(name == "Content-Security-Policy" for name, _ in headers):
                headers.append(("Content-Security-Policy", DEFAULT_CSP))
            return start_response(status, headers, exc_info)

        body = self.app(environ, start)
        seconds = time.perf_counter() - started
        COUNTS.request(route, environ["REQUEST_METHOD"], answered[:3], seconds)
        if _logger.isEnabledFor(logging.INFO):
            key = environ.get(API_KEY_NAME)
            # Past the logger and the encoder, which cost ten times as much. What is not quoted needs no escape.
            sys.stdout.write(
                f'{{"time": "{_rfc3339(time.time())}", "level": "info", "logger": "{_logger.name}", '
                f'"message": "request", "request_id": "{identifier}", "method": {_quoted(environ["REQUEST_METHOD"])}, '
                f'"route": {_quoted(route)}, "status": {answered[:3]}, "duration_ms": {seconds * 1000:.3f}'
                + (f', "trace_id": "{traced.trace_id}", "parent_id": "{traced.parent_id}"' if traced else "")
                + (f', "key": {_quoted(key)}}}\n' if key else "}\n")
            )
            sys.stdout.flush()
        return body


_quoted = lru_cache(256)(json.dumps)


@lru_cache(2)
def _second(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


def _rfc3339(at: float) -> str:
    return f"{_second(int(at))}.{int(at % 1 * 1000):03d}Z"


def _line(at: float, level: str, logger: str, message: str, fields: dict[str, object]) -> str:
    """One line of the log; `at` is seconds since 1970."""
    line = {
        "time": _rfc3339(at),
        "level": level,
        "logger": logger,
        "message": message,
        "request_id": request_id.get(),
        **(traced._asdict() if (traced := trace.get()) else {}),
        **fields,
    }
    return _ENCODER.encode(line)


def _describe(error: BaseException) -> dict[str, object]:
    kind = type(error)
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return {
        "error": f"{kind.__module__}.{kind.__qualname__}",
        "sqlstate": getattr(error, "sqlstate", None),
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }

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

from flask import Flask, Response, g, request

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_STANDARD = frozenset(vars(logging.makeLogRecord({})))
logger = logging.getLogger("ticketsvc.requests")


class JsonFormatter(logging.Formatter):
    """Writes a record, and the `extra` it was logged with, as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1]:
            line |= _describe(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(level: str) -> None:
    """Send the logs of this process to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def register(app: Flask) -> None:
    """Give every request of an application an id (X-Request-Id, taken or made) and a line in the log."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    request_id.set(given if _ACCEPTABLE_ID.fullmatch(given) else os.urandom(16).hex())
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = request_id.get() or ""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    logger.info(
        "request",
        extra={
            "method": request.method,
            "route": request.url_rule.rule if request.url_rule else None,
            "status": response.status_code,
            "duration_ms": round((time.perf_counter() - g.started) * 1000, 3),
        },
    )
    return response


def _describe(error: BaseException) -> dict[str, object]:
    kind = type(error)
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return {
        "error": f"{kind.__module__}.{kind.__qualname__}",
        "sqlstate": getattr(error, "sqlstate", None),
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }

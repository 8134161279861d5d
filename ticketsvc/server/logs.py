"""The log: one JSON object a line on standard output.

No line contains a ticket's text or a secret. Of an exception only its type and its place in the code are logged,
because the messages of PostgreSQL quote rows.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from ticketsvc.server.trace_context import trace

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def configuration(level: str) -> dict[str, Any]:
    """Return the argument of `logging.config.dictConfig` that sends everything of this level to standard output."""
    above_info = level if level == "ERROR" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "ticketsvc.server.logs.JsonFormatter"}},
        "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
        "root": {"level": level, "handlers": ["stdout"]},
        "loggers": {
            "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
            # These log the URLs and the headers of requests, which may contain credentials.
            **{name: {"level": above_info} for name in ("httpcore2", "httpx2", "openai")},
        },
    }


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object. `extra={"fields": {...}}` adds members to it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        fields: dict[str, object] = getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1]:
            fields = {**fields, **_error_fields(record.exc_info[1])}
        line: dict[str, object] = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
            **(current._asdict() if (current := trace.get()) else {}),
            **fields,
        }
        return json.dumps(line, ensure_ascii=False, default=str)


def rfc3339(at: float) -> str:
    """Return a Unix time in UTC with milliseconds."""
    return f"{_utc_second(int(at))}.{int(at % 1 * 1000):03d}Z"


@lru_cache(2)
def _utc_second(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


def _error_fields(error: BaseException) -> dict[str, object]:
    kind = type(error)
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return {
        "error": f"{kind.__module__}.{kind.__qualname__}",
        "sqlstate": getattr(error, "sqlstate", None),
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }

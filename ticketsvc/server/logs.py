"""The log on standard output: a JSON object in each line, or text for people (LOG_FORMAT).

No line contains a ticket's text or a secret. Of an exception only its type and its place in the code are logged,
because the messages of PostgreSQL quote rows.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from ticketsvc.server.trace_context import trace

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


_quoted = lru_cache(256)(json.dumps)
# A logger with JsonFormatter takes 19 us for each request, json.dumps of the whole line 7 us more than this template.
_JSON_REQUEST = (
    '{"time": "%s", "level": "info", "logger": "ticketsvc.requests", "message": "request", "request_id": "%s", '
    '"method": %s, "route": %s, "status": %s, "duration_ms": %.3f%s}\n'
)
_COLOURS = {"2": "32", "3": "36", "4": "33", "5": "31", "WARNING": "33", "ERROR": "31", "CRITICAL": "31"}
"""ANSI codes by the first digit of a status and by level: green, cyan, yellow, red."""


def configuration(level: str, is_text: bool) -> dict[str, Any]:
    """Return the argument of `logging.config.dictConfig` that sends everything of this level to standard output."""
    above_info = level if level == "ERROR" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": TextFormatter if is_text else JsonFormatter}},
        "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"}},
        "root": {"level": level, "handlers": ["stdout"]},
        "loggers": {
            "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
            # These log the URLs and the headers of requests, which may contain credentials.
            **{name: {"level": above_info} for name in ("httpcore2", "httpx2", "openai")},
        },
    }


def json_request(method: str, route: str | None, status: str, seconds: float, fields: dict[str, str]) -> str:
    """Return the line of a request. `fields` are the members that not every request has."""
    more = f", {json.dumps(fields)[1:-1]}" if fields else ""
    values = (_quoted(method), _quoted(route), status, seconds * 1000, more)
    return _JSON_REQUEST % (rfc3339(time.time()), request_id.get(), *values)


def text_request(method: str, route: str | None, status: str, seconds: float, fields: dict[str, str]) -> str:
    """Return the line of a request for people."""
    result = f"{_local_time(time.time())} {_coloured(status, status[0])} {method:7} {route or '(no such path)'}"
    more = "".join(f"  {name} {fields[name]}" for name in ("key", "tool") if name in fields)
    return f"{result}  {seconds * 1000:.1f} ms{more}\n"


class TextFormatter(logging.Formatter):
    """Formats a record for people. An error is followed by its fields and by where it was raised."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, or as several if it has fields."""
        level = f"{_coloured(record.levelname, record.levelname)}: " if record.levelno >= logging.WARNING else ""
        first = f"{_local_time(record.created)} {level}{record.getMessage()}"
        fields = [f"{name}: {value}" for name, value in record_fields(record).items() if value is not None]
        return "\n    ".join([first, *fields])


def _coloured(text: str, kind: str) -> str:
    code = _COLOURS.get(kind) if sys.stdout.isatty() else None
    return f"\033[{code}m{text}\033[0m" if code else text


def _local_time(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object. `extra={"fields": {...}}` adds members to it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line: dict[str, object] = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
            **(current._asdict() if (current := trace.get()) else {}),
            **record_fields(record),
        }
        return json.dumps(line, ensure_ascii=False, default=str)


def record_fields(record: logging.LogRecord) -> dict[str, object]:
    """Return the fields of a record, which those of its exception follow."""
    fields: dict[str, object] = getattr(record, "fields", {})
    if record.exc_info and record.exc_info[1]:
        fields = {**fields, **_error_fields(record.exc_info[1])}
    return fields


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

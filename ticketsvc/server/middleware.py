"""WSGI middleware that gives each request an id, security headers, metrics and a line in the log."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from typing import TYPE_CHECKING, Any

from ticketsvc.server import logs, metrics, trace_context
from ticketsvc.server.security_headers import SECURITY_HEADERS
from ticketsvc.server.waiting import WaitingBody

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

API_KEY_NAME = "ticketsvc.key"
"""The member of the WSGI environment that holds the name of the request's API key."""
TOOL = "ticketsvc.tool"
"""The member of the WSGI environment that holds the name of the tool that an MCP client used."""

_VALID_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_logger = logging.getLogger("ticketsvc.requests")


class RequestMiddleware:
    """WSGI middleware around the whole application."""

    def __init__(self, app: WSGIApplication, is_text_log: bool = False) -> None:
        self.app = app
        self.log_line = logs.text_request if is_text_log else logs.json_request

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request. It is counted and logged when its response is ready to be sent, or has waited for events.

        The log then has the whole duration, the metrics have that of the work before the wait.
        """
        started = time.perf_counter()
        identifier = environ.get("HTTP_X_REQUEST_ID", "")
        if not _VALID_ID.fullmatch(identifier):
            identifier = os.urandom(16).hex()
        logs.request_id.set(identifier)
        traced = trace_context.read(environ["HTTP_TRACEPARENT"]) if "HTTP_TRACEPARENT" in environ else None
        trace_context.trace.set(traced)
        status_line, route = "", None

        def start(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
        ) -> Any:
            nonlocal status_line, route
            status_line = status
            rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
            route = rule and rule.rule
            names = [name for name, _ in headers]
            headers += [header for header in SECURITY_HEADERS.items() if header[0] not in names]
            headers.append(("X-Request-Id", identifier))
            return start_response(status, headers, exc_info)

        body = self.app(environ, start)
        seconds = time.perf_counter() - started

        def record(route: str | None, logged: float) -> None:
            metrics.count_request(route, environ["REQUEST_METHOD"], status_line[:3], seconds)
            if _logger.isEnabledFor(logging.INFO):
                fields: dict[str, str] = traced._asdict() if traced else {}
                if key := environ.get(API_KEY_NAME):
                    fields["key"] = key
                if tool := environ.get(TOOL):
                    fields["tool"] = tool
                sys.stdout.write(self.log_line(environ["REQUEST_METHOD"], route, status_line[:3], logged, fields))
                sys.stdout.flush()

        if isinstance(body, WaitingBody):
            waited_for = body.route
            body.at_end.append(lambda: record(waited_for, time.perf_counter() - started))
        else:
            record(route, seconds)
        return body

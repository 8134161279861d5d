"""OpenTelemetry spans: one for each request, and within it one for each statement, named after its query.

Optional: OTEL_EXPORTER_OTLP_ENDPOINT enables it, and requirements-otel.txt lists its packages. Otherwise this module is
not imported. OpenTelemetry reads the other OTEL_ variables itself. Spans contain no ticket's text, no parameters of
statements and no query strings.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import propagate
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from ticketsvc.server.metrics import UNMATCHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask


def install(app: Flask) -> None:
    """Create spans of an application's requests and statements, and start the thread that sends them."""
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "ticketsvc"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("ticketsvc")
    app.extensions["ticketsvc.opentelemetry"] = provider
    app.wsgi_app = TracedRequests(app.wsgi_app, tracer)  # type: ignore[method-assign]
    app.extensions["ticketsvc"].database.trace = partial(_trace_query, tracer)


class TracedRequests:
    """WSGI middleware that creates a span for each request, as a child of the client's span."""

    def __init__(self, app: WSGIApplication, tracer: Tracer) -> None:
        self.app = app
        self._tracer = tracer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request. The span ends when the response is ready to be sent."""
        method = environ["REQUEST_METHOD"]
        headers = {name: environ.get(f"HTTP_{name.upper()}", "") for name in ("traceparent", "tracestate")}
        context = propagate.extract(headers)
        with self._tracer.start_as_current_span(method, context, SpanKind.SERVER) as span:
            propagate.inject(headers)
            environ["HTTP_TRACEPARENT"] = headers["traceparent"]  # so that the log names this span

            def start(status: str, *others: Any) -> Any:
                if not span.is_recording():  # the response has waited for events
                    return start_response(status, *others)
                rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
                route = rule.rule if rule else UNMATCHED
                span.update_name(f"{method} {route}")
                span.set_attributes(
                    {"http.request.method": method, "http.route": route, "http.response.status_code": int(status[:3])}
                )
                if status >= "5":
                    span.set_status(StatusCode.ERROR)
                return start_response(status, *others)

            return self.app(environ, start)


@contextmanager
def _trace_query(tracer: Tracer, name: str) -> Iterator[None]:
    attributes = {"db.system.name": "postgresql", "db.query.summary": name}
    with tracer.start_as_current_span(
        name, kind=SpanKind.CLIENT, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except Exception as error:
            span.set_status(StatusCode.ERROR, type(error).__name__)  # its message could quote a row
            raise

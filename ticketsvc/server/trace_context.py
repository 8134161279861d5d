"""The trace of a request, as its client names it (W3C Trace Context, https://www.w3.org/TR/trace-context/)."""

from __future__ import annotations

import re
from contextvars import ContextVar
from importlib.util import find_spec
from typing import NamedTuple

from ticketsvc.config import ConfigError

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")

_EXPORTER = "opentelemetry.exporter.otlp.proto.http"


class Trace(NamedTuple):
    """`parent_id` is the client's span, or the service's own span of this request if it creates spans."""

    trace_id: str
    parent_id: str


trace: ContextVar[Trace | None] = ContextVar("trace", default=None)


def read(header: str) -> Trace | None:
    """Return the trace that a `traceparent` names, or None if it is invalid (section 3.2).

    Versions later than 00 may have more fields at the end.
    """
    found = _TRACEPARENT.fullmatch(header)
    if not found or (found[1] == "00" and found[4] is not None):
        return None
    return Trace(found[2], found[3])


def check_installed() -> None:
    """Check that OpenTelemetry is installed, without importing it. Raises ConfigError."""
    try:
        is_missing = find_spec("opentelemetry.sdk") is None or find_spec(_EXPORTER) is None
    except ModuleNotFoundError:
        is_missing = True
    if is_missing:
        raise ConfigError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed. "
            "Run `pip install -r requirements-otel.txt`, or unset it."
        )

"""The trace that a request belongs to, as its caller says (W3C Trace Context, https://www.w3.org/TR/trace-context/)."""

from __future__ import annotations

import re
from contextvars import ContextVar
from importlib.util import find_spec
from typing import NamedTuple

from ticketsvc.config import ConfigError

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")

_EXPORTER = "opentelemetry.exporter.otlp.proto.http"


class Trace(NamedTuple):
    """`parent_id` is the span that called: the caller's, or the service's own for this request if it makes spans."""

    trace_id: str
    parent_id: str


trace: ContextVar[Trace | None] = ContextVar("trace", default=None)


def read(header: str) -> Trace | None:
    """The trace of a `traceparent`; None for one that the specification (section 3.2) says to ignore.

    A version later than 00 may have more fields at its end.
    """
    found = _TRACEPARENT.fullmatch(header)
    if not found or (found[1] == "00" and found[4] is not None):
        return None
    return Trace(found[2], found[3])


def check_installed() -> None:
    """Find out, without importing them, whether the packages that make spans are there. Raises ConfigError."""
    try:
        is_missing = find_spec("opentelemetry.sdk") is None or find_spec(_EXPORTER) is None
    except ModuleNotFoundError:
        is_missing = True
    if is_missing:
        raise ConfigError(
            "OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, but OpenTelemetry is not installed: "
            "run `pip install -r requirements-otel.txt`, or unset it."
        )

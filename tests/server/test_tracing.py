"""Traces: `traceparent` in the log always; spans where OTEL_EXPORTER_OTLP_ENDPOINT asks for them."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT, serve
from tests.server.test_logs import line_of, lines
from tests.support.commands import run
from tests.support.locks import wait_until
from ticketsvc.config import ConfigError
from ticketsvc.server.logs import JsonFormatter
from ticketsvc.server.trace_context import Trace, check_installed, read, trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask
    from pytest_httpserver import HTTPServer

    from tests.support.http import Service

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADER = f"00-{TRACE}-{PARENT}-01"


def is_installed() -> bool:
    """Return whether the optional packages are installed; development does not need them."""
    try:
        check_installed()
    except ConfigError:
        return False
    return True


INSTALLED = is_installed()
needs_packages = pytest.mark.skipif(not INSTALLED, reason="requirements-otel.txt is not installed")


@pytest.mark.parametrize("header", [HEADER, f"00-{TRACE}-{PARENT}-00", f"cc-{TRACE}-{PARENT}-01-what-comes-later"])
def test_a_traceparent_is_read(header: str) -> None:
    assert read(header) == Trace(TRACE, PARENT)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        HEADER.upper(),
        HEADER[:-1],
        f"{HEADER}-more",
        f"{HEADER}\n",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"00-{TRACE}-{PARENT}",
        f"cc-{TRACE}-{PARENT}-01.more",
        f"00-{TRACE}٣-{PARENT}-01",
    ],
)
def test_invalid_traceparent_is_ignored(header: str) -> None:
    assert read(header) is None


def test_the_log_names_the_trace(service: Service) -> None:
    line = line_of(service, service.call("GET", "/livez", headers={"traceparent": HEADER}))
    assert (line["trace_id"], line["parent_id"]) == (TRACE, PARENT)
    for headers in ({}, {"traceparent": '00-"},{'}):
        assert "trace_id" not in line_of(service, service.call("GET", "/livez", headers=headers))


def test_all_log_lines_of_a_request_name_the_trace() -> None:
    token = trace.set(Trace(TRACE, PARENT))
    try:
        line = json.loads(JsonFormatter().format(logging.makeLogRecord({"msg": "x"})))
    finally:
        trace.reset(token)
    assert (line["trace_id"], line["parent_id"]) == (TRACE, PARENT)


def test_trace_ends_with_its_request(service: Service) -> None:
    with_trace = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: carry-1\r\ntraceparent: " + HEADER.encode()
    service.raw(
        with_trace + b"\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: carry-2\r\nConnection: close\r\n\r\n"
    )
    wait_until(lambda: [line for line in lines(service) if line["request_id"] == "carry-2"])
    (first,) = [line for line in lines(service) if line["request_id"] == "carry-1"]
    (second,) = [line for line in lines(service) if line["request_id"] == "carry-2"]
    assert first["trace_id"] == TRACE
    assert "trace_id" not in second


def test_tracing_packages_are_not_imported_by_default() -> None:
    program = "import app, sys; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    command = [sys.executable, "-c", program]
    environment = {"DATABASE_URL": "postgresql://127.0.0.1:1/x"}
    assert subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True).stdout == b"[]\n"


@pytest.mark.skipif(INSTALLED, reason="requirements-otel.txt is installed")
@pytest.mark.parametrize("command", [("flask", "routes"), ("gunicorn", "app:app")])
def test_missing_tracing_packages_are_named_in_the_error(command: tuple[str, ...]) -> None:
    settings = {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    status, printed = run(*command, **settings)
    assert status == 1
    assert "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed" in printed
    assert "pip install -r requirements-otel.txt" in printed
    assert "Traceback" not in printed


@needs_packages
def test_spans_of_a_request_and_its_statements(
    make_app: Callable[..., Flask], httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    httpserver.expect_request("/v1/traces").respond_with_data(b"", content_type="application/x-protobuf")
    endpoint = httpserver.url_for("/").rstrip("/")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    app = make_app(otlp_endpoint=endpoint)
    client = app.test_client()
    client.get("/api/tickets?search=xylophone", headers={"traceparent": HEADER})
    client.post("/api/tickets", json={"title": "xylophone", "description": "xylophone"})
    client.get("/nothing/xylophone")
    app.extensions["ticketsvc.opentelemetry"].shutdown()
    bodies = [request.get_data() for request, _ in httpserver.log]
    exports = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    spans = [
        span
        for export in exports
        for resource in export.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    by_name = {span.name: span for span in spans}
    listed, searched = by_name["GET /api/tickets"], by_name["tickets.search_scan"]
    assert (listed.trace_id.hex(), listed.parent_span_id.hex()) == (TRACE, PARENT)
    assert (searched.trace_id.hex(), searched.parent_span_id) == (TRACE, listed.span_id)
    assert by_name["tickets.create"].parent_span_id == by_name["POST /api/tickets"].span_id
    assert "GET unmatched" in by_name
    assert not [body for body in bodies if b"xylophone" in body]


@needs_packages
def test_under_gunicorn_spans_are_sent_and_the_log_names_them(
    database_url: str, tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/v1/traces").respond_with_data(b"", content_type="application/x-protobuf")
    settings = {
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "OTEL_EXPORTER_OTLP_ENDPOINT": httpserver.url_for("/").rstrip("/"),
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with serve(database_url, tmp_path / "log", **settings) as service:
        line = line_of(service, service.call("GET", "/api/tickets", headers={"traceparent": HEADER}))
        assert line["trace_id"] == TRACE
        assert line["parent_id"] != PARENT
        wait_until(lambda: [request for request, _ in httpserver.log if TRACE in request.get_data().hex()])

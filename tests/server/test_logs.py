"""The log: one JSON object a line, one line a request, and never a ticket's text or a secret."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.conftest import ROOT, serve
from tests.support.locks import wait_until
from ticketsvc.server import logs

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpserver import HTTPServer

    from tests.support.http import Response, Service

URL = "/api/tickets/"
ROUTE = "/api/tickets"
WORDS = "xylophone quagmire"
PASSWORD = "p4ssw0rd-of-the-url"
API_KEY = "sk-planted-key"
MODEL_PASSWORD = "p4ssw0rd-of-the-model"
SECRETS = ["xylophone", "quagmire", PASSWORD, API_KEY, "planted", MODEL_PASSWORD]

RAISE = """
CREATE FUNCTION quote_the_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.title LIKE '%defect%' THEN
        RAISE EXCEPTION 'this row is bad: %', NEW USING DETAIL = NEW.description, HINT = NEW.title;
    END IF;
    NEW.version := 0;  -- breaks a rule of the table: Postgres's message quotes the whole row
    RETURN NEW;
END $$;
CREATE TRIGGER quote_the_row BEFORE INSERT ON tickets
    FOR EACH ROW WHEN (NEW.title LIKE 'bad%') EXECUTE FUNCTION quote_the_row()
"""


def lines(service: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.log.read_text().splitlines()]


def line_of(service: Service, response: Response) -> dict[str, Any]:
    """Return the log line of a request."""
    given = response.headers["X-Request-Id"]
    found: list[dict[str, Any]] = []

    def written() -> bool:
        found[:] = [line for line in lines(service) if line["request_id"] == given and line["message"] == "request"]
        return bool(found)

    wait_until(written)
    (line,) = found
    return line


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", URL, ROUTE, 200),
        ("GET", "/api/tickets?search=quagmire", ROUTE, 200),
        ("HEAD", URL, ROUTE, 200),
        ("GET", f"{URL}01890000-0000-7000-8000-000000000000", f"{ROUTE}/<uuid:ticket_id>", 404),
        ("PUT", URL, None, 405),
        ("GET", "/nothing/xylophone", None, 404),
        ("POST", URL, ROUTE, 400),
        ("GET", f"{URL}?sort=xylophone", ROUTE, 400),
        ("GET", "/livez", "/livez", 200),
    ],
)
def test_each_request_has_one_line(service: Service, method: str, path: str, route: str | None, status: int) -> None:
    line = line_of(service, service.call(method, path))
    found = line["route"] and line["route"].rstrip("/")
    assert (line["method"], found, line["status"]) == (method, route, status)
    assert 0 < line["duration_ms"] < 30_000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert line["level"] == "info"


@pytest.mark.parametrize("given", ["a", "01890000-0000-7000-8000-000000000000", "Root=1-67891233:abc/=+@.", "a" * 128])
def test_given_request_id_is_used(service: Service, given: str) -> None:
    response = service.call("GET", "/livez", headers={"X-Request-Id": given})
    assert response.headers.get_all("X-Request-Id") == [given]
    assert line_of(service, response)["request_id"] == given


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b" ",
        b"a b",
        b'","level":"error',
        b"a\tb",
        b"\xc3\xa9",
        b"\xff",
        b"{}",
        b"a" * 129,
        b"<b>",
        b"a\r\nX-Request-Id: b",
    ],
)
def test_invalid_request_id_is_replaced(service: Service, given: bytes) -> None:
    head = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: " + given + b"\r\n\r\n"
    (made,) = re.findall(rb"X-Request-Id: (.*?)\r\n", service.raw(head))
    assert re.fullmatch(rb"[0-9a-f]{32}", made)
    lines(service)


def test_no_secret_and_no_ticket_is_in_the_log(own_url: str, tmp_path: Path, httpserver: HTTPServer) -> None:
    url = f"{own_url}&password={PASSWORD}"
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(RAISE.encode())
    httpserver.expect_request("/v1/chat/completions").respond_with_json({})
    model = f"http://ann:{MODEL_PASSWORD}@127.0.0.1:{httpserver.port}/v1"
    outside = {"OPENAI_API_KEY": API_KEY, "OPENAI_BASE_URL": model, "OPENAI_TIMEOUT": "10"}
    with serve(url, tmp_path / "log", WEB_CONCURRENCY="1", LOG_LEVEL="DEBUG", **outside) as service:
        everything(service)
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'ticketsvc' AND datname = current_database()"
            )
            name = database.info.dbname
        with psycopg.connect(url.replace(name, "postgres"), autocommit=True) as database:
            database.execute(f"ALTER DATABASE {name} RENAME TO away_{name}".encode())
        assert service.call("GET", f"{URL}?search={WORDS.split()[0]}").status == 503
        assert service.call("POST", URL, {"title": WORDS, "description": WORDS}).status == 503
    assert {line["level"] for line in lines(service)} >= {"debug", "info", "warning", "error"}
    log = service.log.read_text()
    assert [secret for secret in SECRETS if secret in log] == []
    assert httpserver.log, "the model was not asked"


def everything(service: Service) -> None:
    """Send requests of all kinds, each with words that must not be in the log."""
    text = {"title": WORDS, "description": WORDS}
    created = service.call("POST", URL, text)
    path = created.headers["Location"]
    spaced = WORDS.replace(" ", "%20")
    expected = [
        (service.call("PATCH", path, {"description": f"{WORDS}!"}), 200),
        (service.call("PATCH", path, {"status": "xylophone"}), 400),
        (service.call("GET", f"{URL}?search={spaced}"), 200),
        (service.call("GET", f"{URL}?category={spaced}"), 400),
        (service.call("GET", f"{URL}?xylophone=1"), 400),
        (service.call("GET", f"{URL}?cursor=xylophone"), 400),
        (service.call("POST", "/api/tickets/classify/", {"description": WORDS}), 200),
        (service.call("POST", URL, {"title": "bad", "description": WORDS}), 500),
        (service.call("POST", URL, {"title": f"bad defect {WORDS}", "description": WORDS}), 500),
        (service.call("POST", URL, b"{" + WORDS.encode()), 400),
        (service.call("POST", URL, text, {"Content-Type": "text/xylophone"}), 415),
        (service.call("GET", URL, headers={"Accept": "text/xylophone"}), 406),
        (service.call("GET", path, headers={"If-None-Match": '"xylophone"', "Authorization": "Bearer planted"}), 200),
        (service.call("DELETE", path, headers={"If-Match": '"xylophone"'}), 412),
    ]
    assert [(response.status, status) for response, status in expected if response.status != status] == []
    unknown_coding = b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xylophone\r\n\r\n"
    assert b" 501 " in service.raw(unknown_coding).partition(b"\r\n")[0]
    for request in (
        b"GET /xylophone quagmire HTTP/1.1\r\n\r\n",
        b"xylophone\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nxylophone quagmire\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: xylophone\r\n\r\n",
        b"POST " + URL.encode() + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxylophone\r\n",
    ):
        assert b" 400 " in service.raw(request).partition(b"\r\n")[0]


def test_text_is_for_people(database_url: str, tmp_path: Path) -> None:
    with serve(database_url, tmp_path / "log", LOG_FORMAT="text") as service:
        service.call("GET", f"{URL}?search=xylophone")
        service.call("PUT", "/nothing/xylophone")
    text = service.log.read_text()
    assert re.search(r"^\d\d:\d\d:\d\d 200 GET     /api/tickets/?  \d+\.\d ms$", text, re.MULTILINE)
    assert re.search(r"^\d\d:\d\d:\d\d 40[45] PUT     \(no such path\)  \d+\.\d ms$", text, re.MULTILINE)
    assert re.search(r"^\d\d:\d\d:\d\d WARNING: REQUIRE_API_KEY is off", text, re.MULTILINE)
    assert "xylophone" not in text
    assert "{" not in text


def test_text_of_an_error_has_its_place_but_not_its_message() -> None:
    try:
        raise ValueError("secret")
    except ValueError as error:
        record = logging.makeLogRecord({"msg": "it failed", "levelno": logging.ERROR, "levelname": "ERROR"})
        record.exc_info = (ValueError, error, error.__traceback__)
    text = logs.TextFormatter().format(record)
    assert re.search(r"ERROR: it failed\n    error: builtins.ValueError\n    trace: .*test_logs.py:\d+", text)
    assert "secret" not in text


@pytest.mark.parametrize(
    ("given", "is_terminal", "is_text"),
    [("", True, True), ("", False, False), ("json", True, False), ("text", False, True)],
)
def test_format_is_text_on_a_terminal_by_default(given: str, is_terminal: bool, is_text: bool) -> None:
    program = "import sys; from ticketsvc.config import Config; sys.exit(Config.from_env().is_text_log)"
    main, terminal = os.openpty()
    process = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"DATABASE_URL": "postgresql://h/n", "LOG_FORMAT": given},
        stdout=terminal if is_terminal else subprocess.DEVNULL,
        check=False,
    )
    os.close(main)
    os.close(terminal)
    assert process.returncode == is_text

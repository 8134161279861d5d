"""X-Request-Id: accepted or generated, returned and logged."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support.tickets import URL

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.http import Service

PATHS = [URL, f"{URL}stats/", "/livez", "/nowhere", f"{URL}?limit=0", f"{URL}1"]


@pytest.mark.parametrize("path", PATHS)
def test_a_given_id_is_used(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"X-Request-Id": "f058ebd6-02f7"})
    assert response.headers.getlist("X-Request-Id") == ["f058ebd6-02f7"]


@pytest.mark.parametrize("path", PATHS)
def test_a_missing_id_is_generated(client: FlaskClient, path: str) -> None:
    first, second = (client.get(path).headers["X-Request-Id"] for _ in range(2))
    assert len(first) >= 16
    assert first != second


@pytest.mark.parametrize(
    "given", ["", " ", "a b", "a\tb", "x" * 129, "x" * 10_000, "<script>", '"', "é", "\xff", "a;b", "{}"]
)
def test_an_invalid_id_is_replaced(client: FlaskClient, given: str) -> None:
    returned = client.get("/livez", headers={"X-Request-Id": given}).headers["X-Request-Id"]
    assert returned != given
    assert returned.isalnum()


@pytest.mark.parametrize("given", ["1", "x" * 128, "01J9Z-abc_DEF.9:/+=@", "Root=1-67891233-abcdef012345678912345678"])
def test_common_formats_are_accepted(client: FlaskClient, given: str) -> None:
    assert client.get("/livez", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"])
def test_every_method_returns_it(client: FlaskClient, method: str) -> None:
    assert "X-Request-Id" in client.open(URL, method=method).headers


def test_it_is_logged_once(service: Service) -> None:
    service.call("GET", f"{URL}?search=secret", headers={"X-Request-Id": "logged-once"})
    service.call("POST", URL, b"{", headers={"X-Request-Id": "logged-once-too"})
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    [line] = [line for line in lines if line["request_id"] == "logged-once"]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/tickets", 200)
    assert line["duration_ms"] >= 0
    assert "secret" not in json.dumps(line)
    [line] = [line for line in lines if line["request_id"] == "logged-once-too"]
    assert line["status"] == 400


def test_concurrent_requests_keep_their_ids(service: Service) -> None:
    def call(number: int) -> bool:
        response = service.call("GET", URL, headers={"X-Request-Id": f"number-{number}"})
        return response.headers["X-Request-Id"] == f"number-{number}"

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(call, range(80)))

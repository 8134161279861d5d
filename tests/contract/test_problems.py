"""Problem documents, on all routes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.tickets import TICKET, URL, file_ticket, problem
from ticketsvc.api.input.body import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service

ID = "0192a3b4-c5d6-7e8f-9012-3456789abcde"
ONE = URL + ID
METHODS = {
    URL: {"GET", "HEAD", "OPTIONS", "PATCH", "POST"},
    ONE: {"GET", "HEAD", "OPTIONS", "PATCH", "DELETE"},
    f"{ONE}/comments": {"GET", "HEAD", "OPTIONS", "POST"},
    f"{ONE}/comments/{ONE[-36:]}": {"GET", "HEAD", "OPTIONS", "DELETE"},
    f"{ONE}/history": {"GET", "HEAD", "OPTIONS"},
    f"{URL}claim/": {"OPTIONS", "POST"},
    f"{URL}stats/": {"GET", "HEAD", "OPTIONS"},
    f"{URL}classify/": {"OPTIONS", "POST"},
    f"{URL}import/": {"OPTIONS", "POST"},
    f"{URL}export/": {"GET", "HEAD", "OPTIONS"},
    "/livez": {"GET", "HEAD", "OPTIONS"},
    "/readyz": {"GET", "HEAD", "OPTIONS"},
}
EVERY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "FOO"]
NOWHERE = [
    *("/api", "/api/", "/api/ticket", "/api/tickets/1/2/3", "/api//tickets/", "//api/tickets/", "/api/tickets//"),
    *("/API/tickets/", "/favicon.ico", "/static/x", "/%00", "/%ff", "/\xe9", "/livez/x", "/readyz%20", "/a" * 1000),
    *(f"{URL}stats/x", f"{URL}Stats", f"{URL}classify%20", f"{ONE}/x", "/..", "/%2e%2e/etc/passwd", "/api/tickets;x=1"),
]


@pytest.mark.parametrize("path", NOWHERE)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_404(client: FlaskClient, path: str, method: str) -> None:
    problem(client.open(path, method=method), 404)


@pytest.mark.parametrize("path", METHODS)
def test_an_unsupported_method_is_405_with_allow(client: FlaskClient, path: str) -> None:
    for method in set(EVERY_METHOD) - METHODS[path]:
        response = client.open(path, method=method)
        problem(response, 405)
        assert set(response.headers["Allow"].split(", ")) == METHODS[path]


@pytest.mark.parametrize("path", [URL, ONE, f"{URL}stats/"])
@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml, text/*", "application/json;q=0", "image/*", "*;q=0", "a/b,,c/d"]
)
def test_accept_without_json_is_406(client: FlaskClient, path: str, accept: str) -> None:
    problem(client.get(path, headers={"Accept": accept}), 406)


@pytest.mark.parametrize(
    "accept",
    [
        *("", "*/*", "application/json", "application/*", "APPLICATION/JSON", "application/json;q=0.1"),
        *("text/html, */*;q=0.1", "application/json, text/plain, */*", "text/html, application/json"),
        *("application/json; charset=utf-8", "application/json;charset=UTF-8, text/plain"),
        *(
            "*",
            "*;q=.2",
            "*/*;q=.5",
            "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
            "application/problem+json",
        ),
        *("json", "text/html, garbage", "text/html;q=high", 'text/html;a="b,c"', "text/html, application/problem+json"),
    ],
)
def test_accept_with_json_works(client: FlaskClient, accept: str) -> None:
    assert client.get(URL, headers={"Accept": accept}).status_code == 200


@pytest.mark.parametrize(
    "accept", ["application/json;q=x", ";;;", ",,,", "\xff", "*/*;q=0", "/", "a" * 10_000, "a/b,\t" * 1000]
)
def test_a_malformed_accept_is_not_500(client: FlaskClient, accept: str) -> None:
    assert client.get(URL, headers={"Accept": accept}).status_code in (200, 406)


@pytest.mark.parametrize("path", [URL, f"{URL}export/"])
def test_an_accept_of_absurd_length_is_disregarded(client: FlaskClient, path: str) -> None:
    assert client.get(path, headers={"Accept": "a/b," * 250}).status_code == 406
    assert client.get(path, headers={"Accept": "a/b," * 8_000}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_over_the_limit_is_413(make_app: Callable[..., Flask], method: str) -> None:
    client = make_app(max_body_bytes=2000).test_client()
    path = URL + file_ticket(client)["id"] if method == "PATCH" else URL
    body = json.dumps(TICKET).encode()
    assert client.open(path, method=method, data=body.ljust(2000)).status_code < 300
    assert "2,000" in problem(client.open(path, method=method, data=body.ljust(2001)), 413)["detail"]


def test_a_body_over_the_limit_is_413_under_gunicorn(service: Service) -> None:
    body = json.dumps(TICKET).encode()
    for length, status in [(262_144, 201), (262_145, 413), (5_000_000, 413)]:
        response = service.call("POST", URL, body.ljust(length))
        assert (length, response.status) == (length, status)
    assert response.json["error"] == response.json["detail"]


@pytest.mark.parametrize(("length", "status"), [(100, 201), (262_145, 413)])
def test_the_limit_applies_to_chunked_bodies(service: Service, length: int, status: int) -> None:
    body = json.dumps(TICKET).encode().ljust(length)
    head = f"POST {URL} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
    chunked = f"Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    assert service.raw(head.encode() + chunked).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize("path", [URL, f"{URL}classify/", ONE])
def test_an_unsupported_media_type_is_415(client: FlaskClient, path: str) -> None:
    method = "PATCH" if path == ONE else "POST"
    problem(client.open(path, method=method, data=b"<a/>", content_type="application/xml"), 415)


@pytest.mark.parametrize("path", [URL, f"{URL}classify/", ONE])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"title": 5, "description": 5}'])
def test_an_invalid_body_is_400(client: FlaskClient, path: str, body: bytes) -> None:
    method = "PATCH" if path == ONE else "POST"
    problem(client.open(path, method=method, data=body, content_type="application/json"), 400)


@pytest.mark.parametrize(
    ("path", "instance"),
    [("/nowhere", "/nowhere"), (f"{URL}?limit=0", URL), ("/a%20b%C3%BC", "/a%20b%C3%BC"), (f"{URL}%22", f"{URL}%22")],
)
def test_instance_is_the_path(client: FlaskClient, path: str, instance: str) -> None:
    assert client.get(path).get_json()["instance"] == instance


@pytest.mark.parametrize("opening", ["[", '{"x":'])
@pytest.mark.parametrize(("depth", "status"), [(MAX_DEPTH, 201), (MAX_DEPTH + 1, 400), (500, 400)])
def test_nesting_of_a_body_is_limited(client: FlaskClient, opening: str, depth: int, status: int) -> None:
    value: object = []
    for _ in range(depth - 2):
        value = [value] if opening == "[" else {"x": value}
    response = client.post(URL, json={**TICKET, "x": value})
    assert response.status_code == status
    if status == 400:
        assert f"at most {MAX_DEPTH} levels" in problem(response, 400)["error"]


@pytest.mark.parametrize("path", [URL, f"{URL}?limit=x", "/nothing", "/livez", f"{URL}stats"])
def test_json_responses_have_a_restrictive_csp(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.headers.get_all("Content-Security-Policy") == ["default-src 'none'; frame-ancestors 'none'"]
    assert response.headers.get_all("X-Content-Type-Options") == ["nosniff"]


def test_problems_of_different_kinds_differ_in_type(client: FlaskClient) -> None:
    responses = [client.get("/nowhere"), client.put(URL), client.get(f"{URL}?limit=0"), client.post(URL, data=b"{")]
    assert len({response.get_json()["type"] for response in responses}) == 4
    assert client.get("/nowhere").get_json()["type"] == client.get(ONE).get_json()["type"]


def test_only_paths_of_tickets_are_explained_by_ids(client: FlaskClient) -> None:
    details = {path: client.get(path).get_json()["detail"] for path in ("/api/users", "/nothing", f"{URL}1")}
    assert ["UUID" in detail for detail in details.values()] == [False, False, True]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"title": "a\tb"}', "JSON: invalid control character at column 13"),
        (b'{"title": "a', "JSON: unterminated string starting at column 11"),
        (b'{\n"a": ?}', "JSON: expecting value at line 2, column 6"),
        ('{"é": ?}'.encode(), "JSON: expecting value at column 7"),
        (b'{"a": "\\uZZZZ"}', "JSON: invalid \\uXXXX escape at column 9"),
        (b"\xff{}", "UTF-8 at byte 1"),
        (b'{"a": NaN}', "JSON: NaN is not a JSON number"),
    ],
)
def test_bodies_and_lines_describe_syntax_errors_alike(client: FlaskClient, body: bytes, reason: str) -> None:
    response = client.post(URL, data=body, content_type="application/json")
    assert problem(response, 400)["detail"] == f"The body is not {reason}."
    if b"\n" not in body:
        file = client.post(f"{URL}import", data=body, content_type="application/x-ndjson")
        assert problem(file, 400)["errors"][0]["detail"] == f"The line is not {reason}."


def test_json_ends_with_a_line_end_and_has_no_other_white_space(client: FlaskClient) -> None:
    path = client.post(URL, json=TICKET).headers["Location"]
    client.patch(path, json={"title": "New", "status": "closed"})
    responses = [
        client.post(URL, json=TICKET, headers={"Idempotency-Key": "line"}),
        client.post(URL, json=TICKET, headers={"Idempotency-Key": "line"}),
        *[client.get(path + below) for below in ("", "/history")],
        *[client.get(f"{URL}{below}") for below in ("", "?search=nothing", "?limit=0", "nothing", "stats/triage")],
        *[client.get(f"{URL}stats{which}") for which in ("", "/daily", "/resolution", "?category=billing")],
        *[client.get(other) for other in ("/livez", "/readyz", "/nothing", "/openapi.json")],
        client.post(f"{URL}classify", json={"description": "I cannot log in"}),
        client.post(f"{URL}import", data=json.dumps(TICKET), content_type="application/x-ndjson"),
    ]
    for response in responses:
        value = json.loads(response.data, parse_float=lambda text: f"<{text}>")
        compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        assert response.text == re.sub(r'"<([0-9.]+)>"', r"\1", compact) + "\n"
        assert response.content_length == len(response.data)


def test_malformed_http_gets_a_line_of_json(service: Service) -> None:
    body = service.raw(b"garbage\r\n\r\n").partition(b"\r\n\r\n")[2]
    assert body.endswith(b"}\n")
    assert b'","status":400,' in body


def test_problems_are_not_cached(client: FlaskClient) -> None:
    for path in (ONE, "/nowhere", f"{URL}?limit=0"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_head_has_no_body(client: FlaskClient) -> None:
    response = client.head("/nowhere")
    assert (response.status_code, response.data, response.content_type) == (404, b"", "application/problem+json")


@pytest.mark.parametrize(
    "name", ["Host", "Content-Length", "Range", "Expect", "If-Modified-Since", "Cookie", "X-Forwarded-For"]
)
@pytest.mark.parametrize(
    "value", ["", "garbage", "\xff", "-1", "9" * 100, "a b", "x" * 10_000, "[::1", ":", "a:99999999"]
)
def test_a_malformed_header_is_not_500(client: FlaskClient, name: str, value: str) -> None:
    assert client.get(URL, headers={name: value}).status_code in (200, 400)
    if name != "Content-Length":
        response = client.post(URL, json=TICKET, headers={name: value})
        assert response.status_code in (201, 400)


@pytest.mark.parametrize("length", ["garbage", "-1", "1.5", "", "9" * 100, "٥"])
def test_a_malformed_content_length_is_not_500(client: FlaskClient, length: str) -> None:
    response = client.post(URL, data=b"{}", headers={"Content-Length": length})
    assert response.status_code in (400, 413)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"garbage\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 10_000 + b"\r\n\r\n", 431),
        (b"POST /api/tickets/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /api/tickets/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    ],
)
def test_malformed_http_gets_a_problem_document(service: Service, request_bytes: bytes, status: int) -> None:
    response = service.raw(request_bytes)
    assert response.startswith(f"HTTP/1.1 {status} ".encode())
    head, body = response.split(b"\r\n\r\n", 1)
    assert b"application/problem+json" in head
    assert json.loads(body)["error"] == json.loads(body)["detail"]


# --- random requests

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(["title", "description", "category", "priority", "status", "id"])
BODIES = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(FIELDS, JSON, max_size=6).map(json.dumps).map(str.encode),
    JSON.map(json.dumps),
)
PARAMETERS = [
    "category",
    "status",
    "created_since",
    "updated_before",
    "sort",
    "limit",
    "cursor",
    "count",
    "search",
    "x",
]
QUERIES = st.lists(st.tuples(st.sampled_from(PARAMETERS), st.text(max_size=30)), max_size=4)
FUZZ = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@FUZZ
@given(body=BODIES)
def test_no_body_causes_500(client: FlaskClient, body: bytes) -> None:
    for method, path in [("POST", URL), ("PATCH", ONE), ("POST", f"{URL}classify/"), ("DELETE", ONE)]:
        response = client.open(path, method=method, data=body, content_type="application/json")
        assert response.status_code < 500
        if response.status_code >= 400:
            problem(response, response.status_code)


@FUZZ
@given(query=QUERIES)
def test_no_query_causes_500(client: FlaskClient, query: list[tuple[str, str]]) -> None:
    for path in (URL, f"{URL}stats/", ONE, "/livez"):
        response = client.get(path, query_string=query)
        assert response.status_code < 500
        if response.status_code >= 400:
            problem(response, response.status_code)


@FUZZ
@given(query=st.binary(max_size=60))
def test_no_query_bytes_cause_500(client: FlaskClient, query: bytes) -> None:
    assert client.get(URL, query_string=query.decode("latin-1")).status_code in (200, 400)


@FUZZ
@given(path=st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_no_path_causes_500(client: FlaskClient, path: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        response = client.open(URL + quote(path), method=method, json={})
        assert response.status_code in (200, 404, 405)

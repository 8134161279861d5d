"""/ and /console/: how the page and its files are served (what the page does: tests/browser)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tickets import problem
from ticketsvc import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service

DIRECTORY = Path(__file__).parents[2] / "ticketsvc" / "static" / "console"
NAMES = sorted(path.name for path in DIRECTORY.iterdir() if path.name != "index.html")
MAX_BYTES = 260_000  # uncompressed, all files together


def address(client: FlaskClient, name: str) -> str:
    """Return the path of a file in the page."""
    found = re.search(r'"(console/[0-9a-f]{16}/)start\.js"', client.get("/").text)
    assert found
    return f"/{found[1]}{name}"


def test_it_works(client: FlaskClient) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.content_type == "text/html; charset=utf-8"
    assert "<title>Tickets</title>" in response.text
    assert "VERSION" not in response.text
    assert f">Ticket service {__version__}</span>" in response.text
    for name in re.findall(r'(?:href|src)="(console/[^"]+)"', response.text):
        assert client.get(f"/{name}").status_code == 200


def test_the_page_names_every_module_so_that_browsers_load_them_at_once(client: FlaskClient) -> None:
    named = re.findall(r'<link rel="modulepreload" href="console/[0-9a-f]{16}/([^"]+)">', client.get("/").text)
    assert sorted([*named, "start.js"]) == [name for name in NAMES if name.endswith(".js")]


def test_the_csp_allows_only_files_of_the_service(client: FlaskClient) -> None:
    policy = dict(part.split(" ", 1) for part in client.get("/").headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


def test_the_page_has_nothing_that_the_csp_forbids(client: FlaskClient) -> None:
    page = client.get("/").text
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=|https?://(?!www\.w3\.org)", page)


@pytest.mark.parametrize("name", NAMES)
def test_files_can_be_cached_permanently(client: FlaskClient, name: str) -> None:
    response = client.get(address(client, name))
    assert response.data == (DIRECTORY / name).read_bytes()
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    assert response.mimetype == kinds[name.rpartition(".")[2]]
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/", "start.js"])
def test_a_matching_if_none_match_is_304(client: FlaskClient, path: str) -> None:
    path = path if path == "/" else address(client, path)
    tag = client.get(path).headers["ETag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        response = client.get(path, headers={"If-None-Match": given})
        assert (response.status_code, response.data, response.headers["ETag"]) == (304, b"", tag)
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_page_is_always_revalidated(client: FlaskClient) -> None:
    assert client.get("/").headers["Cache-Control"] == "no-cache"


def test_files_for_another_release_are_not_cached(client: FlaskClient) -> None:
    response = client.get("/console/0123456789abcdef/start.js")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["nothing.js", "index.html", "..%2fconsole.py", "%2e%2e/config.py", "../../config.py", "start.js%00"]
)
def test_it_serves_nothing_else(client: FlaskClient, name: str) -> None:
    problem(client.get(address(client, name)), 404)


def test_it_needs_no_database(make_app: Callable[..., Flask]) -> None:
    client = make_app(database_url="postgresql://nobody@127.0.0.1:1/nothing").test_client()
    assert client.get("/").status_code == client.get(address(client, "start.js")).status_code == 200


def test_it_is_small(client: FlaskClient) -> None:
    total = sum(len(client.get(address(client, name)).data) for name in NAMES) + len(client.get("/").data)
    assert total <= MAX_BYTES


def test_it_works_under_gunicorn(service: Service) -> None:
    get, head = service.call("GET", "/"), service.call("HEAD", "/")
    assert (get.status, head.status, head.body) == (200, 200, b"")
    assert get.headers["Content-Length"] == head.headers["Content-Length"] == str(len(get.body))
    assert service.call("GET", "/", headers={"Accept": "text/html,application/xhtml+xml"}).status == 200
    assert service.call("POST", "/").status == 405

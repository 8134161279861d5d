"""GET /docs and the pages below it, and the files that they load."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.contract.test_openapi import every_problem
from tests.support.openapi_contract import DOCUMENT
from tests.support.tickets import URL, problem
from ticketsvc.api.docs import FILES as DIRECTORY

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.http import Service

NAMES = DOCUMENT.raw["components"]["parameters"]["page"]["schema"]["enum"]
PAGES = ["/docs", *(f"/docs/{name}" for name in NAMES)]
FILES = sorted(str(path.relative_to(DIRECTORY)) for path in DIRECTORY.rglob("*") if path.is_file())
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


class Page(HTMLParser):
    """The resources, links and ids of a page, and its inline scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: set[str] = set()
        self.links: set[str] = set()
        self.ids: list[str] = []
        self.current: list[str] = []
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("script", "img", "link") and not given.get("href", "").startswith("data:"):
            self.loads.add(given.get("src") or given.get("href", ""))
        if tag == "a":
            self.links.add(given["href"])
        if "aria-current" in given:
            self.current.append(given["href"])
        if "id" in given:
            self.ids.append(given["id"])
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in given) else []


@pytest.mark.parametrize("path", PAGES)
def test_it_works(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.content_type) == (200, "text/html; charset=utf-8")
    page = Page(response.text)
    assert page.loads
    for address in page.loads | {link for link in page.links if link.startswith("/")}:
        assert client.get(address).status_code == 200
        target, _, heading = address.partition("#")
        assert not heading or heading in Page(client.get(target).text).ids
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)


@pytest.mark.parametrize("path", PAGES)
def test_pages_lead_to_each_other_and_to_the_console(client: FlaskClient, path: str) -> None:
    page = Page(client.get(path).text)
    assert {"/", *PAGES} <= page.links
    assert page.current == [path]


def test_there_are_no_other_pages(client: FlaskClient) -> None:
    for name in ("api", "nothing", "guide.html"):
        detail = problem(client.get(f"/docs/{name}"), 404)["detail"]
    assert detail == f"There is no such page. There are {', '.join(sorted(NAMES))}."


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_nothing_inline_and_load_no_other_host(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert Page(response.text).inline == []
    policy = dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in response.headers["Content-Security-Policy"]


def test_every_problem_type_has_a_heading(client: FlaskClient) -> None:
    page = Page(client.get("/docs/errors").text)
    assert sorted(page.ids) == sorted(kind.slug for kind in every_problem())
    assert problem(client.get(f"{URL}?nonsense=1"), 400)["type"] == "/docs/errors#invalid-input"


def test_every_section_starts_with_status_and_title(client: FlaskClient) -> None:
    text = client.get("/docs/errors").text
    for kind in every_problem():
        section = re.search(rf'<section id="{kind.slug}">(.*?)</section>', text, re.DOTALL)
        assert section
        assert f"<strong>{kind.status} {kind.title}.</strong>" in section[1]


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_served_unchanged(client: FlaskClient, name: str) -> None:
    response = client.get(f"/docs/files/{name}")
    assert response.data == (DIRECTORY / name).read_bytes()
    assert response.content_type == TYPES.get((DIRECTORY / name).suffix, response.content_type)
    caching = "max-age=31536000, immutable" if name.startswith("vendor/") else "no-cache"
    assert response.headers["Cache-Control"] == caching
    again = client.get(f"/docs/files/{name}", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "name",
    ["nothing", "", "../config.py", "..%2fconfig.py", "%2e%2e/config.py", "/etc/passwd", "vendor", "%00", "docs.js%00"],
)
def test_it_rejects_other_paths(client: FlaskClient, name: str) -> None:
    problem(client.get(f"/docs/files/{name}"), 404)


def test_it_works_under_gunicorn(service: Service) -> None:
    for path in (*PAGES, "/openapi.json", *(f"/docs/files/{name}" for name in FILES)):
        response = service.call("GET", path)
        assert (response.status, len(response.body)) == (200, int(response.headers["Content-Length"]))
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert service.call("HEAD", path).headers["Content-Length"] == response.headers["Content-Length"]

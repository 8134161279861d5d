"""The documentation: the OpenAPI document, the page that shows it, the guides, and the page of the problem types.

`script/api-docs` generates openapi.json and the pages from openapi.yaml and docs/, so that a worker neither parses YAML
nor renders Markdown. The pages load nothing from other hosts: Swagger UI is in ticketsvc/static/docs/vendor, with its
licence.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Response

from ticketsvc.api.output.responses import cacheable_response
from ticketsvc.problems import NotFound
from ticketsvc.server.security_headers import PAGE_CSP

STATIC = Path(__file__).parents[1] / "static"
FILES = STATIC / "docs"
TYPES = {".css": "text/css", ".js": "text/javascript"}
FOREVER = "max-age=31536000, immutable"
"""For files whose path contains their version."""
REVALIDATE = "no-cache"

bp = Blueprint("documentation", __name__)


@bp.get("/openapi.json")
def openapi() -> Response:
    """Return the OpenAPI document."""
    return _cacheable(read("openapi.json"), "application/json", REVALIDATE)


@bp.get("/docs")
def swagger_ui() -> Response:
    """Return the page that shows the OpenAPI document and sends requests from it."""
    return _page("api")


@bp.get("/docs/<name>")
def page(name: str) -> Response:
    """Return a guide, or the page that the `type` of every problem refers to. Raises NotFound."""
    if name not in _pages():
        raise NotFound(f"There is no such page. There are {', '.join(sorted(_pages()))}.")
    return _page(name)


@bp.get("/docs/files/<path:name>")
def file(name: str) -> Response:
    """Return a file that the pages load. Raises NotFound."""
    path = _files().get(name)
    if path is None:
        raise NotFound("There is no such file.")
    media_type = TYPES.get(path.suffix, "text/plain")
    caching = FOREVER if name.startswith("vendor/") else REVALIDATE
    return _cacheable(path.read_bytes(), f"{media_type}; charset=utf-8", caching)


@cache
def read(name: str) -> bytes:
    """Return a file of ticketsvc/static. It is read on the first request for it."""
    return (STATIC / name).read_bytes()


@cache
def _files() -> dict[str, Path]:
    """Return the files below /docs/files by name. Only these names are served, so no path can leave the directory."""
    return {path.relative_to(FILES).as_posix(): path for path in FILES.rglob("*") if path.is_file()}


@cache
def _pages() -> frozenset[str]:
    """Return the names of the pages below /docs."""
    return frozenset(path.stem for path in (STATIC / "pages").iterdir()) - {"api"}


def _page(name: str) -> Response:
    policies = {"Content-Security-Policy": PAGE_CSP, "Referrer-Policy": "no-referrer"}
    return _cacheable(read(f"pages/{name}.html"), "text/html; charset=utf-8", REVALIDATE, policies)


def _cacheable(body: bytes, media_type: str, caching: str, headers: dict[str, str] | None = None) -> Response:
    """Return a body with its digest as the ETag, or 304 if the client has it."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    return cacheable_response(body, media_type, etag, {"Cache-Control": caching, **(headers or {})})

"""The documentation: the OpenAPI document, the page that shows it, and the page of the problem types.

The pages load nothing from elsewhere: the renderer (Swagger UI) is in ticketsvc/static/docs/vendor with its licence.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, render_template

from ticketsvc.api.markdown import paragraphs
from ticketsvc.api.output.responses import cacheable
from ticketsvc.problems import NotFound
from ticketsvc.server.security_headers import PAGE_CSP

STATIC = Path(__file__).parents[1] / "static" / "docs"
TYPES = {".css": "text/css", ".js": "text/javascript"}
FOREVER = "max-age=31536000, immutable"
"""For a file whose path has its version: it may be kept for a year."""
REVALIDATE = "no-cache"

bp = Blueprint("documentation", __name__)


@bp.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI document."""
    return _cacheable(_document(), "application/json", REVALIDATE)


@bp.get("/docs")
def page() -> Response:
    """The document as a page to read and try."""
    return _page(render_template("docs.html"))


@bp.get("/docs/errors")
def errors() -> Response:
    """Every problem type, under the address that its `type` has."""
    from ticketsvc.api.openapi import problem_types  # only when it is wanted

    introduction, sections = problem_types.described()
    problems = [(slug, paragraphs(text)) for slug, text in sections.items()]
    return _page(render_template("errors.html", introduction=paragraphs(introduction), problems=problems))


@bp.get("/docs/files/<path:name>")
def file(name: str) -> Response:
    """A file of the pages."""
    path = _files().get(name)
    if path is None:
        raise NotFound("There is no such file.")
    media_type = TYPES.get(path.suffix, "text/plain")
    return _cacheable(
        path.read_bytes(), f"{media_type}; charset=utf-8", FOREVER if name.startswith("vendor/") else REVALIDATE
    )


@cache
def _document() -> bytes:
    """The document as it is sent. The modules that make it are imported for it."""
    from ticketsvc.api.openapi import document

    return json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _files() -> dict[str, Path]:
    """All files that are served, by name."""
    return {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.is_file()}


def _page(html: str) -> Response:
    policies = {"Content-Security-Policy": PAGE_CSP, "Referrer-Policy": "no-referrer"}
    return _cacheable(html.encode(), "text/html; charset=utf-8", REVALIDATE, policies)


def _cacheable(body: bytes, media_type: str, caching: str, headers: dict[str, str] | None = None) -> Response:
    """A body with a digest of it as its ETag, or 304 to a caller who has it."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    return cacheable(body, media_type, tag, {"Cache-Control": caching, **(headers or {})})

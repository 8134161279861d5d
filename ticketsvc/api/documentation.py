"""The documentation: the OpenAPI document, the page that shows it, and the page of the problem types.

The pages load nothing from elsewhere: the renderer (Swagger UI) is in ticketsvc/static/vendor with its licence.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, render_template, request, send_from_directory

from ticketsvc.api.answers import JsonAnswer, without_body
from ticketsvc.markdown import paragraphs

STATIC = Path(__file__).parents[1] / "static"
FOREVER = 31_536_000
"""Seconds for which a file whose path has its version may be kept: a year."""
REVALIDATE = "public, no-cache"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The content security policy of the pages: nothing inline, nothing from elsewhere."""

bp = Blueprint("documentation", __name__)


@bp.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI document."""
    body, tag = _document()
    headers = {"ETag": tag, "Cache-Control": REVALIDATE}
    if request.if_none_match.contains_weak(tag.strip('"')):
        return without_body(304, headers)
    return JsonAnswer(body, headers=headers)


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


@bp.get("/static/<path:name>")
def static(name: str) -> Response:
    """A file of the pages."""
    response = send_from_directory(STATIC, name)
    response.headers["Cache-Control"] = (
        f"public, max-age={FOREVER}, immutable" if name.startswith("vendor/") else REVALIDATE
    )
    return response


@cache
def _document() -> tuple[bytes, str]:
    """The document as it is sent, and its entity tag. The modules that make it are imported for it."""
    from ticketsvc.api.openapi import document

    body = json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def _page(html: str) -> Response:
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
    return JsonAnswer(html, headers=headers, content_type="text/html; charset=utf-8")

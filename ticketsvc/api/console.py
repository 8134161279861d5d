"""The console: a page for people at /. It uses the public API and nothing else.

Its files are read once and served from memory. Their paths contain a digest of all of them, so that browsers can cache
them permanently and never mix the files of two releases.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Blueprint, Response

from ticketsvc.api.output.responses import cacheable_response
from ticketsvc.problems import NotFound
from ticketsvc.server.security_headers import PAGE_CSP

CONTENT_SECURITY_POLICY = f"{PAGE_CSP}; require-trusted-types-for 'script'; trusted-types 'none'"
"""With Trusted Types no script can turn a text into HTML."""
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
INDEX = "index.html"

bp = Blueprint("console", __name__)


def _load(directory: Path) -> tuple[dict[str, bytes], str]:
    """Return the files by name, and the digest of all of them, which replaces VERSION in the page."""
    files = {path.name: path.read_bytes() for path in sorted(directory.iterdir()) if path.suffix in MEDIA_TYPES}
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name} {len(content)} ".encode() + content)
    version = digest.hexdigest()[:16]
    return files | {INDEX: files[INDEX].replace(b"VERSION", version.encode())}, version


_FILES, _VERSION = _load(Path(__file__).parents[1] / "static" / "console")
_ETAG = f'"{_VERSION}"'


@bp.get("/")
def index() -> Response:
    """Return the page. Its query string is for its scripts only."""
    return _file_response(INDEX, "no-cache")


@bp.get("/console/<version>/<name>")
def file(version: str, name: str) -> Response:
    """Return a script, a style sheet or the icon. Raises NotFound.

    The page of another release gets the current file, but must not cache it.
    """
    if name not in _FILES or name == INDEX:
        raise NotFound("The console has no such file. Reload the page.")
    return _file_response(name, "public, max-age=31536000, immutable" if version == _VERSION else "no-cache")


def _file_response(name: str, cache_control: str) -> Response:
    headers = {
        "Cache-Control": cache_control,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
    }
    return cacheable_response(_FILES[name], MEDIA_TYPES[Path(name).suffix], _ETAG, headers)

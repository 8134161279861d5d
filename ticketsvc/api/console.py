"""The console: a page for people at /. It knows nothing that callers of the API do not know, and needs no database.

Its few files are read once and served from memory. Their addresses hold a digest of all of them, so that a browser may
keep them for good, and never mixes those of two releases.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Blueprint, Response

from ticketsvc import __version__
from ticketsvc.api.output.responses import cacheable
from ticketsvc.problems import NotFound
from ticketsvc.server.security_headers import PAGE_CSP

CONTENT_SECURITY_POLICY = f"{PAGE_CSP}; require-trusted-types-for 'script'; trusted-types 'none'"
"""With the last two no script can make HTML of a text (Trusted Types)."""
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PAGE = "index.html"

bp = Blueprint("console", __name__)


def _load(directory: Path) -> tuple[dict[str, bytes], str]:
    """Return the files by name, and the digest of all of them.

    In the page, VERSION stands for the digest and RELEASE for the version of the service.
    """
    files = {path.name: path.read_bytes() for path in sorted(directory.iterdir()) if path.suffix in MEDIA_TYPES}
    files[PAGE] = files[PAGE].replace(b"RELEASE", __version__.encode())
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name} {len(content)} ".encode() + content)
    version = digest.hexdigest()[:16]
    return files | {PAGE: files[PAGE].replace(b"VERSION", version.encode())}, version


_FILES, _VERSION = _load(Path(__file__).parents[1] / "static" / "console")
_ETAG = f'"{_VERSION}"'


@bp.get("/")
def page() -> Response:
    """The page; its address says what it shows, but only its scripts read that."""
    return _answer(PAGE, "no-cache")


@bp.get("/console/<version>/<name>")
def file(version: str, name: str) -> Response:
    """A script, a style sheet or the icon. A page of another release gets the present one, and is not to keep it."""
    if name not in _FILES or name == PAGE:
        raise NotFound("The console has no such file. Load the page again.")
    return _answer(name, "public, max-age=31536000, immutable" if version == _VERSION else "no-cache")


def _answer(name: str, cache_control: str) -> Response:
    headers = {
        "Cache-Control": cache_control,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
    }
    return cacheable(_FILES[name], MEDIA_TYPES[Path(name).suffix], _ETAG, headers)

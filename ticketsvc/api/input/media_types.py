"""Content negotiation: the media types that requests may have, and those that clients accept."""

from __future__ import annotations

from flask import request
from werkzeug.datastructures import MIMEAccept

from ticketsvc.problems import NotAcceptable, UnsupportedMediaType

JSON = ("application/json",)
MERGE_PATCH = ("application/json", "application/merge-patch+json")
FILES = {
    "application/x-ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/ndjson": "ndjson",
    "text/csv": "csv",
}
"""File formats by media type."""
MAX_ACCEPT_LENGTH = 1_000
"""A longer Accept is disregarded, which RFC 9110 section 12.4.1 allows."""
EXPORT = "api.bulk.export_file"
"""The endpoint whose responses are not JSON."""


def require_media_type(media_types: tuple[str, ...], allow_missing: bool = True) -> None:
    """Check Content-Type against the media types that a route accepts. Raises UnsupportedMediaType.

    A request without Content-Type passes if `allow_missing` is set; a compressed body never does.
    """
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("identity", ""):
        raise UnsupportedMediaType(
            "Send the body uncompressed, without Content-Encoding.", {"Accept-Encoding": "identity"}
        )
    given = request.headers.get("Content-Type", "")
    if given in media_types or (allow_missing and not given):
        return
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype in media_types and charset in ("utf-8", "utf8"):
        return
    accepted = {"Accept-Patch" if request.method == "PATCH" else "Accept-Post": ", ".join(media_types)}
    raise UnsupportedMediaType(f"Send the body in UTF-8 with Content-Type: {' or '.join(media_types)}.", accepted)


def require_json_accepted() -> None:
    """Check that Accept allows JSON, or that the route returns other media types. Raises NotAcceptable."""
    accept = _accept()
    if not accept or accept == "*/*" or request.endpoint == EXPORT:
        return
    ranges = MIMEAccept((media_range.partition(";")[0], quality) for media_range, quality in request.accept_mimetypes)
    if not ranges["application/json"]:
        raise NotAcceptable("Responses are JSON: send Accept: application/json, or no Accept at all.")


def _accept() -> str:
    """Return the Accept field, or "" if it is far longer than any client's: parsing it would take too long."""
    accept: str = request.environ.get("HTTP_ACCEPT", "")
    return accept if len(accept) <= MAX_ACCEPT_LENGTH else ""


def accepted_file_format() -> str:
    """Return the file format that Accept prefers, NDJSON without one. Raises NotAcceptable."""
    if not _accept():
        return "ndjson"
    accepted = request.accept_mimetypes.best_match([*FILES])
    if accepted is None:
        raise NotAcceptable(f"Exports are available as {', '.join(FILES)}. Accept one of these, or send ?format=csv.")
    return FILES[accepted]

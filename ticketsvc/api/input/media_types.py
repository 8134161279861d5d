"""Content negotiation: the media types that requests may have, and those that clients accept."""

from __future__ import annotations

from functools import lru_cache

from ticketsvc.api.current import current_request
from ticketsvc.api.input import quality
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
JSON_RESPONSES = ("application/json", "application/problem+json")
"""Media types of which a client must accept one: some generated clients name only that of errors."""
EVENT_STREAM = "text/event-stream"
EXPORT = "api.bulk.export_file"
"""The endpoint whose responses are not JSON."""

_EXPORTED = {**FILES, **dict.fromkeys(JSON_RESPONSES, "ndjson")}
_WITHOUT_CONTENT = ("DELETE", "OPTIONS")
"""The methods whose successful responses have no content, whatever Accept says."""


def require_media_type(media_types: tuple[str, ...], allow_missing: bool = True) -> None:
    """Check Content-Type against the media types that a route accepts. Raises UnsupportedMediaType.

    A request without Content-Type passes if `allow_missing` is set; a compressed body never does.
    """
    request = current_request()
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("identity", ""):
        raise UnsupportedMediaType(
            "Send the body uncompressed, without Content-Encoding.", {"Accept-Encoding": "identity"}
        )
    given = request.environ.get("CONTENT_TYPE", "")
    if given in media_types or (allow_missing and not given):
        return
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype in media_types and charset in ("utf-8", "utf8"):
        return
    accepted = {"Accept-Patch" if request.method == "PATCH" else "Accept-Post": ", ".join(media_types)}
    raise UnsupportedMediaType(f"Send the body in UTF-8 with Content-Type: {' or '.join(media_types)}.", accepted)


def require_json_accepted() -> None:
    """Check that Accept allows JSON, or that the response is none or in other media types. Raises NotAcceptable."""
    accept = _accept()
    if not accept or accept == "*/*":
        return
    request = current_request()
    if request.endpoint == EXPORT or request.method in _WITHOUT_CONTENT:
        return
    if _best(accept, JSON_RESPONSES) is None:
        raise NotAcceptable("Responses are JSON: send Accept: application/json, or no Accept at all.")


def prefers_event_stream() -> bool:
    """Return whether Accept prefers server-sent events to JSON, the default. Raises NotAcceptable."""
    accepted = _best(_accept(), (*JSON_RESPONSES, EVENT_STREAM))
    if accepted is None:
        raise NotAcceptable(f"Events are available as application/json and {EVENT_STREAM}. Accept one of these.")
    return accepted == EVENT_STREAM


def accepted_file_format() -> str:
    """Return the file format that Accept prefers, NDJSON without one. Raises NotAcceptable."""
    accepted = _best(_accept(), tuple(_EXPORTED))
    if accepted is None:
        raise NotAcceptable(f"Exports are available as {', '.join(FILES)}. Accept one of these, or send ?format=csv.")
    return _EXPORTED[accepted]


def _accept() -> str:
    """Return the Accept field, or "" if it is far longer than any client's."""
    accept: str = current_request().environ.get("HTTP_ACCEPT", "")
    return accept if len(accept) <= quality.MAX_LENGTH else ""


@lru_cache(256)
def _best(accept: str, media_types: tuple[str, ...]) -> str | None:
    """Return the media type that Accept prefers, and of equal ones the one that it names. None: it excludes them all.

    Only a field that is valid throughout excludes anything. Of the media types, the first is the default.
    """
    members, is_valid = quality.parse(accept)
    qualities = {name: value for name, value in members.items() if "/" in name or name == "*"}
    if not qualities:
        return media_types[0]

    def rank(media_type: str) -> tuple[float, int]:
        for specificity, media_range in enumerate((media_type, f"{media_type.partition('/')[0]}/*", "*/*", "*")):
            if media_range in qualities:
                return qualities[media_range], -specificity
        return 0.0, 0

    best = max(media_types, key=rank)
    return best if rank(best)[0] or not is_valid or len(qualities) < len(members) else None

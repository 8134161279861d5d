"""Reading a request's body: a JSON object, or a problem that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import request

from ticketsvc.files import CHUNK_BYTES
from ticketsvc.problems import BadRequest, BodyTooLarge, MalformedBody, UnsupportedMediaType
from ticketsvc.services import services
from ticketsvc.validation import strict_json

JSON = ("application/json",)
MERGE_PATCH = ("application/json", "application/merge-patch+json")
MAX_DEPTH = 32
"""How deep objects and arrays may be nested; the bodies that routes take need no more than one level."""


def json_object(media_types: tuple[str, ...] = JSON) -> dict[str, Any]:
    """The body as a dictionary; of a member given twice the last counts. No Content-Type counts as JSON.

    Raises UnsupportedMediaType, BodyTooLarge and MalformedBody.
    """
    require_media_type(media_types)
    try:
        body = strict_json.decode(_text())
    except ValueError as error:
        raise MalformedBody(f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise MalformedBody('The body must be a JSON object, such as {"title": "...", "description": "..."}.')
    if _depth_exceeds(body, MAX_DEPTH):
        raise _too_deep()
    return body


def in_chunks(limit: int) -> Iterator[bytes]:
    """The body as it arrives; at most `limit` bytes. Raises BodyTooLarge and BadRequest."""
    most, taken = _most(limit), 0
    while chunk := request.environ["wsgi.input"].read(min(CHUNK_BYTES, most - taken)):
        taken += len(chunk)
        if taken > limit:
            raise _too_large(limit)
        yield chunk
    _require_all(taken)


def require_media_type(media_types: tuple[str, ...], absent: bool = True) -> None:
    """Raises UnsupportedMediaType unless the body is of one of these types, or, if `absent` may be, of none."""
    given = request.headers.get("Content-Type", "")
    if given in media_types or (absent and not given):
        return
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype in media_types and charset in ("utf-8", "utf8"):
        return
    allowed = " or ".join(media_types)
    accept = {"Accept-Patch" if request.method == "PATCH" else "Accept-Post": ", ".join(media_types)}
    raise UnsupportedMediaType(f"Send the body in UTF-8 with Content-Type: {allowed}.", accept)


def _text() -> str:
    body = _bytes()
    try:
        return body.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise MalformedBody(f"The body is not UTF-8 at byte {error.start}.") from None


def _bytes() -> bytes:
    """The whole body, in one read: a caller has the time of one wait for it."""
    limit = services().config.max_body_bytes
    body: bytes = request.environ["wsgi.input"].read(_most(limit))
    if len(body) > limit:
        raise _too_large(limit)
    _require_all(len(body))
    return body


def _most(limit: int) -> int:
    """How many bytes to ask for. Raises BodyTooLarge where more are announced than `limit`.

    Without a Content-Length there is a body only where the server marks its end (a chunked one).
    """
    length = request.content_length
    if length is None:
        return limit + 1 if request.environ.get("wsgi.input_terminated") else 0
    if length > limit:
        raise _too_large(limit)
    return length


def _require_all(taken: int) -> None:
    length = request.content_length or 0
    if taken < length:
        raise BadRequest(f"The body ended after {taken:,} of its {length:,} bytes.")


def _depth_exceeds(body: dict[str, Any], levels: int) -> bool:
    """Go through the values level by level."""
    level: list[Any] = [body]
    for _ in range(levels):
        members = [value for node in level for value in (node.values() if isinstance(node, dict) else node)]
        level = [value for value in members if isinstance(value, (dict, list))]
        if not level:
            return False
    return True


def _too_deep() -> MalformedBody:
    return MalformedBody(f"The body is nested too deeply: at most {MAX_DEPTH} levels of objects and arrays are taken.")


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is too large: at most {limit:,} bytes are taken.")

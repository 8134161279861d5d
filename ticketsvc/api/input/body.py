"""Request bodies: JSON objects, and files in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ticketsvc.api.current import current_request
from ticketsvc.api.input.media_types import JSON, require_media_type
from ticketsvc.files import CHUNK_BYTES
from ticketsvc.problems import BadRequest, BodyTooLarge, MalformedBody
from ticketsvc.services import services
from ticketsvc.validation import strict_json

if TYPE_CHECKING:
    from flask import Request

MAX_DEPTH = 32
"""Maximum nesting of objects and arrays. The bodies that routes use have at most one level."""


def json_object(media_types: tuple[str, ...] = JSON) -> dict[str, Any]:
    """Return the body as a dictionary. Of duplicate members the last counts.

    Raises UnsupportedMediaType, BodyTooLarge, BadRequest and MalformedBody.
    """
    require_media_type(media_types)
    try:
        body = strict_json.decode(_content())
    except ValueError as error:
        raise MalformedBody(f"The body is not {error}.") from None
    if not isinstance(body, dict):
        raise MalformedBody('The body must be a JSON object, such as {"title": "...", "description": "..."}.')
    if _is_deeper_than(body, MAX_DEPTH):
        raise MalformedBody(f"The body is nested too deeply: it may have at most {MAX_DEPTH} levels.")
    return body


def chunks(limit: int) -> Iterator[bytes]:
    """Yield the body as it arrives, at most `limit` bytes. Raises BodyTooLarge and BadRequest."""
    request, received = current_request(), 0
    wanted = _bytes_to_read(request, limit)
    while chunk := request.environ["wsgi.input"].read(min(CHUNK_BYTES, wanted - received)):
        received += len(chunk)
        if received > limit:
            raise _too_large(limit)
        yield chunk
    _require_complete(request, received)


def _content() -> bytes:
    """Return the whole body without a byte order mark. One read, because the client timeout applies to each read."""
    request, limit = current_request(), services().config.max_body_bytes
    body: bytes = request.environ["wsgi.input"].read(_bytes_to_read(request, limit))
    if len(body) > limit:
        raise _too_large(limit)
    _require_complete(request, len(body))
    return body.removeprefix(b"\xef\xbb\xbf")


def _bytes_to_read(request: Request, limit: int) -> int:
    """Return the number of bytes to read. Raises BodyTooLarge if Content-Length exceeds `limit`.

    Without Content-Length, only chunked requests have a body.
    """
    length = request.content_length
    if length is None:
        return limit + 1 if request.environ.get("wsgi.input_terminated") else 0
    if length > limit:
        raise _too_large(limit)
    return length


def _require_complete(request: Request, received: int) -> None:
    length = request.content_length or 0
    if received < length:
        raise BadRequest(f"The body ended after {received:,} of its {length:,} bytes.")


def _is_deeper_than(body: dict[str, Any], levels: int) -> bool:
    """Return whether objects and arrays are nested more than `levels` deep, without recursion."""
    level: list[Any] = [body]
    for _ in range(levels):
        nodes = [node.values() if isinstance(node, dict) else node for node in level]
        level = [value for node in nodes for value in node if isinstance(value, (dict, list))]
        if not level:
            return False
    return True


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is too large: it may have at most {limit:,} bytes.")

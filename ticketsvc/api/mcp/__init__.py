"""POST /mcp: the Model Context Protocol, through which programs with a language model use the service.

The route is open, because the messages that open a connection need neither a key nor the database: a client that gets
an error to its first message takes the service for an older one, or gives up. Listing and calling tools need a key.
"""

from __future__ import annotations

from flask import Blueprint, Response, g

from ticketsvc.api.input import media_types
from ticketsvc.api.input.body import json_object
from ticketsvc.api.mcp import methods, protocol
from ticketsvc.api.mcp.protocol import Message, ProtocolError
from ticketsvc.api.output import errors
from ticketsvc.api.output.responses import NO_STORE, JsonResponse, empty_response
from ticketsvc.compact_json import encode_object

bp = Blueprint("mcp", __name__)


@bp.post("/mcp")
def serve() -> Response:
    """Respond to one message: to a request with its result, to a notification without content."""
    media_types.require_json_accepted()
    message = g.mcp_message = Message.read(json_object())
    if message.id is None:
        return empty_response(202)
    version = protocol.negotiate(message)
    result = encode_object(methods.run(message, version))
    return _response(200, {"jsonrpc": "2.0", "id": message.id, "result": result})


@bp.errorhandler(Exception)
def handle(error: Exception) -> Response:
    """Return the error of a message, with its id if that could be read, also if a check of the request raised it."""
    if not isinstance(error, ProtocolError):
        problem = errors.problem_of(error)
        errors.log(problem)
        error = ProtocolError.of(problem)
    message = g.get("mcp_message")
    identity = {} if message is None or message.id is None else {"id": message.id}
    return _response(error.status, {"jsonrpc": "2.0", **identity, "error": error.document()}, error.headers)


def _response(status: int, document: dict[str, object], headers: dict[str, str] | None = None) -> Response:
    # The lone surrogates of a message become escapes again.
    body = encode_object(document).encode(errors="backslashreplace")
    return JsonResponse(body, status, {**NO_STORE, **(headers or {})})

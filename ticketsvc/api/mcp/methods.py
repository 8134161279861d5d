"""The methods of the protocol that the service has."""

from __future__ import annotations

from collections.abc import Callable

from ticketsvc import __version__
from ticketsvc.api.auth import access, authenticator
from ticketsvc.api.mcp import tools
from ticketsvc.api.mcp.protocol import INVALID_PARAMS, META, METHOD_NOT_FOUND, MODERN, Json, Message, ProtocolError

INSTRUCTIONS = (
    "This service is a queue of support tickets. Find tickets with search_tickets, read one with its conversation with "
    "get_ticket. To work on the queue, claim a ticket, reply with add_comment, and set the status to resolved in the "
    "same call. Before you change a ticket that others may change, read it and pass its version as expected_version. "
    f"{tools.NOTICE}"
)
SERVER = {"name": "ticketsvc", "title": "Ticket service", "version": __version__}
CAPABILITIES: Json = {"tools": {}}
DISCOVERY_MS, TOOLS_MS = 3_600_000, 300_000
"""Milliseconds for which clients may keep what they discovered, and the list of tools."""


def run(message: Message, version: str) -> Json:
    """Return the members of the result of a request. Raises ProtocolError and problems."""
    method = (_METHODS if version == MODERN else _LEGACY_METHODS).get(message.method)
    if method is None:
        # Older clients take a 404 for the end of their session.
        status = 404 if version == MODERN else 200
        raise ProtocolError(METHOD_NOT_FOUND, f"Method not found: {message.method}", status)
    result = method(message, version)
    if version != MODERN:
        return result
    return {"resultType": "complete", **result, "_meta": {f"{META}serverInfo": SERVER}}


def _discover(message: Message, version: str) -> Json:
    return {
        "supportedVersions": [MODERN],  # those that requests may have; the others begin with `initialize`
        "capabilities": CAPABILITIES,
        "instructions": INSTRUCTIONS,
        "ttlMs": DISCOVERY_MS,
        "cacheScope": "public",
    }


def _initialize(message: Message, version: str) -> Json:
    return {
        "protocolVersion": version,
        "capabilities": CAPABILITIES,
        "serverInfo": SERVER,
        "instructions": INSTRUCTIONS,
    }


def _ping(message: Message, version: str) -> Json:
    return {}


def _list_tools(message: Message, version: str) -> Json:
    """List the tools that the key may use, on one page."""
    access.require("read")
    if message.params.get("cursor") is not None:
        raise ProtocolError(INVALID_PARAMS, "The list of tools has one page: leave out cursor.", 200)
    allowed = [tool.described for tool in tools.TOOLS.values() if authenticator.may(tool.scope)]
    return {"tools": allowed, "ttlMs": TOOLS_MS, "cacheScope": "private"}


def _call_tool(message: Message, version: str) -> Json:
    name, arguments = message.params.get("name"), message.params.get("arguments")
    tool = tools.TOOLS.get(name) if isinstance(name, str) else None
    access.require(tool.scope if tool else "read")
    if tool is None:
        names = ", ".join(tools.TOOLS)
        raise ProtocolError(INVALID_PARAMS, f"Unknown tool: {name}. There are {names}.", 200)
    if not isinstance(arguments, (dict, type(None))):
        raise ProtocolError(INVALID_PARAMS, "arguments must be an object.", 200)
    return tool.call(arguments or {})


_Method = Callable[[Message, str], Json]
_METHODS: dict[str, _Method] = {
    "server/discover": _discover,
    "tools/list": _list_tools,
    "tools/call": _call_tool,
}
_LEGACY_METHODS: dict[str, _Method] = {
    "initialize": _initialize,
    "ping": _ping,
    "tools/list": _list_tools,
    "tools/call": _call_tool,
}

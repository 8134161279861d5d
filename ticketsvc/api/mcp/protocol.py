"""The messages of the Model Context Protocol (JSON-RPC 2.0), its versions, and its header fields.

Since MODERN every request carries its version and is complete in itself. In LEGACY versions a client opens with
`initialize`; a server that assigns no session treats each request by itself, too.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from flask import request

from ticketsvc.problems import InternalError, MalformedBody, Problem

MODERN = "2026-07-28"
LEGACY = ("2025-11-25", "2025-06-18", "2025-03-26")
SUPPORTED = (MODERN, *LEGACY)

VERSION_HEADER, METHOD_HEADER, NAME_HEADER = "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"
HEADERS = (VERSION_HEADER, METHOD_HEADER, NAME_HEADER)
META = "io.modelcontextprotocol/"
"""The prefix of the protocol's own members of `_meta`."""

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022

_ENCODED, _ENCODED_END = "=?base64?", "?="

Json = dict[str, Any]


class ProtocolError(Exception):
    """The error of a message. `status` is that of the response; `data` and `headers` are added to it."""

    def __init__(
        self, code: int, message: str, status: int = 400, data: object = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.data = code, message, status, data
        self.headers = headers or {}

    @classmethod
    def of(cls, problem: Problem) -> ProtocolError:
        """Return the error for a problem. Those that the protocol has no code for have that of HTTP."""
        code = problem.status
        if isinstance(problem, MalformedBody):
            code = PARSE_ERROR
        elif isinstance(problem, InternalError):
            code = INTERNAL_ERROR
        return cls(code, problem.detail, problem.status, problem.document(request.path), problem.headers)

    def document(self) -> Json:
        """Return the member `error` of the response."""
        return {"code": self.code, "message": self.message, **({"data": self.data} if self.data else {})}


@dataclass(frozen=True)
class Message:
    """A request, or a notification if `id` is None."""

    id: str | int | None
    method: str
    params: Json

    @classmethod
    def read(cls, body: Json) -> Message:
        """Parse a body. Raises ProtocolError."""
        identity, method, params = body.get("id"), body.get("method"), body.get("params", {})
        if body.get("jsonrpc") != "2.0" or not isinstance(method, str):
            raise ProtocolError(INVALID_REQUEST, 'A message has "jsonrpc": "2.0" and a method. Send one, not a batch.')
        if "id" in body and (isinstance(identity, bool) or not isinstance(identity, (str, int))):
            raise ProtocolError(INVALID_REQUEST, "The id of a request is a string or a whole number.")
        if not isinstance(params, dict):
            raise ProtocolError(INVALID_REQUEST, "params must be an object.")
        return cls(identity, method, params)

    @property
    def meta(self) -> Json:
        """The member `_meta` of the parameters."""
        meta = self.params.get("_meta")
        return meta if isinstance(meta, dict) else {}


def negotiate(message: Message) -> str:
    """Return the version of a request, after a check that its header fields agree with its body. Raises ProtocolError.

    Without a version in `_meta` or the header it is the oldest one, which had no header.
    """
    stated, header = message.meta.get(f"{META}protocolVersion"), request.headers.get(VERSION_HEADER)
    if stated is None and message.method == "initialize":
        requested = message.params.get("protocolVersion")
        return requested if requested in LEGACY else LEGACY[0]
    if stated is not None and stated != header:
        raise _mismatch(VERSION_HEADER, header, stated)
    version = LEGACY[-1] if header is None else header
    if version not in SUPPORTED:
        data = {"supported": SUPPORTED, "requested": version}
        raise ProtocolError(UNSUPPORTED_VERSION, f"Unsupported protocol version: {version}", data=data)
    if version == MODERN:
        _check_modern(message)
    return version


def _check_modern(message: Message) -> None:
    """Check `_meta` and the header fields that repeat parts of the body."""
    if not isinstance(message.meta.get(f"{META}clientCapabilities"), dict) or not message.meta.get(
        f"{META}protocolVersion"
    ):
        rule = f"params._meta must have {META}protocolVersion and {META}clientCapabilities."
        raise ProtocolError(INVALID_PARAMS, rule)
    _check_header(METHOD_HEADER, request.headers.get(METHOD_HEADER), message.method)
    if message.method == "tools/call":
        _check_header(NAME_HEADER, _decoded(request.headers.get(NAME_HEADER)), message.params.get("name"))


def _check_header(name: str, header: str | None, value: object) -> None:
    if header is None or header != value:
        raise _mismatch(name, header, value)


def _decoded(header: str | None) -> str | None:
    """Return a value that may be in base64; None if it cannot be decoded."""
    if header is None or not (header.startswith(_ENCODED) and header.endswith(_ENCODED_END)):
        return header
    try:
        return b64decode(header[len(_ENCODED) : -len(_ENCODED_END)], validate=True).decode()
    except (binascii.Error, UnicodeError):
        return None


def _mismatch(name: str, header: str | None, value: object) -> ProtocolError:
    given = "is missing or malformed" if header is None else f"is {header!r}"
    return ProtocolError(HEADER_MISMATCH, f"Header mismatch: {name} {given}, the body has {value!r}.")

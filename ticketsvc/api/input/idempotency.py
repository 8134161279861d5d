"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): a create that can safely be sent again.

A key has 1 to 255 visible ASCII characters, bare or as a quoted string: abc and "abc" are the same key. Keys belong to
the client, identified by the name of its API key. Two bodies are equal if they are the same JSON, whatever the order of
members and the white space.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from uuid import UUID

from ticketsvc.api.current import current_request
from ticketsvc.problems import BadRequest
from ticketsvc.server.middleware import API_KEY_NAME
from ticketsvc.store.tickets import IdempotencyKey

REPLAYED = {"Idempotent-Replayed": "true"}
"""The header of a response that repeats the first one."""
MAX_LENGTH = 255

_BARE = re.compile(r"[!#-~][!-~]*")
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')


def idempotency_key(body: dict[str, Any], resource: str = "") -> IdempotencyKey | None:
    """Return the request's idempotency key with a hash of its body, or None without the header. Raises BadRequest.

    `resource` tells requests with the same body from each other that have another effect.
    """
    environ = current_request().environ
    header = environ.get("HTTP_IDEMPOTENCY_KEY")
    if header is None:
        return None
    client = environ.get(API_KEY_NAME) or ""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return IdempotencyKey(_hash(f"{client}\n{_parse(header.strip())}"), _hash(resource + canonical))


def _parse(header: str) -> str:
    quoted = _QUOTED.fullmatch(header)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else header
    if not (quoted or _BARE.fullmatch(header)) or not 1 <= len(key) <= MAX_LENGTH:
        raise BadRequest(
            f"Idempotency-Key must have 1 to {MAX_LENGTH} visible ASCII characters, with or without quotes around "
            "them. Send a new UUID for each new ticket."
        )
    return key


def _hash(text: str) -> UUID:
    return UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])

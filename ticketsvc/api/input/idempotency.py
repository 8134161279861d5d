"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): a create that can be sent again.

A key is 1 to 255 visible ASCII characters, as they are or as the draft's string in quotes: abc and "abc" are one key.
It belongs to the caller, by the name of the API key. Two bodies are the same when they are the same JSON, whatever
the order of members and the white space.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from uuid import UUID

from flask import request

from ticketsvc.problems import BadRequest
from ticketsvc.server.logs import CALLER
from ticketsvc.store.tickets import IdempotencyKey

REPLAYED = {"Idempotent-Replayed": "true"}
"""Goes with an answer that is given again."""
MAX_LENGTH = 255

_BARE = re.compile(r"[!#-~][!-~]*")
_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')


def idempotency_key(body: dict[str, Any]) -> IdempotencyKey | None:
    """What keeps this create from being done twice; None: the caller did not ask for it. Raises BadRequest."""
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return None
    owner = request.environ.get(CALLER) or ""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return IdempotencyKey(_hash(f"{owner}\n{_key(header.strip())}"), _hash(canonical))


def _key(header: str) -> str:
    quoted = _STRING.fullmatch(header)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else header
    if not (quoted or _BARE.fullmatch(header)) or not 1 <= len(key) <= MAX_LENGTH:
        raise BadRequest(
            f"Idempotency-Key must have 1 to {MAX_LENGTH} visible ASCII characters, with or without quotes around "
            "them. A UUID made for each new ticket is a good one."
        )
    return key


def _hash(text: str) -> UUID:
    return UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])

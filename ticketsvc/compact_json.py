"""The JSON that Python writes: without white space, as the JSON that Postgres writes."""

from __future__ import annotations

import json

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode_or_none(value: object) -> str | None:
    """Return a value as JSON, None as None."""
    return None if value is None else encode(value)

"""The JSON that Python writes: without white space, as the JSON that Postgres writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode_or_none(value: object) -> str | None:
    """Return a value as JSON, None as None."""
    return None if value is None else encode(value)


def json_array(documents: Iterable[bytes]) -> bytes:
    """Return documents that are JSON already as an array, in a line."""
    return b"[%b]\n" % b",".join(documents)


class JsonText(str):
    """A text that is JSON already, such as what Postgres wrote."""

    __slots__ = ()


def encode_object(members: Mapping[str, object]) -> JsonText:
    """Return an object as JSON. Members that are a JsonText are not encoded again: that takes ten times as long."""
    parts = []
    for name, value in members.items():
        parts += [",", encode(name), ":", value if isinstance(value, JsonText) else encode(value)]
    return JsonText("".join(["{", *parts[1:], "}"]))

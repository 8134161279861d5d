"""Opaque cursors: the position after the last row of a page, for keyset pagination."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime

from ticketsvc.enums import PRIORITIES

_FORM = re.compile(r"([a-z]+)/([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})/(.*)", re.ASCII)
_ENTRY = re.compile(r"\d{1,18}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\+00", re.ASCII)

_LEAST_ID, _GREATEST_ID = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
_START_KEYS = {"updated": "infinity", "urgent": PRIORITIES[-1]}


@dataclass(frozen=True)
class Cursor:
    """The position after a row: its ticket's `id`, and the `key` that `sort` orders by before the id, or ""."""

    sort: str
    id: str
    key: str

    def encode(self) -> str:
        """Return the form for clients: URL-safe base64 without padding."""
        return urlsafe_b64encode(f"{self.sort}/{self.id}/{self.key}".encode()).decode().rstrip("=")

    @property
    def parameters(self) -> dict[str, object]:
        """Return the values of the SQL parameters for the page behind the position."""
        return {"after_id": self.id, "after_key": self.key}

    @classmethod
    def start(cls, sort: str) -> Cursor:
        """Return the position before the first ticket in an order."""
        return cls(sort, _LEAST_ID if sort == "oldest" else _GREATEST_ID, _START_KEYS.get(sort, ""))

    @classmethod
    def decode(cls, text: str, sort: str) -> Cursor:
        """Parse the output of `encode` for the same order. Raises ValueError for anything else."""
        try:
            plain = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode("ascii")
        except (binascii.Error, UnicodeError) as error:
            raise ValueError("not base64") from error
        match = _FORM.fullmatch(plain)
        if match is None or match[1] != sort or not _is_key(sort, match[3]):
            raise ValueError("not a position in this order")
        cursor = cls(*match.groups())
        if cursor.encode() != text:
            raise ValueError("not in the form that `encode` writes")
        return cursor


def _is_key(sort: str, key: str) -> bool:
    if sort == "urgent":
        return key in PRIORITIES
    if sort in ("history", "commentsoldest", "commentsnewest", "deliveries"):
        return _ENTRY.fullmatch(key) is not None
    if sort == "updated":
        return _TIME.fullmatch(key) is not None and _exists(key)
    return key == ""


def _exists(time: str) -> bool:
    try:
        datetime.fromisoformat(time)
    except ValueError:
        return False
    return True

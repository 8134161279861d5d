"""Conditional requests (RFC 9110 section 13). A ticket's ETag is its version in quotes, a strong validator."""

from __future__ import annotations

import re

from flask import request

_LARGEST_VERSION = 2**31 - 1
_STRONG_ETAG = re.compile(r'(?:^|,)\s*"([1-9][0-9]{0,9})"\s*(?=,|$)')


def etag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def if_match() -> list[int] | None:
    """Return the versions that If-Match allows, or None if it allows any. A weak ETag allows none."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    versions = [int(digits) for digits in _STRONG_ETAG.findall(header)]
    return [version for version in versions if version <= _LARGEST_VERSION]


def client_has(current: str) -> bool:
    """Return whether If-None-Match contains an ETag, given with its quotes (weak comparison)."""
    header = request.headers.get("If-None-Match")
    if header is None:
        return False
    return header.strip() == "*" or current in [known.strip().removeprefix("W/") for known in header.split(",")]

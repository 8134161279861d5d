"""Conditional requests (RFC 9110 section 13): a ticket's ETag is its version in quotes, a strong validator."""

from __future__ import annotations

import re

from flask import request

_LARGEST_VERSION = 2**31 - 1
_STRONG_TAG = re.compile(r'(?:^|,)\s*"([1-9][0-9]{0,9})"\s*(?=,|$)')


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def if_match() -> list[int] | None:
    """The versions that If-Match allows; None: any. A weak tag allows none."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    versions = [int(tag) for tag in _STRONG_TAG.findall(header)]
    return [version for version in versions if version <= _LARGEST_VERSION]


def none_match(version: int) -> bool:
    """Whether If-None-Match says that the caller has this version already."""
    return has_tag(etag(version))


def has_tag(tag: str) -> bool:
    """Whether If-None-Match (weak comparison) names this entity tag."""
    header = request.headers.get("If-None-Match")
    if header is None:
        return False
    return header.strip() == "*" or tag in [tag.strip().removeprefix("W/") for tag in header.split(",")]

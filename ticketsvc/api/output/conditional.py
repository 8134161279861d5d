"""Conditional requests (RFC 9110 section 13). A ticket's ETag is its version in quotes, a strong validator.

One deliberate extension: a proxy that compresses a response changes its bytes, not the version of the ticket. So the
tags that such proxies make of "3", W/"3" (nginx, HAProxy, Cloudflare) and "3-gzip" (Caddy, Apache), are version 3.
"""

from __future__ import annotations

import re

from ticketsvc.api.current import current_request
from ticketsvc.problems import PreconditionFailed
from ticketsvc.store.tickets import ANY_VERSION, Condition

_LARGEST_VERSION = 2**31 - 1
_TAG = re.compile(r'(?:^|,)[ \t]*(?:W/)?"([!#-~\x80-\xff]*?)(?:-(?:gzip|br|zstd))?"[ \t]*(?=,|$)')
_VERSION = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


def etag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def condition() -> Condition:
    """Return the versions of a ticket to which the request applies, as If-Match and If-None-Match say."""
    environ = current_request().environ
    if "HTTP_IF_MATCH" not in environ and "HTTP_IF_NONE_MATCH" not in environ:
        return ANY_VERSION
    return Condition(_versions(environ.get("HTTP_IF_MATCH", "*")), _versions(environ.get("HTTP_IF_NONE_MATCH", "")))


def require_match(current: str) -> None:
    """Check that If-Match, if there is one, has the ETag of content that is no ticket. Raises PreconditionFailed."""
    field: str = current_request().environ.get("HTTP_IF_MATCH", "*").strip()
    if field != "*" and current.strip('"') not in _TAG.findall(field):
        raise PreconditionFailed(f"If-Match does not have the tag of this content, {current}.")


def require_untagged() -> None:
    """Check that the request applies to content without an ETag, such as a list. Raises PreconditionFailed."""
    only, never = condition()
    if only is not None or never is None:
        raise PreconditionFailed("Lists have no ETag: leave out If-Match and If-None-Match. Nothing was changed.")


def client_has(current: str) -> bool:
    """Return whether If-None-Match contains an ETag, given with its quotes (weak comparison)."""
    field: str = current_request().environ.get("HTTP_IF_NONE_MATCH", "")
    return field.strip() == "*" or current in [known.strip().removeprefix("W/") for known in field.split(",")]


def _versions(field: str) -> list[int] | None:
    """Return the versions whose tags a field has, leaving out other tags; None for *, all of them."""
    if field.strip() == "*":
        return None
    versions = [int(tag) for tag in _TAG.findall(field) if _VERSION.fullmatch(tag)]
    return [version for version in versions if version <= _LARGEST_VERSION]

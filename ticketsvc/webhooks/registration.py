"""Check what is registered: the URL and the filters of a webhook."""

from __future__ import annotations

import re
import socket
from functools import lru_cache
from urllib.parse import parse_qsl

from ticketsvc import filters
from ticketsvc.filters import Filters
from ticketsvc.problems import FieldError, InvalidInput
from ticketsvc.store.webhooks import MAX_WEBHOOKS
from ticketsvc.validation.parameters import Parameters
from ticketsvc.webhooks import addresses

URL_LENGTH = 2_000
"""The maximum number of characters."""
FILTERS_LENGTH = 4_000
"""The maximum number of characters."""
MAX_PARAMETERS = 100

_URL = re.compile(
    r"(?P<scheme>https?)://(?:(?P<name>[\w.-]{1,253})|\[(?P<ipv6>[0-9a-f:.]+)])(?::(?P<port>\d{1,5}))?(?:[/?][!\"$-~]*)?",
    re.IGNORECASE | re.ASCII,
)
"""Visible ASCII without credentials, which GET would show, and without a fragment, which is never sent."""


def check_url(text: str, allow_private: bool) -> None:
    """Check the URL of a webhook. Raises ValueError with the end of a sentence.

    An address must be public and the connection encrypted, unless private receivers are allowed. Names are not
    resolved: they may have another address whenever something is sent.
    """
    match = _URL.fullmatch(text)
    if match is None or not 0 < int(match["port"] or 443) < 65_536:
        raise ValueError(
            "must be an absolute URL, such as https://example.com/tickets, in ASCII, without credentials and fragment"
        )
    if allow_private:
        return
    if match["scheme"].lower() != "https":
        raise ValueError("must begin with https://, because events contain the texts of tickets")
    if _is_private_literal(match["name"] or match["ipv6"]):
        raise ValueError("must not have a private, loopback, link-local or other address that is not public")


def _is_private_literal(host: str) -> bool:
    try:
        endpoints = addresses.resolve(host, 443, socket.AI_NUMERICHOST)  # it knows all spellings, such as 0x7f.1
    except OSError:
        return False
    return not all(endpoint.is_public for endpoint in endpoints)


@lru_cache(2 * MAX_WEBHOOKS)
def parse_filters(query_string: str, public_only: bool) -> Filters:
    """Return the filters in the query string of a list. Raises InvalidInput, whose errors are those of `filters`."""
    try:
        pairs = parse_qsl(query_string, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        rule = f"filters must be percent-encoded UTF-8 and have at most {MAX_PARAMETERS} parameters."
        raise InvalidInput(FieldError.in_field("filters", rule, "not_allowed")) from None
    parameters = Parameters(pairs)
    parsed = filters.parse(parameters, public_only)
    try:
        parameters.check()
    except InvalidInput as invalid:
        errors = [FieldError.in_field("filters", f"filters: {error.detail}", error.code) for error in invalid.errors]
        raise InvalidInput(*errors) from None
    return parsed

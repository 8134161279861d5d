"""Members of a body that an operation does not use: unknown ones, and those that clients cannot set, such as an id.

They are ignored, and a header names them. With `Prefer: handling=strict` (RFC 7240) they are errors.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import quote

from flask import Response, after_this_request

from ticketsvc.api.current import current_request
from ticketsvc.validation.fields import Fields

IGNORED = "Ignored-Members"
MAX_HEADER_LENGTH = 1_000
"""In characters. Names beyond it are left out."""
MAX_NAME_LENGTH = 60
"""In characters. Of a longer name only the beginning is reported."""
MAX_ERRORS = 100
"""The number of members that are reported as errors."""

_HANDLING = re.compile(r'(?:^|,)\s*handling\s*=\s*"?(\w*)"?\s*(?:[;,]|$)', re.IGNORECASE)
_PLAIN = re.compile(r"[ -~]*")
_SAFE = "".join(map(chr, range(32, 127))).translate({ord('"'): None, ord("%"): None})


def check_unused(fields: Fields, used: Collection[str]) -> None:
    """Report the members that an operation does not use: in a header, or to `fields` if the client is strict."""
    is_strict = _is_strict()
    if not is_strict and all(map(used.__contains__, fields.body)):
        return
    unused = [name for name in fields.body if name not in used]
    if is_strict:
        _add_header("Preference-Applied", "handling=strict")
        for name in unused[:MAX_ERRORS]:
            shown = name[:MAX_NAME_LENGTH].encode(errors="replace").decode()  # half of a surrogate pair has no UTF-8
            fields.add_error(shown, f"is not used here, only {', '.join(used)}.", "unknown")
    else:
        _add_header(IGNORED, header_value(unused))


def _is_strict() -> bool:
    environ = current_request().environ
    if "HTTP_PREFER" not in environ:
        return False
    preference = _HANDLING.search(environ["HTTP_PREFER"])
    return preference is not None and preference[1].lower() == "strict"


def _add_header(name: str, value: str) -> None:
    @after_this_request
    def add(response: Response) -> Response:
        response.headers[name] = value
        return response


def header_value(names: list[str]) -> str:
    """Return names as a list of strings, or display strings if they are not ASCII (RFC 9651), within the limits."""
    items: list[str] = []
    for name in names:
        item = _item(name[:MAX_NAME_LENGTH])
        if sum(map(len, items)) + 2 * len(items) + len(item) > MAX_HEADER_LENGTH:
            break
        items.append(item)
    return ", ".join(items)


def _item(name: str) -> str:
    if _PLAIN.fullmatch(name):
        return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return '%"' + re.sub(r"%..", lambda escape: escape[0].lower(), quote(name, safe=_SAFE, errors="replace")) + '"'

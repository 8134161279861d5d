"""The rows of which pages are made."""

from __future__ import annotations

from typing import NamedTuple


class PageRow(NamedTuple):
    """A ticket of a page, or with `json` None the position where a step of a search stopped.

    `id` and `key` are its position, as in a cursor; the key is None in orders that have none.
    """

    json: bytes | None
    id: str
    key: str | None

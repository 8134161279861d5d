"""Pages that end early if their rows are large, so that no page takes more than a few megabytes of memory."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Protocol, TypeVar

PAGE_BYTES = 4_000_000
"""The size of the JSON at which a page ends. It has at least one row, whatever its size."""

ANY_SIZE = 2**31 - 1
"""The `row_bytes` with which every row has its JSON."""

_LONGEST_SIZE = 10
"""The most digits of a size; every JSON document is longer."""


class _Row(Protocol):
    @property
    def json(self) -> bytes | None: ...


_R = TypeVar("_R", bound=_Row)


def fetch(run: Callable[[int, int], list[_R]], limit: int) -> tuple[list[_R], bool]:
    """Return the rows of a page of at most `limit`, and whether more follow.

    `run(limit, row_bytes)` runs the query, in whose result a row that is larger than `row_bytes` has its size in place
    of its JSON. First that is the share of each row in a page, so nearly every page is complete at once. If a row is
    larger, the sizes say how many rows fit, and the query runs again for those.
    """
    rows = run(limit + 1, PAGE_BYTES // (limit + 1))
    documents = [row.json or b"" for row in rows[:limit]]
    if documents and min(map(len, documents)) <= _LONGEST_SIZE:
        sizes = [int(json) if len(json) <= _LONGEST_SIZE else len(json) for json in documents]
        limit = max(1, sum(total <= PAGE_BYTES for total in accumulate(sizes)))
        rows = run(limit + 1, ANY_SIZE)
    return rows[:limit], len(rows) > limit

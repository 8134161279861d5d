"""Pages that end early if their rows are large, so that no page takes more than a few megabytes of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any, Protocol, TypeVar

from ticketsvc.compact_json import json_array

PAGE_BYTES = 4_000_000
"""The size of the JSON at which a page ends. It has at least one row, whatever its size."""

ANY_SIZE = 2**31 - 1
WITH_ALL_JSON = {"row_bytes": ANY_SIZE, "measured_bytes": 0}
"""The parameters of sql/fragments/ticket_or_size.sql with which every row has its JSON."""

_LONGEST_SIZE = 10
"""The most digits of a size; every JSON document is longer."""


class _Row(Protocol):
    @property
    def json(self) -> bytes | None: ...


_R = TypeVar("_R", bound=_Row)


def fetch(run: Callable[[int, dict[str, int]], list[_R]], limit: int) -> tuple[bytes, _R | None]:
    """Return a page of at most `limit` rows as a line of JSON, an array, and its last row if more follow.

    `run(limit, sizes)` runs a query with the parameters of sql/fragments/ticket_or_size.sql, in whose result a row that
    is larger than its share of the page has only its size. Nearly every page has no such row and is complete at once.
    Otherwise the sizes say how many rows fit, and the query runs again for those: first with the sizes of the texts,
    which cost nothing, then with those of their JSON.
    """
    for measured_bytes in (0, ANY_SIZE):
        rows = run(limit + 1, {"row_bytes": PAGE_BYTES // (limit + 1), "measured_bytes": measured_bytes})
        documents: list[Any] = [row.json for row in rows[:limit]]
        if not documents or min(map(len, documents)) > _LONGEST_SIZE:
            break
        limit = rows_that_fit(int(json) if len(json) <= _LONGEST_SIZE else len(json) for json in documents)
    else:
        rows = run(limit + 1, WITH_ALL_JSON)
        documents = [row.json for row in rows[:limit]]
    return json_array(documents), rows[limit - 1] if len(rows) > limit else None


def rows_that_fit(sizes: Iterable[int], page_bytes: int = PAGE_BYTES) -> int:
    """Return how many rows of these sizes fit on a page: at least one."""
    return max(1, sum(total <= page_bytes for total in accumulate(sizes)))

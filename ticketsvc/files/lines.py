"""Splitting a file that arrives in chunks into lines."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

LINES_AT_ONCE = 500
"""The number of lines after which other greenlets run: a few milliseconds."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def split(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Yield each line without its line feed.

    A line of more than `limit` bytes is cut, but keeps more than `limit` bytes so that the reader can detect it.
    Lets other greenlets run from time to time, because a file that is already there never waits.
    """
    rest = b""
    for chunk in _without_byte_order_mark(chunks):
        *complete, rest = (rest + chunk).split(b"\n")
        for number, line in enumerate(complete, 1):
            yield line
            if number % LINES_AT_ONCE == 0:
                time.sleep(0)
        rest = rest[: limit + 1]  # bounds the memory
    if rest:
        yield rest


def _without_byte_order_mark(chunks: Iterable[bytes]) -> Iterator[bytes]:
    beginning = b""
    chunks = iter(chunks)
    for chunk in chunks:
        beginning += chunk
        if len(beginning) >= len(_BYTE_ORDER_MARK):
            break
    yield beginning.removeprefix(_BYTE_ORDER_MARK)
    yield from chunks

"""The lines of a file that arrives in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def split(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Each line without its line feed. Of one that has more than `limit` bytes some beginning that also has more."""
    rest = b""
    for chunk in _without_mark(chunks):
        *complete, rest = (rest + chunk).split(b"\n")
        yield from complete
        rest = rest[: limit + 1]  # memory stays flat
    if rest:
        yield rest


def _without_mark(chunks: Iterable[bytes]) -> Iterator[bytes]:
    beginning = b""
    chunks = iter(chunks)
    for chunk in chunks:
        beginning += chunk
        if len(beginning) >= len(_BYTE_ORDER_MARK):
            break
    yield beginning.removeprefix(_BYTE_ORDER_MARK)
    yield from chunks

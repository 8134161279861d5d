"""Compression of responses with gzip, for clients that accept it.

A response that may be compressed contains no secret and repeats nothing of its request. Otherwise a client that chooses
the one and sees the length of the response could guess the other (the attack BREACH). So pages, files, metrics and the
files of the console are compressed; single tickets, suggestions, statistics and errors never are.
"""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from functools import lru_cache
from threading import Lock

from ticketsvc.api.current import current_request
from ticketsvc.api.input import quality

MIN_BYTES = 1_024
"""Up to this size a response is only compressed if the client refuses it uncompressed."""
PIECE_BYTES = 65_536
"""Compressed at once, in about half a millisecond; then other greenlets run."""
FAST, ONCE = 1, 9
"""Levels: for a single response, in a quarter of the time of zlib's default; and for a file that is compressed once."""
ENCODED = {"Content-Encoding": "gzip"}
VARY = "Accept-Encoding"

_GZIP_FORMAT = 31

_large = Lock()
"""Held while a large body is compressed: other requests wait for one piece of one body, not of each."""


def threshold() -> float:
    """Return the size above which the client of this request gets a response compressed: infinity for never."""
    field: str = current_request().environ.get("HTTP_ACCEPT_ENCODING", "")
    return _threshold(field) if 0 < len(field) <= quality.MAX_LENGTH else math.inf


@lru_cache(256)
def _threshold(field: str) -> float:
    qualities = quality.parse(field).of
    gzip = qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", 0.0)))
    if not gzip or gzip < qualities.get("identity", 0.0):
        return math.inf
    return MIN_BYTES if qualities.get("identity", qualities.get("*", 1.0)) else -1


class Compressor:
    """Compresses the parts of one response."""

    def __init__(self, level: int) -> None:
        self._compressor = zlib.compressobj(level, wbits=_GZIP_FORMAT)

    def compress(self, data: bytes) -> Iterator[bytes]:
        """Yield what is ready after each piece of `data`. Other greenlets run between two pieces."""
        yield self._compressor.compress(data[:PIECE_BYTES])
        for start in range(PIECE_BYTES, len(data), PIECE_BYTES):
            time.sleep(0)
            yield self._compressor.compress(data[start : start + PIECE_BYTES])

    def part(self, data: bytes) -> bytes:
        """Return a part of a stream, complete: the client can read all of it before the next one arrives."""
        return b"".join([*self.compress(data), self._compressor.flush(zlib.Z_SYNC_FLUSH)])

    def end(self) -> bytes:
        """Return the end of the stream."""
        return self._compressor.flush()


def compressed(data: bytes, level: int = FAST) -> bytes:
    """Return a compressed body. Lets other greenlets run if it is large."""
    compressor = Compressor(level)
    with _large if len(data) > PIECE_BYTES else nullcontext():
        return b"".join([*compressor.compress(data), compressor.end()])


@lru_cache(128)
def compressed_once(data: bytes) -> bytes:
    """Return the compressed body of a file that never changes, compressed when it is first requested."""
    return compressed(data, ONCE)

"""The body of an export, streamed."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator
from itertools import chain

from ticketsvc.api.output.compression import FAST, Compressor
from ticketsvc.files.stall_watchdog import StallWatchdog
from ticketsvc.store.exports import Part

logger = logging.getLogger(__name__)


class ExportStream:
    """Streams the parts of an export while a watchdog guards against clients that stall.

    The first part is read at once, so that an early error becomes a problem document. A later error closes the
    connection: an incomplete file must not look complete.
    """

    def __init__(self, parts: Generator[Part, None, None], watchdog: StallWatchdog, is_compressed: bool) -> None:
        self._parts, self._watchdog = parts, watchdog
        self._compressor = Compressor(FAST) if is_compressed else None
        self._started = time.perf_counter()
        self._first = next(parts)
        self._tickets, self._complete = 0, False
        watchdog.start()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines of each part. The server sends them before the next part is read."""
        for lines, tickets in self._watchdog.send(chain([self._first], self._parts)):
            if lines:
                yield self._compressor.part(lines) if self._compressor else lines
            self._tickets += tickets
        if self._compressor:
            yield self._compressor.end()
        self._complete = True

    def close(self) -> None:
        """Close the database connection and log the outcome. The server calls this in every case (PEP 3333)."""
        self._watchdog.end()
        self._parts.close()
        seconds = round(time.perf_counter() - self._started, 3)
        level, message = (logging.INFO, "exported") if self._complete else (logging.WARNING, "an export broke off")
        logger.log(level, message, extra={"fields": {"tickets": self._tickets, "seconds": seconds}})

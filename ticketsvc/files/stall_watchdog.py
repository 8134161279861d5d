"""A watchdog that ends uploads and downloads whose client stalls or takes too long."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from ticketsvc.problems import Unavailable

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


class StallWatchdog:
    """Shuts down the connection of a request if the client stalls or exceeds the total time. Times are in seconds.

    Shutting down the connection ends pending reads and writes. Without a socket in the WSGI environment (test client)
    nothing is watched.
    """

    def __init__(self, environ: dict[str, Any], stall: float, total: float) -> None:
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        self._stall = stall
        self._deadline = time.monotonic() + total
        self._waiting_since: float | None = None
        self._stopped = threading.Event()
        self._aborted = False

    def start(self) -> None:
        """Start watching, until `end`."""
        if self._socket:
            threading.Thread(target=self._watch, args=(self._socket,), daemon=True).start()

    def end(self) -> None:
        """Stop watching."""
        self._stopped.set()
        if self._aborted:
            logger.warning("connection closed: the client stalled or took too long")

    def receive(self, chunks: Iterable[_T]) -> Iterator[_T]:
        """Yield the chunks of an upload. Only the wait for the next chunk counts as the client's time.

        Yields to other greenlets after each chunk, because this one never waits if the data is already there. Raises
        Unavailable between two chunks after the total time.
        """
        remaining = iter(chunks)
        while True:
            self._waiting_since = time.monotonic()
            try:
                chunk = next(remaining)
            except StopIteration:
                return
            finally:
                self._waiting_since = None
            yield chunk
            time.sleep(0)
            if time.monotonic() > self._deadline:
                raise Unavailable("The import took too long and was rolled back. Split the file.", 60)

    def send(self, chunks: Iterable[_T]) -> Iterator[_T]:
        """Yield the chunks of a download. The time until the next one is requested counts as the client's time.

        Yields to other greenlets after each chunk.
        """
        for chunk in chunks:
            self._waiting_since = time.monotonic()
            yield chunk
            self._waiting_since = None
            time.sleep(0)

    def _watch(self, connection: socket.socket) -> None:
        while not self._stopped.wait(min(self._stall / 4, 1.0)):
            now, since = time.monotonic(), self._waiting_since
            if since is not None and (now > self._deadline or now - since > self._stall):
                self._aborted = True
                try:
                    connection.close()
                except OSError:
                    logger.debug("the client had already disconnected")
                return

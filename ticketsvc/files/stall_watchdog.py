"""A long upload or download, watched: a caller who stalls, or takes too long in all, is cut off."""

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
    """Watches the connection of a request while the caller is waited for. Times are in seconds.

    The connection is shut down, which ends the wait of whoever reads or writes it. Where the server has no socket to
    show (the test client) nothing is watched.
    """

    def __init__(self, environ: dict[str, Any], stall: float, total: float) -> None:
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        self._stall = stall
        self._deadline = time.monotonic() + total
        self._since: float | None = None
        self._over = threading.Event()
        self._cut = False

    def start(self) -> None:
        """Begin to watch, until `end`."""
        if self._socket:
            threading.Thread(target=self._watch, args=(self._socket,), daemon=True).start()

    def end(self) -> None:
        """Watch no longer."""
        self._over.set()
        if self._cut:
            logger.warning("cut off a caller who stalled or took too long")

    def receive(self, chunks: Iterable[_T]) -> Iterator[_T]:
        """The same chunks; between two of them the work is ours, and the wait for each the caller's.

        Others get their turn after each: where data is always there, nothing else makes this greenlet wait. Raises
        Unavailable between two chunks when the time is over.
        """
        waiting = iter(chunks)
        while True:
            self._since = time.monotonic()
            try:
                chunk = next(waiting)
            except StopIteration:
                return
            finally:
                self._since = None
            yield chunk
            time.sleep(0)
            if time.monotonic() > self._deadline:
                raise Unavailable("The import took too long and was undone. Split the file.", 60)

    def send(self, chunks: Iterable[_T]) -> Iterator[_T]:
        """The same chunks; the caller is waited for while one is handed on. Others get their turn after each."""
        for chunk in chunks:
            self._since = time.monotonic()
            yield chunk
            self._since = None
            time.sleep(0)

    def _watch(self, connection: socket.socket) -> None:
        while not self._over.wait(min(self._stall / 4, 1.0)):
            now, since = time.monotonic(), self._since
            if since is not None and (now > self._deadline or now - since > self._stall):
                self._cut = True
                _shut_down(connection)
                return


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        logger.debug("the caller was gone")

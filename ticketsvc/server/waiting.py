"""Bodies of responses that wait for something to happen, for long: they are not counted and logged like others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator


class WaitingBody:
    """The body of such a response. `at_end` is called once when it is complete or its client has left.

    Its connection does not count as one of the worker's ordinary ones, and the middleware logs the request at the end,
    with `route`: there may be no request any more when the head of the response is made.
    """

    def __init__(self, chunks: Iterable[bytes], route: str, at_end: Callable[[], object]) -> None:
        self._chunks = chunks
        self.route = route
        self.at_end = [at_end]

    def __iter__(self) -> Iterator[bytes]:
        """Yield the parts of the body. The server sends each before it asks for the next one."""
        try:
            yield from self._chunks
        finally:
            self.close()

    def close(self) -> None:
        """End the wait. The server calls this in every case (PEP 3333)."""
        while self.at_end:
            self.at_end.pop(0)()

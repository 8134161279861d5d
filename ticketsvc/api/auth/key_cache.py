"""The keys that a worker has seen, so that not every request asks the database."""

from __future__ import annotations

import time
from collections.abc import Callable

from ticketsvc import background
from ticketsvc.store.keys import Key

TTL_SECONDS = 5.0
"""How long a key is taken for valid without asking again: a revoked one works no longer than that."""
MAX_ENTRIES = 10_000


class KeyCache:
    """Valid keys by their digest. `find` asks the database for one, `use` records that one of that name is used."""

    def __init__(
        self,
        find: Callable[[str], Key | None],
        use: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._use = use
        self._clock = clock
        self._seen: dict[str, tuple[Key, float]] = {}

    def has_seen(self, digest: str) -> bool:
        """Whether the key was valid when it was last asked for."""
        return digest in self._seen

    def find(self, digest: str) -> Key | None:
        """The valid key with this digest. Raises Unavailable when the database has to be asked and is away."""
        now = self._clock()
        key, fresh_until = self._seen.get(digest, (None, now))
        if now < fresh_until:
            return key
        self._seen.pop(digest, None)
        found = self._find(digest)
        if found:
            if len(self._seen) >= MAX_ENTRIES:
                self._seen.clear()
            self._seen[digest] = (found, now + TTL_SECONDS)
            if found.needs_touch:
                background.start(lambda: self._use(found.name))
        return found

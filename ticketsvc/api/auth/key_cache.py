"""A cache of valid API keys, so that not every request queries the database."""

from __future__ import annotations

import time
from collections.abc import Callable

from ticketsvc import background
from ticketsvc.store.keys import Key

TTL_SECONDS = 5.0
"""A revoked key keeps working for at most this long."""
MAX_ENTRIES = 10_000


class KeyCache:
    """Valid keys by digest. `find` looks a digest up in the database; `use` records that the key of a name is used."""

    def __init__(
        self,
        find: Callable[[str], Key | None],
        use: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._use = use
        self._clock = clock
        self._entries: dict[str, tuple[Key, float]] = {}

    def __contains__(self, digest: str) -> bool:
        """Return whether the key was valid at its last lookup."""
        return digest in self._entries

    def find(self, digest: str) -> Key | None:
        """Return the valid key with a digest, or None. Raises Unavailable if the database is needed and unavailable."""
        now = self._clock()
        key, expires = self._entries.get(digest, (None, now))
        if now < expires:
            return key
        self._entries.pop(digest, None)
        found = self._find(digest)
        if found:
            if len(self._entries) >= MAX_ENTRIES:
                self._entries.clear()
            self._entries[digest] = (found, now + TTL_SECONDS)
            if found.needs_touch:
                background.run_in_background(lambda: self._use(found.name))
        return found

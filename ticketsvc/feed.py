"""Waiting for events: one greenlet of a process watches the feed for all of its listeners.

It publishes and reads on one connection, as long as there are listeners. A listener costs memory and no connection of
the database. All listeners at the same position get the same bytes.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import suppress
from functools import cached_property
from typing import Any

from ticketsvc import background
from ticketsvc.compact_json import json_array
from ticketsvc.problems import EventsGone, Problem, Unavailable
from ticketsvc.server import metrics
from ticketsvc.server.connections import has_left
from ticketsvc.store import events, keys
from ticketsvc.store.events import EventId, Page
from ticketsvc.store.postgres.database import Database

POLL_SECONDS = 0.05
"""Interval at which the watcher looks for new events."""
RETRY_SECONDS = 1.0
"""The interval while the database is away."""
SWEEP_SECONDS = 1.0
"""Interval at which the watcher looks for listeners that have left or do not read."""
KEY_CHECK_SECONDS = 30.0
"""Interval at which the API keys of listeners are checked."""
KEEP_SECONDS = 2.0
"""Time for which a batch is kept for listeners that have not taken it. Later they read it from the database."""
KEEP_BATCHES = 64
"""The number of batches that are kept, and that the watcher then reads before it does its other work."""
END_SECONDS = 1.0
"""The time over which a process that ends spreads the ends of its listeners: they all connect again."""
CLIENT_SHARE = 0.5
"""The share of EVENT_LISTENERS that one client can have."""


def comment(position: str) -> bytes:
    """Return the line of a stream with a position in the database's log, for the next requests of the client."""
    return b":lsn %b\n" % position.encode() if position else b""


class Batch:
    """Successive events, with the forms that all listeners share."""

    def __init__(self, page: Page, position: str) -> None:
        """`position` is that of the database behind the events (`Database.position`)."""
        self.events, self.end, self.position = page.events, page.end, position
        self.read_at = time.monotonic()

    @cached_property
    def stream(self) -> bytes:
        """The events as server-sent events."""
        events = [b"id: %b\ndata: %b\n\n" % (str(event.id).encode(), event.json) for event in self.events]
        return comment(self.position) + b"".join(events)

    @cached_property
    def array(self) -> bytes:
        """The events as a JSON array."""
        return json_array(event.json for event in self.events)


class Listener:
    """A request that waits for events after `position`. `key` is the digest of its API key, if keys are required."""

    sending_since = 0.0
    """Time at which the response began to wait for a slow client; 0 while it does not."""
    is_ended = False

    def __init__(
        self, client: str, connection: Any, position: EventId, key: str | None, without_internal: bool
    ) -> None:
        self.client, self.connection, self.position, self.key = client, connection, position, key
        self.without_internal = without_internal
        self.woken = threading.Event()

    def end(self) -> None:
        """Let the response end as soon as it is not being sent."""
        self.is_ended = True
        self.woken.set()


class _Channel:
    """The listeners that may read internal comments, or those that may not, and the events that they see."""

    def __init__(self, without_internal: bool) -> None:
        self._without_internal = without_internal
        self.listeners: dict[Listener, None] = {}
        self.batches: dict[EventId, Batch] = {}
        self.position: EventId | None = None

    def advance(self, database: Database, found: events.Poll) -> None:
        """Read what is new, and wake the listeners."""
        if not self.listeners:
            self.reset()
            return
        for after, batch in list(self.batches.items()):
            if len(self.batches) > KEEP_BATCHES or time.monotonic() - batch.read_at > KEEP_SECONDS:
                del self.batches[after]
        if self.position is None:
            self._move(EventId.parse(found.latest))
        try:
            self._read(database, found)
        except EventsGone:  # another database, or one that was restored from an older copy
            self.reset()
            latest = EventId.parse(found.latest)
            for listener in list(self.listeners):
                generation, seq = listener.position
                if generation != latest.generation or seq > latest.seq:  # not one that has joined since
                    listener.end()

    def reset(self) -> None:
        """Forget the position: nobody has watched since, and there may be another database."""
        self.position = None
        self.batches.clear()

    def _read(self, database: Database, found: events.Poll) -> None:
        has_more = found.published > 0 or found.latest != str(self.position)
        for _ in range(KEEP_BATCHES):
            if not has_more or self.position is None:
                return
            page = events.watched_batch(database, self.position, self._without_internal)
            if page.events:
                batch = self.batches[self.position] = Batch(page, database.position)
                metrics.EVENT_DELAY.observe(batch.events[0].age)
                self._move(page.end)
            has_more = page.has_more

    def _move(self, position: EventId) -> None:
        self.position = position
        for listener in list(self.listeners):
            listener.woken.set()


class Feed:
    """The listeners of a process, at most `limit`. A client may read nothing for `stall_seconds`."""

    def __init__(self, database: Database, limit: int, stall_seconds: float) -> None:
        self._database = database
        self._limit = limit
        self._stall_seconds = stall_seconds
        self._channels = {internal: _Channel(internal) for internal in (False, True)}
        self._by_client: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._is_watching = self._is_ending = False

    @property
    def position(self) -> str:
        """A position of the database behind all events that this process has read."""
        return self._database.position

    @property
    def _listeners(self) -> list[Listener]:
        return [listener for channel in self._channels.values() for listener in list(channel.listeners)]

    def join(self, listener: Listener) -> None:
        """Add a listener. Raises Unavailable if there are as many as may be, in all or for its client."""
        with self._lock:
            total, own = self._by_client.total(), self._by_client[listener.client]
            if total >= self._limit or own >= max(1, self._limit * CLIENT_SHARE):
                raise Unavailable("As many requests wait for events as may at once, in all or for this client.", 10)
            self._by_client[listener.client] += 1
            self._channels[listener.without_internal].listeners[listener] = None
            listener.is_ended = self._is_ending
            is_first, self._is_watching = not self._is_watching, True
            if is_first:
                for channel in self._channels.values():
                    channel.reset()
        if is_first:
            background.run_in_background(self._watch)

    def leave(self, listener: Listener) -> None:
        """Remove a listener."""
        with self._lock:
            del self._channels[listener.without_internal].listeners[listener]
            self._by_client[listener.client] -= 1
            if not self._by_client[listener.client]:
                del self._by_client[listener.client]

    def next(self, listener: Listener, seconds: float) -> Batch | None:
        """Wait until there are events after the listener's position, and return some of them.

        Returns None after `seconds`, and as soon as the listener is to end.
        """
        until = time.monotonic() + seconds
        while not listener.is_ended:
            listener.woken.clear()
            if batch := self._find(listener):
                return batch
            if not listener.woken.wait(max(0.0, until - time.monotonic())):
                return None
        return None

    def _find(self, listener: Listener) -> Batch | None:
        channel, position = self._channels[listener.without_internal], listener.position
        end = channel.position  # of another generation for a moment after the feed has started over
        if end is None or (end.generation == position.generation and end.seq <= position.seq):
            return None
        if batch := channel.batches.get(position):
            return batch
        page = events.batch(self._database, position, listener.without_internal)
        return Batch(page, self._database.position) if page.events else None

    def end(self) -> None:
        """End all listeners, over END_SECONDS: the process ends."""
        self._is_ending = True
        listeners = self._listeners
        for number, listener in enumerate(listeners, start=1):
            listener.end()
            if number % (len(listeners) // 20 + 1) == 0:
                time.sleep(END_SECONDS / 20)

    def _watch(self) -> None:
        swept = checked = time.monotonic()
        try:
            while self._goes_on():
                is_up = self._poll()
                now = time.monotonic()
                if now - swept >= SWEEP_SECONDS:
                    swept = now
                    self._sweep(now)
                if is_up and now - checked >= KEY_CHECK_SECONDS:
                    checked = now
                    self._check_keys()
                time.sleep(POLL_SECONDS if is_up else RETRY_SECONDS)
        finally:  # after a defect nobody would wake them, but the next listener starts another watcher
            self._is_watching = False
            for listener in self._listeners:
                listener.end()

    def _goes_on(self) -> bool:
        with self._lock:
            self._is_watching = bool(self._by_client)
            return self._is_watching

    def _poll(self) -> bool:
        """Publish and read. Returns false if the database is away."""
        try:
            found = events.poll(self._database)
            for channel in self._channels.values():
                channel.advance(self._database, found)
        except Problem:
            return False
        return True

    def _sweep(self, now: float) -> None:
        """End listeners whose clients have left, and close connections whose clients do not read."""
        for listener in self._listeners:
            if listener.connection is None:
                continue
            if listener.sending_since and now - listener.sending_since > self._stall_seconds:
                listener.connection.close()  # ends the pending write
            elif has_left(listener.connection):
                listener.end()

    def _check_keys(self) -> None:
        """End listeners whose keys have been revoked."""
        listeners = self._listeners
        with suppress(Problem):
            used = {listener.key for listener in listeners if listener.key}
            revoked = {key for key in used if keys.find(self._database, key) is None}
            for listener in listeners:
                if listener.key in revoked:
                    listener.end()

"""The process that delivers events to webhooks. Any number may run: the database decides who attempts what."""

from __future__ import annotations

import logging
import queue
import threading
import time

from ticketsvc.problems import InvalidInput, Problem
from ticketsvc.store import events
from ticketsvc.store import webhooks as store
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.webhooks import Behind, Claimed, Result
from ticketsvc.webhooks import registration, sender

IDLE_SECONDS = 0.2
"""The interval at which new events and due deliveries are looked for. A delivery that ends is followed up at once."""
OUTAGE_SECONDS = 1.0
"""The interval at which the database is tried again while it is away."""
PRUNE_SECONDS = 60.0
"""The interval at which old deliveries are deleted."""
STOP_SECONDS = sender.TOTAL_SECONDS + 1
"""The time for which attempts under way are waited for at the end."""

_log = logging.getLogger("ticketsvc.webhooks")


class Deliverer:
    """Creates deliveries for events, attempts those that are due, each in a thread, and records the results.

    Only the thread of `run` uses the database: one connection is enough.
    """

    def __init__(self, database: Database, allow_private: bool) -> None:
        self._database = database
        self._allow_private = allow_private
        self._stopping = threading.Event()
        self._results: queue.SimpleQueue[tuple[Claimed, Result]] = queue.SimpleQueue()
        self._unrecorded: list[tuple[Claimed, Result]] = []
        self._under_way = 0
        self._is_away = False
        self._invalid: set[Behind] = set()
        self._feed_at = self._prune_at = 0.0

    def stop(self) -> None:
        """Let `run` finish what is under way and return. May be called by a signal handler."""
        self._stopping.set()

    def run(self, once: bool = False) -> None:
        """Deliver until `stop` is called; with `once`, until nothing is due."""
        _log.info("deliveries start")
        while not self._stopping.is_set():
            try:
                has_work = self._step()
            except Problem as problem:
                self._report_outage(problem)
                self._stopping.wait(OUTAGE_SECONDS)
                continue
            self._is_away = False
            if once and not has_work and not self._under_way:
                break
            if not has_work:
                self._wait(IDLE_SECONDS)
        self._finish()
        _log.info("deliveries stopped")

    def _step(self) -> bool:
        """Do what there is to do, and return whether there may be more at once. Raises a Problem."""
        self._record()
        now, has_more = time.monotonic(), False
        if now >= self._feed_at:
            has_more = self._read_feed()
            self._feed_at = 0.0 if has_more else now + IDLE_SECONDS
        if now >= self._prune_at:
            store.prune(self._database)
            self._prune_at = now + PRUNE_SECONDS
        claimed = store.claim(self._database)
        for delivery in claimed:
            self._under_way += 1
            threading.Thread(target=self._attempt, args=(delivery,), daemon=True).start()
        return has_more

    def _read_feed(self) -> bool:
        """Publish events and create their deliveries. Returns whether there may be more."""
        events.publish(self._database)
        has_more = False
        for webhook in store.behind(self._database):
            try:
                filters = registration.parse_filters(webhook.filters, webhook.public_only)
            except InvalidInput:
                if webhook not in self._invalid:
                    _log.error(
                        "the filters of a webhook are not valid any more",
                        extra={"fields": {"webhook": str(webhook.id)}},
                    )
                self._invalid.add(webhook)
                continue
            done = store.fan_out(self._database, webhook, filters)
            if done.pruned:
                fields = {"webhook": str(webhook.id), "events": done.pruned}
                _log.error("events were pruned before they could be delivered", extra={"fields": fields})
            has_more = has_more or done.events > 0
        return has_more

    def _attempt(self, delivery: Claimed) -> None:
        if delivery.body is None:
            result = Result(None, "The event is gone.", 0, is_skipped=True)
        else:
            try:
                result = sender.send(delivery, self._allow_private)
            except Exception:  # noqa: BLE001  # logged; the delivery is repeated later, with pauses
                _log.exception("a delivery failed because of a defect")
                result = Result(None, "The service has a defect. Its log says more.", 0)
        self._results.put((delivery, result))

    def _wait(self, seconds: float) -> bool:
        """Wait until an attempt has ended, at most this long. Returns whether one has."""
        try:
            self._unrecorded.append(self._results.get(timeout=seconds))
        except queue.Empty:
            return False
        self._under_way -= 1
        return True

    def _record(self) -> None:
        """Record the results of the attempts that have ended. Raises a Problem; the rest is recorded the next time."""
        while self._wait(0):
            pass
        while self._unrecorded:
            delivery, result = self._unrecorded[0]
            recorded = store.record(self._database, delivery, result)
            del self._unrecorded[0]
            self._report(delivery, result, recorded)

    def _finish(self) -> None:
        """Wait for the attempts under way, and record their results. What is not recorded, another process repeats."""
        deadline = time.monotonic() + STOP_SECONDS
        while (seconds := deadline - time.monotonic()) > 0 and (self._under_way or self._unrecorded):
            if self._under_way:
                self._wait(seconds)
            try:
                self._record()
            except Problem as problem:
                self._report_outage(problem)
                time.sleep(min(seconds, OUTAGE_SECONDS))

    def _report(self, delivery: Claimed, result: Result, recorded: store.Recorded | None) -> None:
        fields: dict[str, object] = {
            "webhook": delivery.webhook_id,
            "delivery": delivery.id,
            "attempt": delivery.attempt,
            "status": result.status,
            "duration_ms": result.duration_ms,
        }
        if result.error is None:
            _log.debug("delivered", extra={"fields": fields})
        else:
            _log.warning("a delivery failed", extra={"fields": {**fields, "reason": result.error}})
        if recorded and recorded.disabled_reason:
            reason = {"webhook": delivery.webhook_id, "reason": recorded.disabled_reason}
            _log.error("a webhook is disabled", extra={"fields": reason})

    def _report_outage(self, problem: Problem) -> None:
        if not self._is_away:
            _log.warning("deliveries wait for the database", extra={"fields": {"reason": problem.detail}})
        self._is_away = True

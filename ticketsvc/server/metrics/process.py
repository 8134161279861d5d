"""A process's counts, with those that others keep for it: the connection pool and the operating system."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ticketsvc.server.metrics import board
from ticketsvc.server.metrics.board import Snapshot
from ticketsvc.server.metrics.counts import COUNTS, Key

_STATM = Path("/proc/self/statm")


def publish(pool: Mapping[str, int]) -> None:
    """Put this process's counts on the board, if there is one; a full disk is no reason to stop serving.

    `pool` is what ConnectionPool.get_stats() answers.
    """
    if place := board.current():
        with suppress(OSError):
            place.publish(os.getpid(), snapshot(pool))


def total(pool: Mapping[str, int]) -> Snapshot:
    """The counts of all workers until now, this one's included. Raises OSError."""
    publish(pool)
    place = board.current()
    return place.total() if place else snapshot(pool)


def snapshot(pool: Mapping[str, int]) -> Snapshot:
    """The counts of this process until now."""
    size, available = pool["pool_size"], pool["pool_available"]
    counters: dict[Key, float] = {
        ("database_pool_requests_total",): pool.get("requests_num", 0),
        ("database_pool_waits_total",): pool.get("requests_queued", 0),
        ("database_pool_wait_seconds_total",): pool.get("requests_wait_ms", 0) / 1000,
        ("database_pool_timeouts_total",): pool.get("requests_errors", 0),
        ("database_pool_opened_total",): pool.get("connections_num", 0),
        ("database_pool_lost_total",): pool.get("connections_lost", 0) + pool.get("returns_bad", 0),
        ("cpu_seconds_total",): time.process_time(),
    }
    gauges: dict[Key, float] = {
        ("database_pool_connections", "in_use"): size - available,
        ("database_pool_connections", "idle"): available,
        ("database_pool_connections_max",): pool["pool_max"],
        ("database_pool_waiting",): pool["requests_waiting"],
        ("workers",): 1,
        **_memory(),
    }
    histograms = {key: list(values) for key, values in COUNTS.histograms.items()}
    return Snapshot(COUNTS.started, {**COUNTS.counters, **counters}, histograms, gauges)


def _memory() -> dict[Key, float]:
    """What Linux says; nothing elsewhere."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except OSError:
        return {}
    return {("memory_bytes",): pages * os.sysconf("SC_PAGE_SIZE")}

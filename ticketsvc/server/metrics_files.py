"""The files through which gunicorn's workers share their metrics (prometheus-client's multi-process mode).

A file belongs to a worker's number, not to its process: a replacement gets the number of the worker that it replaces
and continues its counters. So counters survive their process, and the number of files does not grow.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import multiprocess, values

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
START_TIME = "TICKETSVC_START_TIME"
"""Environment variables of the workers, set by the master: the directory, and when the service started (Unix time)."""

_MEMORY = Path("/dev/shm")  # noqa: S108  # the directory made in it is private
_FILE_SIZES = {"counter": 131_072, "histogram": 524_288, "gauge_livesum": 65_536}
"""Bytes allocated for each file of a worker: room for more series than the service has."""


def create_directory() -> None:
    """Create the directory, in memory if possible, for this process and those it starts. It is deleted at exit."""
    directory = tempfile.mkdtemp(prefix="ticketsvc-metrics-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None)
    os.environ[DIRECTORY] = directory
    os.environ[START_TIME] = str(time.time())
    atexit.register(_delete, directory, os.getpid())


def _delete(directory: str, owner: int) -> None:
    if os.getpid() == owner:  # forked workers inherit exit handlers
        shutil.rmtree(directory, ignore_errors=True)


def free_number(taken: Iterable[int]) -> int:
    """Return the lowest number that no living worker has."""
    return next(number for number in itertools.count(1) if number not in taken)


def open_files(number: int) -> None:
    """Use the files of this number in a new worker. To be called before the first metric is created.

    The files are written in full first: prometheus-client maps sparse files, and a process that touches a hole in one
    on a full file system is killed by SIGBUS. Raises OSError if there is no room.
    """
    for name, size in _FILE_SIZES.items():
        path = Path(os.environ[DIRECTORY], f"{name}_{number}.db")
        if not path.exists():
            path.write_bytes(bytes(size))
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]


def mark_process_dead(number: int) -> None:
    """Remove the gauges of a worker that has ended; its counters stay."""
    multiprocess.mark_process_dead(number)  # type: ignore[no-untyped-call]

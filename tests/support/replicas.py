"""A streaming replica of a PostgreSQL server of the tests."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.postgres import NOT_DURABLE, Disposable, program_files
from ticketsvc_dev.embedded.account import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketsvc_dev.embedded.cluster import Cluster


@contextmanager
def replica(primary: Cluster) -> Iterator[Cluster]:
    """Run a replica of a server in a temporary directory; stop it and remove the directory at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="replica-", ignore_cleanup_errors=True) as temporary:
        directory = Path(temporary) / "server"
        cluster = Disposable(directory, program_files(), prepare(directory, program_files()), directory)
        try:
            cluster.copy(primary)
            cluster.start(NOT_DURABLE)
            yield cluster
        finally:
            cluster.stop()

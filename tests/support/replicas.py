"""A streaming replica of a PostgreSQL server of the tests."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.postgres import NOT_DURABLE, program_files
from ticketsvc_dev.embedded.account import prepare
from ticketsvc_dev.embedded.cluster import Cluster

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator


class Disposable(Cluster):
    """A server whose data no test needs after a crash: nothing waits for the disk."""

    def stop(self) -> None:
        """Stop the server without a checkpoint."""
        self._run("pg_ctl", "stop", "-D", "data", "-m", "immediate", "-w")

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        unsafe = ("--no-sync",) if program in ("initdb", "pg_basebackup") else ()
        return Cluster._run(self, program, *arguments, *unsafe)


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

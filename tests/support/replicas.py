"""A streaming replica of a PostgreSQL server of the tests."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.postgres import NOT_DURABLE, program_files
from ticketsvc_dev.embedded.account import prepare
from ticketsvc_dev.embedded.cluster import Cluster
from ticketsvc_dev.embedded.programs import run

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replica(primary: Cluster) -> Iterator[Cluster]:
    """Run a replica of a server in a temporary directory; stop it and remove the directory at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="replica-", ignore_cleanup_errors=True) as temporary:
        directory = Path(temporary) / "server"
        account = prepare(directory, program_files())
        source = ("-h", str(primary.socket_directory), "-p", "5432", "-U", "postgres")
        options = ("-D", "data", "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        copied = run(program_files() / "pg_basebackup", *source, *options, directory=directory, account=account)
        assert copied.returncode == 0, copied.stdout
        cluster = Cluster(directory, program_files(), account, directory)
        try:
            cluster.start(NOT_DURABLE)
            yield cluster
        finally:
            cluster.stop()

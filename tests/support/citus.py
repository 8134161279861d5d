"""A Citus of a coordinator and two workers, each a PostgreSQL server with its socket in a temporary directory.

TEST_CITUS_BIN names the directory of the programs of a PostgreSQL that has Citus, which is neither in the project nor
in Debian (docs/citus.md).
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.support.commands import run
from tests.support.postgres import Disposable, execute
from ticketsvc import migrations
from ticketsvc_dev.embedded.account import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketsvc_dev.embedded.cluster import Cluster

# Not with synchronous_commit=off: a move would lose the last changes on the node that it leaves (docs/citus.md).
SETTINGS = "-c fsync=off -c shared_preload_libraries=citus -c wal_level=logical -c citus.node_conninfo=sslmode=prefer"


def program_files() -> Path:
    """Return the directory of the programs; skip the test if there is none."""
    if chosen := os.environ.get("TEST_CITUS_BIN"):
        return Path(chosen)
    pytest.skip("TEST_CITUS_BIN names no PostgreSQL that has Citus")


@contextmanager
def running() -> Iterator[list[Cluster]]:
    """Run a coordinator and two workers. Their databases `postgres` are one to clients of the coordinator."""
    programs, nodes = program_files(), list[Disposable]()
    with ExitStack() as stack:
        for _ in range(3):
            temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="citus-", ignore_cleanup_errors=True))
            directory = Path(temporary) / "server"
            nodes.append(Disposable(directory, programs, prepare(directory, programs), directory))
            stack.callback(nodes[-1].stop)
            nodes[-1].start(f"{SETTINGS} -c citus.local_hostname={directory}")
            execute(nodes[-1].url(), "CREATE EXTENSION citus")
        coordinator, *workers = nodes
        execute(
            coordinator.url(),
            f"SELECT citus_set_coordinator_host('{coordinator.socket_directory}', 5432)",
            *(f"SELECT citus_add_node('{worker.socket_directory}', 5432)" for worker in workers),
        )
        yield list(nodes)


def psql(url: str, file: str, **variables: object) -> None:
    """Run an SQL file of the service with variables."""
    options = [part for name, value in variables.items() for part in ("--set", f"{name}={value}")]
    command = [str(program_files() / "psql"), url, "--quiet", "--output", os.devnull, *options]
    ran = subprocess.run(
        [*command, "--file", str(ROOT / "sql" / file)], capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""


def distribute(url: str, schema: str) -> str:
    """Create and distribute a schema with a role of its own, as docs/citus.md says. Returns the URL for the role."""
    migrations.apply(url, schema=schema)
    psql(url, "service_role.sql", role=schema, schema=schema)
    psql(url, "citus.sql", role=schema, schema=schema)
    own = url.replace("user=postgres", f"user={schema}")
    status, printed = run("flask", "role-settings", DATABASE_URL=own, DATABASE_SCHEMA=schema, DB_POOLER="citus")
    assert status == 0, printed
    execute(url, *printed.splitlines())
    return own

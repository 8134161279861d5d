"""A PostgreSQL server and the service, for benchmarks that need their own."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from bench.harness import PROGRAMS, ROOT
from ticketsvc import migrations
from ticketsvc_dev.embedded.account import prepare
from ticketsvc_dev.embedded.cluster import Cluster
from ticketsvc_dev.embedded.programs import find_program_files

LARGE = "-c shared_buffers=2GB -c max_wal_size=8GB -c checkpoint_timeout=30min"
"""Options of a server with a million tickets."""


@contextmanager
def empty_server(options: str = LARGE) -> Iterator[Cluster]:
    """Run a server with empty tables in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        cluster = new_cluster(Path(folder))
        try:
            cluster.start(options)
            migrations.apply(cluster.url())
            yield cluster
        finally:
            cluster.stop()


def new_cluster(folder: Path) -> Cluster:
    """Return a server, not yet started, whose files are in `folder`."""
    directory, programs = folder / "server", find_program_files()
    return Cluster(directory, programs, prepare(directory, programs), directory)


@contextmanager
def service(url: str, **settings: str) -> Iterator[str]:
    """Run the service on a port of loopback and yield the address of its tickets."""
    environment, quiet = os.environ | {"DATABASE_URL": url, "PORT": "3555", **settings}, subprocess.DEVNULL
    process = subprocess.Popen(
        [PROGRAMS / "gunicorn", "app:app"], cwd=ROOT, env=environment, stdout=quiet, stderr=quiet
    )
    try:
        for _ in range(100):
            connection = HTTPConnection("127.0.0.1", 3555, timeout=5)
            with closing(connection):
                try:
                    connection.request("GET", "/readyz")
                    if connection.getresponse().status == 200:
                        break
                except OSError:
                    time.sleep(0.2)
        yield "http://127.0.0.1:3555/api/tickets/"
    finally:
        process.terminate()
        process.wait(60)

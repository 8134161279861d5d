"""A PostgreSQL server and the service, for benchmarks that need their own."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench.harness import PROGRAMS, ROOT
from ticketsvc import migrations
from ticketsvc_dev.embedded.account import prepare
from ticketsvc_dev.embedded.cluster import Cluster
from ticketsvc_dev.embedded.programs import find_program_files

LARGE = "-c shared_buffers=2GB -c max_wal_size=8GB -c checkpoint_timeout=30min"
"""Options of a server with a million tickets."""
PORT = 3555
READY_SECONDS = 60.0
"""Time in which a service that was started must be ready."""


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
    """Run the service on a port of loopback, yield the address of its tickets. Raises SystemExit if it is not ready."""
    environment, quiet = os.environ | {"DATABASE_URL": url, "PORT": str(PORT), **settings}, subprocess.DEVNULL
    process = subprocess.Popen(
        [PROGRAMS / "gunicorn", "app:app"], cwd=ROOT, env=environment, stdout=quiet, stderr=quiet
    )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while obstacle := _obstacle():
            if process.poll() is not None:
                raise SystemExit(f"The service has ended with status {process.returncode} before it was ready.")
            if time.monotonic() > deadline:
                raise SystemExit(f"The service is not ready after {READY_SECONDS:g} s: {obstacle}")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{PORT}/api/tickets/"
    finally:
        process.terminate()
        process.wait(60)


def _obstacle() -> str:
    """Return why the service is not ready; nothing if it is."""
    with closing(HTTPConnection("127.0.0.1", PORT, timeout=5)) as connection:
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            return "" if response.status == 200 else response.read().decode()
        except (OSError, HTTPException) as error:
            return repr(error)

"""What the tests of faults share: servers of their own that they may stop and kill, and which of them take long."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.faults.proxy import proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.proxy import Proxy
    from ticketsvc.dev.embedded.cluster import Cluster

takes_long = pytest.mark.skipif(os.environ.get("FAULTS") != "all", reason="takes long: set FAULTS=all")

# What was answered survives a killed server, though not a power cut.
SURVIVES_A_KILL = "-c fsync=off"


@contextmanager
def bad_network(cluster: Cluster, url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy in front of a server, and the URL that leads through it to the same database."""
    name = url.removeprefix("postgresql:///").partition("?")[0]
    with proxy(cluster.socket_directory / ".s.PGSQL.5432") as network:
        yield network, f"postgresql://postgres@127.0.0.1:{network.port}/{name}"

"""Servers that the fault tests may stop and kill, and the mark of those that run for minutes."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.faults.proxy import proxy
from tests.support.postgres import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.proxy import Proxy
    from ticketsvc_dev.embedded.cluster import Cluster

slow = pytest.mark.skipif(os.environ.get("FAULTS") != "all", reason="runs for minutes: set FAULTS=all")

# What was committed survives a killed server, though not a power failure.
SURVIVES_A_KILL = "-c fsync=off"


@contextmanager
def bad_network(cluster: Cluster, url: str) -> Iterator[tuple[Proxy, str]]:
    """Run a proxy in front of a server; yield it with the URL that leads through it to the same database."""
    with proxy(cluster.socket_directory / ".s.PGSQL.5432") as network:
        yield network, f"postgresql://postgres@127.0.0.1:{network.port}/{name_of(url)}"

"""`flask deliver`: the process that delivers events to webhooks."""

from __future__ import annotations

import logging.config
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click
from flask.cli import with_appcontext

from ticketsvc.commands.database import started
from ticketsvc.server import logs
from ticketsvc.services import Services, services
from ticketsvc.store.postgres.database import Database
from ticketsvc.webhooks.deliverer import Deliverer


@click.command()
@click.option("--once", is_flag=True, help="Deliver what is due and end, as for cron.")
@with_appcontext
def deliver(once: bool) -> None:
    """Deliver events to webhooks until SIGTERM or Ctrl-C.

    Any number of processes may run. While the database is away they wait.
    """
    with delivering(pool_size=1) as (_, deliverer):
        deliverer.run(once)


@contextmanager
def delivering(pool_size: int) -> Iterator[tuple[Services, Deliverer]]:
    """Prepare this process for deliveries: start an embedded database, configure logs and signals.

    The services use a pool of `pool_size` connections, which is closed at the end.
    """
    config = started(services().config)
    logging.config.dictConfig(logs.configuration(config.log_level, config.is_text_log))
    database = Database(replace(config, pool_size=pool_size))
    deliverer = Deliverer(database, config.webhook_allow_private)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: deliverer.stop())
    try:
        yield replace(services(), config=config, database=database), deliverer
    finally:
        database.close()

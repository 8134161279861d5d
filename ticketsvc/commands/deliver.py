"""`flask deliver`: the process that delivers events to webhooks."""

from __future__ import annotations

import logging.config
import signal
from dataclasses import replace

import click
from flask.cli import with_appcontext

from ticketsvc.commands.database import started
from ticketsvc.server import logs
from ticketsvc.services import services
from ticketsvc.store.postgres.database import Database
from ticketsvc.webhooks.deliverer import Deliverer


@click.command()
@click.option("--once", is_flag=True, help="Deliver what is due and end, as for cron.")
@with_appcontext
def deliver(once: bool) -> None:
    """Deliver events to webhooks until SIGTERM or Ctrl-C.

    Any number of processes may run. While the database is away they wait.
    """
    config = started(services().config)
    logging.config.dictConfig(logs.configuration(config.log_level, config.is_text_log))
    database = Database(replace(config, pool_size=1))
    deliverer = Deliverer(database, config.webhook_allow_private)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: deliverer.stop())
    try:
        deliverer.run(once)
    finally:
        database.close()

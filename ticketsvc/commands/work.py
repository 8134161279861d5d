"""`flask work`: the process that does what no request waits for."""

from __future__ import annotations

import logging.config
import signal
from dataclasses import replace

import click
from flask.cli import with_appcontext

from ticketsvc import upkeep
from ticketsvc.commands.database import started
from ticketsvc.server import logs
from ticketsvc.services import services
from ticketsvc.store.postgres.database import Database
from ticketsvc.webhooks.deliverer import STOP_SECONDS, Deliverer


@click.command()
@click.option("--once", is_flag=True, help="Do what there is to do and end, as for cron.")
@with_appcontext
def work(once: bool) -> None:
    """Deliver events to webhooks and do the background work of the web processes, until SIGTERM or Ctrl-C.

    That is to merge counters, insert new texts into the search index, delete what has expired, with TRIAGE_ENCODER
    encode the texts of new tickets, and with TRIAGE_REFINE ask the model about them. Any number of processes may run:
    all deliver, one does the rest. While the database is away they wait.
    """
    config = started(services().config)
    logging.config.dictConfig(logs.configuration(config.log_level, config.is_text_log))
    database = Database(replace(config, pool_size=4))  # the deliveries, and a few tasks at a time
    tasks = replace(services(), config=config, database=database).upkeep()
    deliverer = Deliverer(database, config.webhook_allow_private)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: deliverer.stop())
    try:
        if once:
            upkeep.run_once(tasks)
            deliverer.run(once)
        else:
            with upkeep.running(database, tasks, STOP_SECONDS):
                deliverer.run()
    finally:
        database.close()

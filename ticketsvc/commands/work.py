"""`flask work`: the process that does what no request waits for."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from ticketsvc import upkeep
from ticketsvc.commands.deliver import delivering
from ticketsvc.webhooks.deliverer import STOP_SECONDS


@click.command()
@click.option("--once", is_flag=True, help="Do what there is to do and end, as for cron.")
@with_appcontext
def work(once: bool) -> None:
    """Deliver events to webhooks and do the background work of the web processes, until SIGTERM or Ctrl-C.

    That is to merge counters, insert new texts into the search index, delete what has expired, with TRIAGE_ENCODER
    encode the texts of new tickets, and with TRIAGE_REFINE ask the model about them. Any number of processes may run:
    all deliver, one does the rest. While the database is away they wait.
    """
    with delivering(pool_size=4) as (services, deliverer):  # one for the deliveries, the others for tasks
        tasks = services.upkeep()
        if once:
            upkeep.run_once(tasks)
            deliverer.run(once)
        else:
            with upkeep.running(services.database, tasks, STOP_SECONDS):
                deliverer.run()

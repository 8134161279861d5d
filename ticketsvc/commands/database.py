"""The database of a command."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import click

from ticketsvc.config import ConfigError
from ticketsvc.problems import Problem
from ticketsvc.services import services
from ticketsvc.store.postgres.database import Database

STATEMENT_SECONDS = 3600
"""The statement timeout of commands, which may run longer than requests."""


def database_url() -> str:
    """Return DATABASE_URL, or for an embedded server, which is started, its URL. Raises ClickException."""
    try:
        return services().config.start_database()
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def open_database() -> Iterator[Database]:
    """Yield a database with a long statement timeout. Raises ClickException instead of Problem."""
    try:
        config = dataclasses.replace(
            services().config, database_url=database_url(), statement_timeout=STATEMENT_SECONDS, pool_size=1
        )
        database = Database(config)
        try:
            yield database
        finally:
            database.close()
    except Problem as error:
        raise click.ClickException(str(error)) from None

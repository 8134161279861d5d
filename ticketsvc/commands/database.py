"""The databases of commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from ticketsvc import migrations
from ticketsvc.config import Config, ConfigError
from ticketsvc.problems import Problem
from ticketsvc.services import services
from ticketsvc.store.postgres.database import Database

STATEMENT_SECONDS = 3600
"""The statement timeout of commands, which may run longer than requests."""


def started(config: Config) -> Config:
    """Return the settings with the URL of a server, which is started if it is embedded. Raises ClickException."""
    try:
        return replace(config, database_url=config.start_database())
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def open_database() -> Iterator[Database]:
    """Yield a migrated database with a long statement timeout. Raises ClickException instead of Problem.

    The first look at the migrations also finds out why a server is unreachable, which a pool does not tell.
    """
    config = started(services().config.for_commands)
    try:
        pending = migrations.pending(config.database_url, schema=config.database_schema)
    except migrations.MigrationError as error:
        raise click.ClickException(str(error)) from None
    if pending:
        raise click.ClickException("The database is not up to date. Run `flask migrate` first.")
    with opened(replace(config, statement_timeout=STATEMENT_SECONDS)) as database:
        yield database


@contextmanager
def opened(config: Config) -> Iterator[Database]:
    """Yield a database with one connection. Raises ClickException instead of Problem."""
    try:
        database = Database(replace(started(config), pool_size=1))
        try:
            yield database
        finally:
            database.close()
    except Problem as error:
        raise click.ClickException(str(error)) from None

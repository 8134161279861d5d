"""`flask keys`: who may call, where REQUIRE_API_KEY is on."""

from __future__ import annotations

import re

import click
from flask.cli import AppGroup

from ticketsvc.commands.database import open_database
from ticketsvc.store import keys as store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")  # the table holds the same rule (api_keys_name_is_plain)

keys = AppGroup("keys", help="Make, list and revoke the keys of those who may call.")


@keys.command()
@click.argument("name")
@click.option("--scope", type=click.Choice(store.SCOPES), required=True, help="Each includes those before it.")
def add(name: str, scope: str) -> None:
    """Make a key called NAME and print it: it cannot be shown again.

    The history of tickets names it as the author of what is done with it.
    """
    if not _NAME.fullmatch(name):
        raise click.ClickException(
            "A name has 1 to 63 letters, digits, dots, dashes, underscores and @, and starts with a letter or digit."
        )
    with open_database() as database:
        key = store.add(database, name, scope)
    if key is None:
        raise click.ClickException(f"There is or was a key called {name}. Names are not used again: choose another.")
    click.echo(key)
    click.echo("Store it now: it cannot be shown again.", err=True)


@keys.command("list")
def list_all() -> None:
    """List all keys: name, scope, when it was made, last used and revoked."""
    with open_database() as database:
        found = store.list_all(database)
    for key in found:
        revoked = f"revoked {key.revoked_at}" if key.revoked_at else "valid"
        click.echo(f"{key.name}\t{key.scope}\tmade {key.created_at}\tused {key.last_used_at or 'never'}\t{revoked}")


@keys.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke the key called NAME. Every instance refuses it within five seconds."""
    with open_database() as database:
        if not store.revoke(database, name):
            raise click.ClickException(f"There is no valid key called {name}. `flask keys list` shows all.")
    click.echo(f"Revoked {name}.")

"""`flask keys`: the API keys, which REQUIRE_API_KEY makes mandatory."""

from __future__ import annotations

import re

import click
from flask.cli import AppGroup

from ticketsvc.commands.database import open_database
from ticketsvc.commands.tables import print_table
from ticketsvc.store import keys as store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")  # same rule as the constraint api_keys_name_is_plain

keys = AppGroup("keys", help="Create, list and revoke API keys.")


@keys.command()
@click.argument("name")
@click.option("--scope", type=click.Choice(store.SCOPES), required=True, help="Each scope includes the ones before it.")
@click.option("--public", is_flag=True, help="Hide internal comments from the key, such as that of a customer portal.")
def add(name: str, scope: str, public: bool) -> None:
    """Create a key called NAME and print it. It cannot be shown again.

    The history of tickets shows NAME as the author of changes made with this key.
    """
    if not _NAME.fullmatch(name):
        raise click.ClickException(
            "NAME must have 1 to 63 letters, digits, dots, dashes, underscores or @, and start with a letter or digit."
        )
    with open_database() as database:
        key = store.add(database, name, scope, public)
    if key is None:
        raise click.ClickException(
            f"A key named {name} already exists or was revoked. Key names cannot be reused: choose another."
        )
    click.echo(key)
    click.echo("Store the key now: it cannot be shown again.", err=True)


@keys.command("list")
def list_all() -> None:
    """List all keys: scope, comments they may read, and the times of creation, last use and revocation."""
    with open_database() as database:
        found = store.list_all(database)
    rows = [("NAME", "SCOPE", "COMMENTS", "CREATED", "LAST USED", "REVOKED")]
    for key in found:
        comments = "public" if key.public_only else "all"
        rows.append((key.name, key.scope, comments, key.created_at, key.last_used_at or "never", key.revoked_at or ""))
    print_table(rows)


@keys.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke the key called NAME. All instances reject it within five seconds."""
    with open_database() as database:
        if not store.revoke(database, name):
            raise click.ClickException(f"There is no valid key called {name}. `flask keys list` shows all.")
    click.echo(f"Revoked {name}.")

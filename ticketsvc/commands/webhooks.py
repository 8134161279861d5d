"""`flask webhooks`: the receivers of events, and what was delivered to them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import click
from flask.cli import AppGroup

from ticketsvc.commands.database import open_database
from ticketsvc.commands.tables import print_table
from ticketsvc.problems import InvalidInput
from ticketsvc.services import services
from ticketsvc.store import webhooks as store
from ticketsvc.store.events import LATEST, After, parse_after
from ticketsvc.store.webhooks import Change, NewWebhook
from ticketsvc.webhooks import registration

webhooks = AppGroup("webhooks", help="Register, list and change webhooks, and repeat deliveries.")


def _event(_context: click.Context, _parameter: click.Parameter, text: str | None) -> After | None:
    try:
        return parse_after(text) if text else None
    except ValueError as error:
        raise click.BadParameter(f"it {error}.") from None


_ID = click.argument("webhook_id", metavar="ID", type=click.UUID)
_AFTER = click.option(
    "--after",
    metavar="EVENT",
    callback=_event,
    help="Deliver the events behind the one with this id, or behind `latest`.",
)


@webhooks.command()
@click.argument("url")
@click.option("--type", "types", type=click.Choice(store.TYPES), multiple=True, help="Of events. Without it, all.")
@click.option("--filters", default="", metavar="QUERY", help="Only tickets that match, such as status=open&tags=vip.")
@click.option("--public", is_flag=True, help="Hide internal comments from the receiver.")
@_AFTER
def add(url: str, types: tuple[str, ...], filters: str, public: bool, after: After | None) -> None:
    """Register URL and print the secret with which deliveries are signed. It cannot be shown again."""
    query = filters.removeprefix("?")
    try:
        registration.check_url(url, services().config.webhook_allow_private)
        registration.parse_filters(query, public)
    except ValueError as error:
        raise click.ClickException(f"URL {error}.") from None
    except InvalidInput as error:
        raise click.ClickException(str(error)) from None
    with open_database() as database:
        created, _, secret = store.create(
            database, NewWebhook(url, types or None, query, public, None), after or LATEST
        )
    click.echo(f"Registered {json.loads(created)['id']}. Its secret cannot be shown again:", err=True)
    click.echo(store.PREFIX + secret)


@webhooks.command("list")
def list_all() -> None:
    """List all webhooks."""
    with open_database() as database:
        found = json.loads(store.list_all(database, without_internal=False))
    columns = ("ID", "URL", "TYPES", "FILTERS", "STATE", "PENDING", "DELIVERED", "FAILED")
    print_table([columns, *map(_row, found)])


@webhooks.command()
@_ID
def remove(webhook_id: UUID) -> None:
    """Remove the webhook with this ID, and its deliveries."""
    with open_database() as database:
        store.delete(database, webhook_id, without_internal=False)
    click.echo(f"Removed {webhook_id}.")


@webhooks.command()
@_ID
def rotate(webhook_id: UUID) -> None:
    """Print a new secret for the webhook with this ID. The one before stays valid for 24 hours."""
    with open_database() as database:
        _, secret = store.rotate(database, webhook_id, without_internal=False)
    click.echo(store.PREFIX + secret)
    click.echo("Store the secret now: it cannot be shown again. The one before is valid for 24 hours.", err=True)


@webhooks.command()
@_ID
@_AFTER
def enable(webhook_id: UUID, after: After | None) -> None:
    """Enable the webhook with this ID again. It continues where it was, unless --after says otherwise."""
    with open_database() as database:
        store.update(database, webhook_id, False, Change(enabled=True, after=after))
    click.echo(f"Enabled {webhook_id}.")


@webhooks.command()
@_ID
def disable(webhook_id: UUID) -> None:
    """Disable the webhook with this ID until it is enabled again."""
    with open_database() as database:
        store.update(database, webhook_id, False, Change(enabled=False))
    click.echo(f"Disabled {webhook_id}.")


@webhooks.command()
@_ID
@click.option("--state", "states", type=click.Choice(store.STATES), multiple=True, help="Without it, all.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
def deliveries(webhook_id: UUID, states: tuple[str, ...], limit: int) -> None:
    """List the newest deliveries to the webhook with this ID."""
    with open_database() as database:
        found, _ = store.deliveries(database, webhook_id, False, states or None, limit, None)
    columns = ("DELIVERY", "TYPE", "TICKET", "STATE", "ATTEMPTS", "LAST ATTEMPT", "RESULT")
    print_table([columns, *map(_delivery_row, json.loads(found))])


@webhooks.command()
@_ID
@click.argument("delivery_id", metavar="DELIVERY")
def redeliver(webhook_id: UUID, delivery_id: str) -> None:
    """Attempt a DELIVERY to the webhook with this ID again, whatever became of it."""
    with open_database() as database:
        store.redeliver(database, webhook_id, False, delivery_id)
    click.echo(f"{delivery_id} is due. `flask deliver` sends it.")


def _row(webhook: Mapping[str, Any]) -> Sequence[str]:
    if not webhook["enabled"]:
        state = f"disabled: {webhook['disabled_reason']}"
    else:
        state = f"failing since {webhook['failing_since']}" if webhook["failures"] else "enabled"
    types = ",".join(kind.removeprefix("ticket.") for kind in webhook["types"] or ["all"])
    counts = [str(webhook[name]) for name in ("pending", "delivered_total", "failed_total")]
    return [webhook["id"], webhook["url"], types, webhook["filters"], state, *counts]


def _delivery_row(delivery: Mapping[str, Any]) -> Sequence[str]:
    result = delivery["last_error"] or delivery["last_status"] or ""
    at = delivery["last_attempt_at"] or "never"
    return [
        *(delivery[name] for name in ("id", "type", "ticket_id", "state")),
        *(str(delivery["attempts"]), at, str(result)),
    ]

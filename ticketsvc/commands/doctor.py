"""`flask doctor`: what is wrong with the settings and the database, and what to do about it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

import click
from flask.cli import with_appcontext

from ticketsvc import migrations
from ticketsvc.commands.database import database_url, open_database
from ticketsvc.config import Config
from ticketsvc.services import model as model_classifier
from ticketsvc.services import services
from ticketsvc.store import health
from ticketsvc.store.health import Server
from ticketsvc.store.postgres.database import Database
from ticketsvc.triage.offline.classifier import OfflineClassifier

OLDEST, NEWEST = 15, 18
"""The versions of PostgreSQL that the service is tested on."""
EXTENSIONS = ("btree_gin", "pg_trgm")
CLOCK_SECONDS = 5.0
"""A larger difference of clocks makes tickets seem to come from the future."""
WAITING_CHANGES = 50_000
"""The writers fold every 256th change or so: that many wait only when something keeps them from it."""


class Verdict(StrEnum):
    """How a check ended. Only `WRONG` makes the command fail."""

    FINE = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What a check found, in a sentence, and for all but `FINE` what to do."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines: a JSON array of findings.")
@with_appcontext
def doctor(as_json: bool) -> None:
    """Check settings, database and model, and say what to do.

    The exit status is 1 when something must be mended; warnings alone leave it at 0. Nothing is changed.
    """
    findings = []
    for finding in examine(services().config):
        findings.append(finding)
        if not as_json:
            _tell(finding)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    if any(finding.verdict is Verdict.WRONG for finding in findings):
        click.get_current_context().exit(1)


def examine(config: Config) -> Iterator[Finding]:
    """All checks, those of the database only when it answers."""
    yield from settings(config)
    try:
        migrated = schema(database_url())  # says why a server cannot be reached, which the pool does not
        with open_database() as database:
            yield from _examine_database(config, database, migrated)
    except (click.ClickException, migrations.MigrationError) as error:
        advice = "DATABASE_URL has the server's address, a role and the role's password: see which is wrong."
        yield Finding("database", Verdict.WRONG, str(error), advice)
    yield model(config)


def _examine_database(config: Config, database: Database, migrated: Finding) -> Iterator[Finding]:
    server = health.server(database)
    yield version(server)
    yield clock(server, time.time())
    yield connections(config, server)
    yield autovacuum(server)
    yield from privileges(server)
    yield extensions(server, health.missing_extensions(database, EXTENSIONS))
    yield migrated
    if migrated.verdict is Verdict.FINE:
        yield counters(health.counted(database))


def settings(config: Config) -> Iterator[Finding]:
    """Settings that are valid each, and dangerous or useless together."""
    name = "settings"
    if not config.require_api_key and "*" in config.cors_origins:
        yield Finding(
            name,
            Verdict.WARNING,
            "CORS_ORIGINS=* without keys: any page that somebody visits can call from there.",
            "Set REQUIRE_API_KEY=on, or list the origins that may call.",
        )
    if "*" in config.trusted_proxies and (config.rate_limit or config.require_api_key):
        yield Finding(
            name,
            Verdict.WARNING,
            "FORWARDED_ALLOW_IPS=*: callers choose the address that limits count for.",
            "Name your proxies, unless nothing but them reaches the port.",
        )
    if config.statement_timeout <= config.lock_timeout:
        yield Finding(
            name,
            Verdict.WARNING,
            "DB_LOCK_TIMEOUT is not below DB_STATEMENT_TIMEOUT, and so never reached.",
            "Lower DB_LOCK_TIMEOUT, or raise DB_STATEMENT_TIMEOUT.",
        )
    if config.openai_base_url and not config.openai_api_key:
        yield Finding(
            name,
            Verdict.WARNING,
            "OPENAI_BASE_URL without OPENAI_API_KEY: no model is asked.",
            "Set OPENAI_API_KEY (any word for a server that wants none), or unset OPENAI_BASE_URL.",
        )
    yield Finding(name, Verdict.FINE, f"Read. Keys are {'required' if config.require_api_key else 'not required'}.")


def version(server: Server) -> Finding:
    """The version of the server."""
    major = server.version // 10_000
    found = f"PostgreSQL {server.version_text}, database {server.database} as {server.role}."
    if major < OLDEST:
        return Finding("version", Verdict.WRONG, found, f"Upgrade the server: {OLDEST} is the oldest that works.")
    if major > NEWEST:
        return Finding("version", Verdict.WARNING, found, f"Tested up to {NEWEST}: look for a newer release.")
    return Finding("version", Verdict.FINE, found)


def clock(server: Server, now: float) -> Finding:
    """The difference between the database's clock and `now`, seconds since 1970."""
    difference = now - server.now
    found = f"{abs(difference):.1f} s {'ahead of' if difference > 0 else 'behind'} the database's."
    if abs(difference) > CLOCK_SECONDS:
        return Finding("clock", Verdict.WARNING, found, "Let both machines keep their time by NTP.")
    return Finding("clock", Verdict.FINE, found)


def connections(config: Config, server: Server) -> Finding:
    """Whether the server takes all connections that this instance may open."""
    wanted = config.workers * (config.pool_size + config.bulk_calls)
    room = server.max_connections - server.reserved_connections
    room = min(room, server.role_limit) if server.role_limit >= 0 else room
    found = (
        f"An instance opens up to {wanted} (WEB_CONCURRENCY {config.workers} x (DB_POOL_SIZE {config.pool_size} + "
        f"BULK_CALLS {config.bulk_calls})); the server takes {room}."
    )
    if wanted > room:
        return Finding("connections", Verdict.WRONG, found, "Lower DB_POOL_SIZE, or raise max_connections there.")
    if 2 * wanted > room:
        advice = "A second instance, or a deploy that overlaps, does not fit: lower DB_POOL_SIZE."
        return Finding("connections", Verdict.WARNING, found, advice)
    return Finding("connections", Verdict.FINE, found)


def autovacuum(server: Server) -> Finding:
    """Whether the server cleans up by itself."""
    if server.autovacuum:
        return Finding("autovacuum", Verdict.FINE, "On.")
    advice = "Set autovacuum = on and track_counts = on: without it tables and counters grow and plans go stale."
    return Finding("autovacuum", Verdict.WRONG, "Off.", advice)


def privileges(server: Server) -> Iterator[Finding]:
    """What the role may do."""
    name, role, database = "privileges", server.role, server.database
    if server.read_only:
        advice = "Point DATABASE_URL at the primary (target_session_attrs=read-write finds it)."
        yield Finding(name, Verdict.WRONG, "The database takes no writes.", advice)
    if not server.may_temp:
        advice = f'GRANT TEMPORARY ON DATABASE "{database}" TO "{role}".'
        yield Finding(name, Verdict.WRONG, f"{role} may make no temporary tables: imports fail.", advice)
    if not server.may_create:
        advice = f'Migrate as the owner, or GRANT CREATE ON DATABASE "{database}" TO "{role}".'
        yield Finding(name, Verdict.WARNING, f"{role} may not create in the database: extensions, migrations.", advice)
    if server.may_temp and server.may_create and not server.read_only:
        yield Finding(name, Verdict.FINE, f"{role} may write, make temporary tables and create.")


def extensions(server: Server, missing: dict[str, bool]) -> Finding:
    """`missing` has those that are not installed, and whether the server has their files."""
    if absent := [name for name, is_available in missing.items() if not is_available]:
        advice = "Install PostgreSQL's contrib modules on the server (postgresql-contrib)."
        return Finding("extensions", Verdict.WRONG, f"The server has no {' and no '.join(absent)}.", advice)
    if not missing:
        return Finding("extensions", Verdict.FINE, f"{', '.join(EXTENSIONS)} are installed.")
    found = f"Not installed yet: {', '.join(sorted(missing))}."
    if server.may_create:
        return Finding("extensions", Verdict.WARNING, found, "Run `flask migrate`, which creates them.")
    statements = " ".join(f"CREATE EXTENSION {name};" for name in sorted(missing))
    return Finding("extensions", Verdict.WRONG, found, f"Let an administrator run: {statements}")


def schema(url: str) -> Finding:
    """Whether the migrations are those of this release. Raises MigrationError when the database is away."""
    edited, pending = migrations.edited(url), migrations.pending(url)
    if edited:
        found = f"Edited after they were applied: {', '.join(edited)}."
        return Finding("migrations", Verdict.WRONG, found, "Restore the files, and put the change into a new one.")
    if pending:
        return Finding("migrations", Verdict.WRONG, f"Pending: {', '.join(pending)}.", "Run `flask migrate`.")
    return Finding("migrations", Verdict.FINE, "All are applied.")


def counters(counted: health.Counted) -> Finding:
    """What can be seen of the counters without reading all tickets."""
    if counted.is_negative:
        return Finding("counters", Verdict.WRONG, "Some are below zero.", "Run `flask stats rebuild`.")
    found = f"{counted.waiting:,} changes wait to be folded."
    if counted.waiting > WAITING_CHANGES:
        advice = "End long transactions (pg_stat_activity), then run `flask stats rebuild`."
        return Finding("counters", Verdict.WARNING, found, advice)
    return Finding("counters", Verdict.FINE, f"{found} `flask stats check` compares them with all tickets.")


def model(config: Config) -> Finding:
    """Whether the model answers; one call, which costs a few tokens."""
    if not config.openai_api_key:
        return Finding("model", Verdict.FINE, "None is asked: OPENAI_API_KEY is not set.")
    fault = model_classifier(config, OfflineClassifier()).probe()
    if fault is None:
        return Finding("model", Verdict.FINE, f"{config.openai_model} answers.")
    advice = "Check OPENAI_API_KEY, OPENAI_MODEL, OPENAI_BASE_URL and the network. Until then offline triage answers."
    return Finding("model", Verdict.WARNING, f"{config.openai_model} does not answer: {fault}.", advice)


_COLOURS = {Verdict.FINE: "green", Verdict.WARNING: "yellow", Verdict.WRONG: "red"}


def _tell(finding: Finding) -> None:
    verdict = click.style(f"{finding.verdict:8}", fg=_COLOURS[finding.verdict])
    click.echo(f"{verdict} {finding.check:12} {finding.found}")
    if finding.advice:
        click.echo(f"{'':21} -> {finding.advice}")

"""`flask doctor`: checks of the settings, the database and the model, with advice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

import click
from flask.cli import with_appcontext

from ticketsvc import migrations
from ticketsvc.commands.database import opened, started
from ticketsvc.config import Config
from ticketsvc.services import model as model_classifier
from ticketsvc.services import services
from ticketsvc.store import health
from ticketsvc.store.health import Server
from ticketsvc.store.postgres import positions
from ticketsvc.store.postgres.database import Database, is_server_verified
from ticketsvc.triage.offline.classifier import OfflineClassifier

OLDEST_TESTED, NEWEST_TESTED = 15, 18
"""The major versions of PostgreSQL that the service is tested with."""
EXTENSIONS = ("btree_gin", "pg_trgm")
MAX_CLOCK_SKEW = 5.0
"""Seconds. With a larger difference, new tickets appear to come from the future."""
_BYPASSED = "Until then the primary serves all reads."
MAX_UNMERGED = 50_000
"""Writers merge the deltas after about 256 changes. There are this many only if something prevents merging."""


class Verdict(StrEnum):
    """The result of a check. Only `WRONG` makes the command fail."""

    FINE = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """The result of a check, as a sentence. `advice` says what to do unless the verdict is `FINE`."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of findings.")
@with_appcontext
def doctor(as_json: bool) -> None:
    """Check the settings, the database and the model.

    Changes nothing. The exit status is 1 if something must be fixed, and 0 if there are only warnings.
    """
    findings = []
    for finding in examine(services().config):
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    if any(finding.verdict is Verdict.WRONG for finding in findings):
        click.get_current_context().exit(1)


def examine(config: Config) -> Iterator[Finding]:
    """Run all checks, those of the database only if it is reachable."""
    yield from settings(config)
    try:
        migrated = schema(started(config))  # unlike the pool, this reports why a server is unreachable
        with opened(config) as database:
            yield pooler(database)
            if not database.pooler_error:
                yield from _examine_database(config, database, migrated)
    except (click.ClickException, migrations.MigrationError) as error:
        advice = "Check the address, the name of the database, the role and the password in DATABASE_URL."
        yield Finding("database", Verdict.WRONG, str(error), advice)
    yield model(config)


def _examine_database(config: Config, database: Database, migrated: Finding) -> Iterator[Finding]:
    server = health.server(database)
    yield version(server)
    yield encoding(server)
    yield clock(server, time.time())
    yield connections(config, server)
    yield autovacuum(server)
    yield from privileges(server, config.is_embedded)
    yield extensions(server, health.missing_extensions(database, EXTENSIONS))
    yield migrated
    if migrated.verdict is Verdict.FINE:
        yield counters(health.counted(database))
    if config.read_database_url:
        yield from _examine_replica(config, positions.server(database))


def _examine_replica(config: Config, primary: positions.Server) -> Iterator[Finding]:
    """Check the server of READ_DATABASE_URL as far as it is reachable."""
    try:
        read = replace(config, database_url=config.read_database_url, read_database_url="")
        migrated = schema(read)
        with opened(read) as database:
            found = replica(primary, positions.server(database), migrated)
            yield found
            if found.verdict is not Verdict.WRONG:
                yield replace(connections(config, health.server(database)), check="replica")
    except (click.ClickException, migrations.MigrationError) as error:
        yield Finding("replica", Verdict.WRONG, str(error), f"Correct READ_DATABASE_URL. {_BYPASSED}")


def settings(config: Config) -> Iterator[Finding]:
    """Report settings that are valid, but dangerous or useless in combination."""
    combinations = (
        (
            not config.require_api_key and "*" in config.cors_origins,
            "CORS_ORIGINS=* without keys: any web page that a user visits can use the API.",
            "Set REQUIRE_API_KEY=on, or list the allowed origins.",
        ),
        (
            "*" in config.trusted_proxies and (config.rate_limit or config.require_api_key),
            "FORWARDED_ALLOW_IPS=*: clients can choose the address that their limits count for.",
            "Name your proxies, unless only they can reach the port.",
        ),
        (
            config.statement_timeout <= config.lock_timeout,
            "DB_LOCK_TIMEOUT is not below DB_STATEMENT_TIMEOUT and has no effect.",
            "Lower DB_LOCK_TIMEOUT, or raise DB_STATEMENT_TIMEOUT.",
        ),
        (
            config.openai_base_url and not config.openai_api_key,
            "OPENAI_BASE_URL without OPENAI_API_KEY: no model is used.",
            "Set OPENAI_API_KEY (to any word if the server needs none), or unset OPENAI_BASE_URL.",
        ),
        (
            config.triage_refine and not config.openai_api_key,
            "TRIAGE_REFINE=on without OPENAI_API_KEY: no labels are refined.",
            "Set OPENAI_API_KEY, or unset TRIAGE_REFINE.",
        ),
        *(
            (
                url.startswith("postgres") and not is_server_verified(url),
                f"{name} leads to another machine without sslmode=verify-full: another server could take its place.",
                "Add sslmode=verify-full, and sslrootcert with the certificate of the server's authority (or system).",
            )
            for name, url in (
                ("DATABASE_URL", config.database_url),
                ("READ_DATABASE_URL", config.read_database_url),
            )
        ),
    )
    for is_present, found, advice in combinations:
        if is_present:
            yield Finding("settings", Verdict.WARNING, found, advice)
    keys = "required" if config.require_api_key else "not required"
    yield Finding("settings", Verdict.FINE, f"Valid. API keys are {keys}.")


def pooler(database: Database) -> Finding:
    """Check the connection pooler in front of the database, if there is one. Raises a Problem."""
    is_shared = database.check_pooler()
    if database.pooler_error:
        return Finding("pooler", Verdict.WRONG, database.pooler_error, "See docs/proxies.md.")
    if database.has_role_settings and (missing := health.unset(database)):
        advice = "Execute the SQL that `flask role-settings` prints, then renew the pooler's connections (RECONNECT)."
        return Finding("pooler", Verdict.WRONG, f"The role lacks the settings {', '.join(missing)}.", advice)
    if is_shared and not database.has_role_settings:
        advice = "Execute the SQL that `flask role-settings` prints, then set DB_POOLER=transaction."
        return Finding("pooler", Verdict.WRONG, "A pooler passes the service's settings on to other clients.", advice)
    found = "A pooler in transaction mode; the role has all settings." if is_shared else "None that shares sessions."
    return Finding("pooler", Verdict.FINE, found)


def version(server: Server) -> Finding:
    """Check the version of the server."""
    major = server.version // 10_000
    place = f"database {server.database}, schema {server.schema or 'none'}"
    found = f"PostgreSQL {server.version_text}, {place} as {server.role}."
    if major < OLDEST_TESTED:
        advice = f"Upgrade the server: {OLDEST_TESTED} is the oldest supported version."
        return Finding("version", Verdict.WRONG, found, advice)
    if major > NEWEST_TESTED:
        advice = f"Tested up to {NEWEST_TESTED}: look for a newer release of the service."
        return Finding("version", Verdict.WARNING, found, advice)
    return Finding("version", Verdict.FINE, found)


def encoding(server: Server) -> Finding:
    """Check the encoding of the database."""
    if server.encoding == "UTF8":
        return Finding("encoding", Verdict.FINE, "UTF8. Searches do not depend on the locale.")
    advice = "Create another database with TEMPLATE template0 ENCODING 'UTF8', and set DATABASE_URL to it."
    return Finding("encoding", Verdict.WRONG, f"{server.encoding}: it cannot store every text.", advice)


def clock(server: Server, now: float) -> Finding:
    """Compare the database's clock with `now` (Unix time)."""
    difference = now - server.now
    found = f"{abs(difference):.1f} s {'ahead of' if difference > 0 else 'behind'} the database's clock."
    if abs(difference) > MAX_CLOCK_SKEW:
        return Finding("clock", Verdict.WARNING, found, "Synchronize the clocks of both machines by NTP.")
    return Finding("clock", Verdict.FINE, found)


def connections(config: Config, server: Server) -> Finding:
    """Check that the server allows all connections that this instance may open."""
    wanted = config.workers * (config.pool_size + config.bulk_calls + 1)
    room = server.max_connections - server.reserved_connections
    room = min(room, server.role_limit) if server.role_limit >= 0 else room
    found = (
        f"An instance opens up to {wanted} (WEB_CONCURRENCY {config.workers} x (DB_POOL_SIZE {config.pool_size} + "
        f"BULK_CALLS {config.bulk_calls} + 1)); the server allows {room}."
    )
    if wanted > room:
        advice = "Lower DB_POOL_SIZE, or raise max_connections of the server."
        return Finding("connections", Verdict.WRONG, found, advice)
    if 2 * wanted > room:
        advice = "A second instance or an overlapping deployment does not fit: lower DB_POOL_SIZE."
        return Finding("connections", Verdict.WARNING, found, advice)
    return Finding("connections", Verdict.FINE, found)


def autovacuum(server: Server) -> Finding:
    """Check that the server vacuums and analyzes by itself."""
    if server.autovacuum:
        return Finding("autovacuum", Verdict.FINE, "On.")
    advice = "Set autovacuum = on and track_counts = on. Otherwise tables grow and plans become bad."
    return Finding("autovacuum", Verdict.WRONG, "Off.", advice)


def privileges(server: Server, is_embedded: bool = False) -> Iterator[Finding]:
    """Check the privileges of the role."""
    name, role, database = "privileges", server.role, server.database
    is_powerful = server.is_superuser and not is_embedded
    if is_powerful:
        advice = "Let the service use a role of its own (docs/operations.md)."
        yield Finding(name, Verdict.WARNING, f"{role} is a superuser.", advice)
    if server.read_only:
        advice = "Point DATABASE_URL at the primary (target_session_attrs=read-write finds it)."
        found = "The database is read-only: writes fail, uses of keys are not recorded, workers count requests alone."
        yield Finding(name, Verdict.WRONG, found, advice)
    if not server.may_write:
        advice = f"Run sql/service_role.sql with --set role={role} (docs/operations.md), or use another role."
        yield Finding(name, Verdict.WRONG, f"{role} may not create, change and delete tickets.", advice)
    if not server.may_temp:
        advice = f'GRANT TEMPORARY ON DATABASE "{database}" TO "{role}".'
        yield Finding(name, Verdict.WRONG, f"{role} may not create temporary tables: imports fail.", advice)
    if server.may_write and server.may_temp and not server.read_only and not is_powerful:
        others = "tables and temporary tables" if server.may_create else "temporary tables"
        yield Finding(name, Verdict.FINE, f"{role} may write, and create {others}.")


def extensions(server: Server, missing: dict[str, bool]) -> Finding:
    """Check the extensions. `missing` maps those not installed to whether the server has their files."""
    if absent := [name for name, is_available in missing.items() if not is_available]:
        advice = "Install PostgreSQL's contrib modules (postgresql-contrib) on the server."
        return Finding("extensions", Verdict.WRONG, f"The server lacks {' and '.join(absent)}.", advice)
    if not missing:
        return Finding("extensions", Verdict.FINE, f"{', '.join(EXTENSIONS)} are installed.")
    found = f"Not installed yet: {', '.join(sorted(missing))}."
    if server.may_create:
        return Finding("extensions", Verdict.WARNING, found, "Run `flask migrate`, which creates them.")
    statements = " ".join(f"CREATE EXTENSION {name};" for name in sorted(missing))
    return Finding("extensions", Verdict.WRONG, found, f"Ask an administrator to run: {statements}")


def schema(config: Config) -> Finding:
    """Check that the migrations are those of this release. Raises MigrationError if the database is unreachable."""
    url, name = config.database_url, config.database_schema
    edited, pending = migrations.edited(url, schema=name), migrations.pending(url, schema=name)
    if edited:
        found = f"Edited after they were applied: {', '.join(edited)}."
        advice = "Restore the files, and write the change as a new migration."
        return Finding("migrations", Verdict.WRONG, found, advice)
    if pending:
        more = f" and {len(pending) - 10} more" if len(pending) > 10 else ""
        found = f"Pending: {', '.join(pending[:10])}{more}."
        return Finding("migrations", Verdict.WRONG, found, "Run `flask migrate`.")
    return Finding("migrations", Verdict.FINE, "All are applied.")


def replica(primary: positions.Server, found: positions.Server, migrated: Finding) -> Finding:
    """Check that a server is a streaming replica of the primary."""
    if found.identity != primary.identity:
        advice = f"Use a streaming replica of the same database: a logical one cannot say what it has. {_BYPASSED}"
        return Finding("replica", Verdict.WRONG, "READ_DATABASE_URL leads to another database.", advice)
    if migrated.verdict is not Verdict.FINE:
        return Finding("replica", Verdict.WRONG, migrated.found, "Find out why the replica lags (docs/replicas.md).")
    if not found.is_replica:
        advice = "Point READ_DATABASE_URL at a replica, or unset it."
        return Finding("replica", Verdict.WARNING, "READ_DATABASE_URL leads to a primary.", advice)
    return Finding("replica", Verdict.FINE, "A streaming replica of the database.")


def counters(counted: health.Counted) -> Finding:
    """Check the counters as far as possible without reading all tickets."""
    if counted.is_negative:
        return Finding("counters", Verdict.WRONG, "Some are negative.", "Run `flask stats rebuild`.")
    found = f"{counted.waiting:,} deltas are not merged yet."
    if counted.waiting > MAX_UNMERGED:
        advice = "End long transactions (pg_stat_activity), then run `flask stats rebuild`."
        return Finding("counters", Verdict.WARNING, found, advice)
    return Finding("counters", Verdict.FINE, f"{found} `flask stats check` compares them with all tickets.")


def model(config: Config) -> Finding:
    """Check that the model responds, with one request that costs a few tokens."""
    if not config.openai_api_key:
        return Finding("model", Verdict.FINE, "Not used: OPENAI_API_KEY is not set.")
    error = model_classifier(config, OfflineClassifier()).probe()
    if error is None:
        return Finding("model", Verdict.FINE, f"{config.openai_model} responds.")
    advice = "Check OPENAI_API_KEY, OPENAI_MODEL, OPENAI_BASE_URL and the network. Until then triage works offline."
    return Finding("model", Verdict.WARNING, f"{config.openai_model} does not respond: {error}.", advice)


_COLOURS = {Verdict.FINE: "green", Verdict.WARNING: "yellow", Verdict.WRONG: "red"}


def _print(finding: Finding) -> None:
    verdict = click.style(f"{finding.verdict:8}", fg=_COLOURS[finding.verdict])
    click.echo(f"{verdict} {finding.check:12} {finding.found}")
    if finding.advice:
        click.echo(f"{'':21} -> {finding.advice}")

"""The settings of the service, all from environment variables."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import NamedTuple

_ENCODED = "%[0-9a-f]{2}"
_HOST = rf"(?:\[[0-9a-f:.]+(?:{_ENCODED}\w+)?]|(?:[\w.~-]|{_ENCODED})*)(?::\d*)?"
_POSTGRES_URL = re.compile(
    "postgres(?:ql)?://"
    rf"(?:(?:[^@/?#%\s]|{_ENCODED})*@)?"  # user and password
    rf"{_HOST}(?:,{_HOST})*"
    rf"(?:/(?:[^@/?#%\s]|{_ENCODED})*)?"  # database
    rf"(?:\?(?:\w+=(?:[^@#%&=\s]|{_ENCODED})*(?:&|$))*)?",
    re.IGNORECASE | re.ASCII,
)
"""libpq's URLs, more strictly: libpq takes a part of a password with an unescaped character for a host, a port or a
parameter, and quotes that part in its messages, which are logged."""


_SCHEMA = re.compile("[a-z][a-z0-9_]{0,62}")


class ConfigError(SystemExit):
    """A setting is missing or invalid. Ends the process with a sentence that names the variable."""


class RateLimit(NamedTuple):
    """The number of requests that a client may send in a window of this many seconds."""

    quota: int
    window: int


@dataclass(frozen=True)
class Config:
    """One value for each environment variable; times in seconds, sizes in bytes.

    docs/settings.md is generated from the fields: after a change run `python -m tests.support.settings_page`.
    """

    database_url: str = field(repr=False)
    """`DATABASE_URL`: `postgresql://USER:PASSWORD@HOST:PORT/NAME` (PostgreSQL 15 or newer), or `embedded:PATH` for an
    embedded PostgreSQL that stores its data below PATH (for development)."""
    host: str = "0.0.0.0"  # noqa: S104  # platforms connect from outside
    """`HOST`: the address on which the service listens; the default is all IPv4 addresses, `::` is all addresses.
    `script/server` uses 127.0.0.1."""
    migrate_database_url: str = field(default="", repr=False)
    """`MIGRATE_DATABASE_URL`: the URL with which `flask migrate` and the other `flask` commands connect, if it differs
    from DATABASE_URL: as the role that owns the tables, and not through a connection pooler."""
    read_database_url: str = field(default="", repr=False)
    """`READ_DATABASE_URL`: the URL of a streaming replica of the database, for lists, searches, statistics, exports and
    similar tickets. They have a pool of their own there, and use the primary while the replica is not up to date."""
    database_schema: str = ""
    """`DATABASE_SCHEMA`: the schema of the database that has everything of this service, for several services in one
    database (docs/tenants.md); `flask migrate` creates it. The default is that of the role, usually `public`."""
    db_pooler: str = "none"
    """`DB_POOLER`: `transaction` behind a connection pooler in transaction mode: the settings of sessions are then
    those of the role, for which `flask role-settings` prints the SQL (docs/proxies.md). `citus` means the same for a
    schema that Citus distributes, with the settings that this needs (docs/citus.md)."""
    port: int = 3000
    """`PORT`: the port on which the service listens."""
    workers: int = 2
    """`WEB_CONCURRENCY`: the number of worker processes. Use one for each CPU core."""
    max_requests: int = 0
    """`MAX_REQUESTS`: a worker is replaced after about this many requests; 0 means never."""
    pool_size: int = 8
    """`DB_POOL_SIZE`: the maximum number of pooled database connections of each worker. Half of them serve searches,
    statistics and other statements that can be slow, half of those for one API key or address."""
    pool_timeout: float = 3.0
    """`DB_POOL_TIMEOUT`: how long a request waits for a connection, in seconds. Then the response is 503."""
    statement_timeout: float = 15.0
    """`DB_STATEMENT_TIMEOUT`: how long a statement may run, in seconds. Then the response is 503."""
    lock_timeout: float = 3.0
    """`DB_LOCK_TIMEOUT`: how long a statement waits for a lock, in seconds. Then the response is 503."""
    max_body_bytes: int = 262_144
    """`MAX_BODY_BYTES`: the maximum size of a request body, and of a line of an import. The response to a larger body
    is 413."""
    max_import_bytes: int = 1_073_741_824
    """`MAX_IMPORT_BYTES`: the maximum size of an imported file. The response to a larger one is 413."""
    bulk_calls: int = 2
    """`BULK_CALLS`: the number of imports and exports that a worker runs at once, each on a connection of its own in
    addition to the pool. The response to further ones is 503. One API key or address can have all but one."""
    bulk_timeout: float = 900.0
    """`BULK_TIMEOUT`: how long an import or export may take, in seconds."""
    bulk_stall_timeout: float = 30.0
    """`BULK_STALL_TIMEOUT`: an import, export or stream of events is aborted if its client neither sends nor reads
    anything for this many seconds."""
    events_days: int = 30
    """`EVENTS_DAYS`: for how many days events are kept. The response to a reader that continues from an older one is
    410."""
    event_listeners: int = 2000
    """`EVENT_LISTENERS`: the number of requests of a worker that may wait for events at once, half of them for one API
    key or address. The response to further ones is 503, and a stream that ends at once."""
    allowed_hosts: tuple[str, ...] = ()
    """`ALLOWED_HOSTS`: the host names and addresses under which the service is reached, without ports, separated by
    commas; the response to a request for another host is 421, except for `/livez` and `/readyz`. The default is any."""
    cors_origins: tuple[str, ...] = ()
    """`CORS_ORIGINS`: other origins whose pages may use the API, separated by commas; `*` allows all. The response to
    requests that browsers send for other pages is 403."""
    require_api_key: bool = False
    """`REQUIRE_API_KEY`: `on` requires `Authorization: Bearer KEY` of every request except for health (`/livez`,
    `/readyz`), the documentation (`/docs`, `/openapi.json`) and the console's own files."""
    rate_limit: RateLimit | None = None
    """`RATE_LIMIT`: `600/60` allows each API key, or each address if keys are not required, 600 requests in 60 seconds
    over all instances; the response to further ones is 429. `off` means no limit."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """`FORWARDED_ALLOW_IPS`: the addresses and networks of the proxies whose `X-Forwarded-*` headers are trusted,
    separated by commas; `*` trusts all. gunicorn reads it too."""
    webhook_allow_private: bool = False
    """`WEBHOOK_ALLOW_PRIVATE`: `on` lets webhooks have `http://` URLs and addresses that are not on the internet, as
    receivers in the same network have. `flask work` and `flask deliver` read it too."""
    triage_on_create: bool = True
    """`TRIAGE_ON_CREATE`: `off` gives tickets without a category or priority `general` and `medium`."""
    triage_learning: bool = True
    """`TRIAGE_LEARNING`: `off` suggests labels without what was learned from corrections, and sends the model no
    examples. The database counts corrections all the same, until `flask triage stop`."""
    triage_encoder: bool = False
    """`TRIAGE_ENCODER`: `on` lets a sentence encoder correct the suggestions for new tickets: more of them are right,
    above all in other languages than English. It also finds similar tickets in other words or languages; set it for
    `flask work`, too. Requires `pip install -r requirements-encoder.txt` (docs/triage.md)."""
    openai_api_key: str = field(default="", repr=False)
    """`OPENAI_API_KEY`: if set, `/api/tickets/classify/` asks the model first. If the model fails, the offline
    classifier decides."""
    openai_base_url: str | None = None
    """`OPENAI_BASE_URL`: a server other than OpenAI's that implements its chat completions with JSON schema."""
    openai_model: str = "gpt-6-luna"
    """`OPENAI_MODEL`: the name of the model."""
    openai_timeout: float = 6.0
    """`OPENAI_TIMEOUT`: how long one classification by the model may take, retries included, in seconds."""
    triage_refine: bool = False
    """`TRIAGE_REFINE`: `on` lets `flask work` ask the model about each new ticket that nobody has touched yet, and
    replace the labels that were suggested when it was created. Requires `OPENAI_API_KEY`."""
    otlp_endpoint: str = ""
    """`OTEL_EXPORTER_OTLP_ENDPOINT`: the server that receives traces (OTLP over HTTP). Requires
    `pip install -r requirements-otel.txt`. OpenTelemetry reads it too, and its other variables."""
    log_level: str = "INFO"
    """`LOG_LEVEL`: `DEBUG`, `INFO`, `WARNING` or `ERROR`."""
    log_format: str = "auto"
    """`LOG_FORMAT`: `json`, one object a line; `text`, for people; or `auto`: text on a terminal, otherwise JSON."""

    @property
    def is_text_log(self) -> bool:
        """Return whether the log is for people."""
        return self.log_format == "text" or (self.log_format == "auto" and sys.stdout.isatty())

    @property
    def is_embedded(self) -> bool:
        """Return whether DATABASE_URL asks for the embedded PostgreSQL."""
        return self.database_url.startswith("embedded:")

    @property
    def for_commands(self) -> Config:
        """Return the settings for commands, which MIGRATE_DATABASE_URL connects without a pooler."""
        if not self.migrate_database_url:
            return self
        return replace(self, database_url=self.migrate_database_url, db_pooler="none")

    def start_database(self) -> str:
        """Return the URL of the server, after starting it if it is embedded. Raises ConfigError."""
        if not self.is_embedded:
            return self.database_url
        try:
            from ticketsvc_dev import embedded
        except ModuleNotFoundError:
            raise ConfigError(
                "DATABASE_URL=embedded:... works only in a checkout of the repository, which has the package"
                " ticketsvc_dev. Set DATABASE_URL to an existing server: postgresql://USER:PASSWORD@HOST:PORT/NAME."
            ) from None
        try:
            return embedded.start(self.database_url)
        except embedded.EmbeddedError as error:
            raise ConfigError(str(error)) from None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Config:
        """Read the settings from environment variables. Raises ConfigError."""
        read = _Reader(environ)
        return cls(
            database_url=read.database_url(),
            host=read.address("HOST", cls.host),
            migrate_database_url=read.optional_url("MIGRATE_DATABASE_URL"),
            read_database_url=read.optional_url("READ_DATABASE_URL"),
            database_schema=read.schema("DATABASE_SCHEMA"),
            db_pooler=read.choice("DB_POOLER", cls.db_pooler, ("none", "transaction", "citus")),
            port=read.integer("PORT", cls.port, 1, 65_535),
            workers=read.integer("WEB_CONCURRENCY", cls.workers, 1, 1_000),
            max_requests=read.integer("MAX_REQUESTS", cls.max_requests, 0, 1_000_000_000),
            pool_size=read.integer("DB_POOL_SIZE", cls.pool_size, 1, 1_000),
            pool_timeout=read.seconds("DB_POOL_TIMEOUT", cls.pool_timeout),
            statement_timeout=read.seconds("DB_STATEMENT_TIMEOUT", cls.statement_timeout),
            lock_timeout=read.seconds("DB_LOCK_TIMEOUT", cls.lock_timeout),
            max_body_bytes=read.integer("MAX_BODY_BYTES", cls.max_body_bytes, 1_024, 1_073_741_824),
            max_import_bytes=read.integer("MAX_IMPORT_BYTES", cls.max_import_bytes, 1_024, 1_099_511_627_776),
            bulk_calls=read.integer("BULK_CALLS", cls.bulk_calls, 1, 1_000),
            bulk_timeout=read.seconds("BULK_TIMEOUT", cls.bulk_timeout),
            bulk_stall_timeout=read.seconds("BULK_STALL_TIMEOUT", cls.bulk_stall_timeout),
            events_days=read.integer("EVENTS_DAYS", cls.events_days, 1, 36_500),
            event_listeners=read.integer("EVENT_LISTENERS", cls.event_listeners, 1, 100_000),
            allowed_hosts=read.names("ALLOWED_HOSTS"),
            cors_origins=read.names("CORS_ORIGINS"),
            require_api_key=read.switch("REQUIRE_API_KEY", cls.require_api_key),
            rate_limit=read.rate_limit("RATE_LIMIT"),
            trusted_proxies=read.networks("FORWARDED_ALLOW_IPS", cls.trusted_proxies),
            webhook_allow_private=read.switch("WEBHOOK_ALLOW_PRIVATE", cls.webhook_allow_private),
            triage_on_create=read.switch("TRIAGE_ON_CREATE", cls.triage_on_create),
            triage_learning=read.switch("TRIAGE_LEARNING", cls.triage_learning),
            triage_encoder=read.switch("TRIAGE_ENCODER", cls.triage_encoder),
            openai_api_key=read.text("OPENAI_API_KEY"),
            openai_base_url=read.text("OPENAI_BASE_URL") or None,
            openai_model=read.text("OPENAI_MODEL") or cls.openai_model,
            openai_timeout=read.seconds("OPENAI_TIMEOUT", cls.openai_timeout),
            triage_refine=read.switch("TRIAGE_REFINE", cls.triage_refine),
            otlp_endpoint=read.text("OTEL_EXPORTER_OTLP_ENDPOINT"),
            log_level=read.choice("LOG_LEVEL", cls.log_level, ("DEBUG", "INFO", "WARNING", "ERROR")),
            log_format=read.choice("LOG_FORMAT", cls.log_format, ("auto", "json", "text")),
        )


class _Reader:
    """Reads variables. An empty one counts as not set. Each method raises ConfigError."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str) -> str:
        return self.environ.get(name, "").strip()

    def database_url(self) -> str:
        url = self.text("DATABASE_URL")
        if url.startswith(("postgres://", "postgresql://")):
            return self.escaped("DATABASE_URL", url)
        if url.removeprefix("embedded:") != url:
            return url
        error = "is not set" if not url else "is not a PostgreSQL URL"
        raise ConfigError(
            f"DATABASE_URL {error}. Set it to postgresql://USER:PASSWORD@HOST:PORT/NAME, or to embedded:PATH for an "
            "embedded PostgreSQL that stores its data below PATH."
        )

    def names(self, name: str) -> tuple[str, ...]:
        return tuple(filter(None, (part.strip().lower() for part in self.text(name).split(","))))

    def address(self, name: str, default: str) -> str:
        text = self.text(name) or default
        try:
            return str(ip_address(text))
        except ValueError:
            raise ConfigError(f"{name} must be an IP address, such as 127.0.0.1, not {text!r}.") from None

    def escaped(self, name: str, url: str) -> str:
        if _POSTGRES_URL.fullmatch(url):
            return url
        raise ConfigError(
            f"{name} has a character where it is not allowed. Escape special characters in the user name, the password "
            "and the parameters: %40 for @, %2F for /, %23 for #, %3F for ?, %25 for %."
        )

    def optional_url(self, name: str) -> str:
        url = self.text(name)
        if url and not url.startswith(("postgres://", "postgresql://")):
            raise ConfigError(f"{name} must be a PostgreSQL URL, postgresql://USER:PASSWORD@HOST:PORT/NAME.")
        return self.escaped(name, url) if url else ""

    def schema(self, name: str) -> str:
        text = self.text(name)
        if not text or (_SCHEMA.fullmatch(text) and not text.startswith("pg_") and text != "information_schema"):
            return text
        raise ConfigError(
            f"{name} must be a name of at most 63 letters a to z, digits and underscores that begins with a letter,"
            f" and no schema of PostgreSQL itself, not {text!r}."
        )

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name)
        if not text:
            return default
        if text.isascii() and text.isdigit() and len(text) < 16 and least <= int(text) <= most:
            return int(text)
        raise ConfigError(f"{name} must be a whole number from {least} to {most}, not {text!r}.")

    def seconds(self, name: str, default: float) -> float:
        text = self.text(name)
        try:
            value = float(text or default)
        except ValueError:
            value = 0.0
        if 0.001 <= value <= 3600:
            return value
        raise ConfigError(f"{name} must be a number of seconds from 0.001 to 3600, not {text!r}.")

    def switch(self, name: str, default: bool) -> bool:
        values = {"": default, "on": True, "off": False}
        text = self.text(name).lower()
        if text in values:
            return values[text]
        raise ConfigError(f"{name} must be on or off, not {text!r}.")

    def rate_limit(self, name: str) -> RateLimit | None:
        text = self.text(name).lower()
        if text in ("", "off"):
            return None
        parts = text.split("/")
        if len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
            limit = RateLimit(*map(int, parts))
            if limit.quota > 0 and 0 < limit.window <= 86_400:
                return limit
        raise ConfigError(f"{name} must be off or REQUESTS/SECONDS, such as 600/60 (at most 86400 s), not {text!r}.")

    def networks(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        networks = tuple(filter(None, (part.strip() for part in self.text(name).split(","))))
        for network in networks:
            try:
                network == "*" or ip_network(network)
            except ValueError:
                raise ConfigError(f"{name} must be * or a list of addresses and networks, not {network!r}.") from None
        return networks or default

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        text = self.text(name) or default
        for value in allowed:
            if value.upper() == text.upper():
                return value
        raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {text!r}.")

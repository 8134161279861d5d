"""The settings of the service, all from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import NamedTuple


class ConfigError(SystemExit):
    """A setting is missing or bad. Ends the process with a sentence that names the variable."""


class RateLimit(NamedTuple):
    """How many calls a caller has in a window of so many seconds."""

    quota: int
    window: int


@dataclass(frozen=True)
class Config:
    """One value for each environment variable (the README's table); times in seconds, sizes in bytes."""

    database_url: str = field(repr=False)
    """DATABASE_URL: postgres://..., postgresql://... or embedded:PATH."""
    port: int = 3000
    """PORT: where the service listens."""
    workers: int = 2
    """WEB_CONCURRENCY: how many worker processes."""
    max_requests: int = 0
    """MAX_REQUESTS: after about so many a worker is replaced; 0: never."""
    pool_size: int = 8
    """DB_POOL_SIZE: connections of each worker at most."""
    pool_timeout: float = 3.0
    """DB_POOL_TIMEOUT: how long a request waits for a connection before it is answered 503."""
    statement_timeout: float = 15.0
    """DB_STATEMENT_TIMEOUT: after which Postgres gives up a statement; answered 503."""
    lock_timeout: float = 3.0
    """DB_LOCK_TIMEOUT: after which Postgres gives up waiting for a lock; answered 503."""
    max_body_bytes: int = 1_048_576
    """MAX_BODY_BYTES: a larger request body is answered 413."""
    max_import_bytes: int = 1_073_741_824
    """MAX_IMPORT_BYTES: a larger file is answered 413."""
    bulk_calls: int = 2
    """BULK_CALLS: imports and exports that a worker runs at once, each on a connection beside the pool's."""
    bulk_timeout: float = 900.0
    """BULK_TIMEOUT: how long an import or an export may take in all."""
    bulk_stall_timeout: float = 30.0
    """BULK_STALL_TIMEOUT: after which a caller is cut off that neither sends nor reads the next part of a file."""
    cors_origins: tuple[str, ...] = ()
    """CORS_ORIGINS: origins whose pages may call, separated by commas; * for all."""
    require_api_key: bool = False
    """REQUIRE_API_KEY: on asks every call but health for an API key."""
    rate_limit: RateLimit | None = None
    """RATE_LIMIT: 600/60 gives each key, without keys each address, 600 calls in 60 seconds; off: any number."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """FORWARDED_ALLOW_IPS: addresses and networks whose X-Forwarded-For counts; * for all. gunicorn reads it too."""
    triage_on_create: bool = True
    """TRIAGE_ON_CREATE: off gives a ticket without category or priority general and medium."""
    triage_learning: bool = True
    """TRIAGE_LEARNING: off suggests without what corrections taught, and shows the model none.

    The database counts them all the same: other processes may learn, and the counts must stay true to the tickets.
    """
    openai_api_key: str = field(default="", repr=False)
    """OPENAI_API_KEY: when set, classify asks the model first."""
    openai_base_url: str | None = None
    """OPENAI_BASE_URL: another server that speaks OpenAI's chat completions."""
    openai_model: str = "gpt-6-luna"
    """OPENAI_MODEL."""
    openai_timeout: float = 6.0
    """OPENAI_TIMEOUT: for one classification in all, tries included."""
    otlp_endpoint: str = ""
    """OTEL_EXPORTER_OTLP_ENDPOINT: where spans are sent, in OTLP over HTTP; read by OpenTelemetry too."""
    log_level: str = "INFO"
    """LOG_LEVEL: DEBUG, INFO, WARNING or ERROR."""

    @property
    def is_embedded(self) -> bool:
        """Return whether DATABASE_URL asks for the embedded PostgreSQL."""
        return self.database_url.startswith("embedded:")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Config:
        """Read the environment.

        Raises ConfigError with a sentence that names the variable.
        """
        read = _Reader(environ)
        return cls(
            database_url=read.database_url(),
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
            cors_origins=tuple(filter(None, (o.strip() for o in read.text("CORS_ORIGINS").split(",")))),
            require_api_key=read.switch("REQUIRE_API_KEY", cls.require_api_key),
            rate_limit=read.rate_limit("RATE_LIMIT"),
            trusted_proxies=read.networks("FORWARDED_ALLOW_IPS", cls.trusted_proxies),
            triage_on_create=read.switch("TRIAGE_ON_CREATE", cls.triage_on_create),
            triage_learning=read.switch("TRIAGE_LEARNING", cls.triage_learning),
            openai_api_key=read.text("OPENAI_API_KEY"),
            openai_base_url=read.text("OPENAI_BASE_URL") or None,
            openai_model=read.text("OPENAI_MODEL") or cls.openai_model,
            openai_timeout=read.seconds("OPENAI_TIMEOUT", cls.openai_timeout),
            otlp_endpoint=read.text("OTEL_EXPORTER_OTLP_ENDPOINT"),
            log_level=read.choice("LOG_LEVEL", cls.log_level, ("DEBUG", "INFO", "WARNING", "ERROR")),
        )


class _Reader:
    """Reads one variable at a time; an empty one counts as not set."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str) -> str:
        return self.environ.get(name, "").strip()

    def database_url(self) -> str:
        url = self.text("DATABASE_URL")
        if url.startswith(("postgres://", "postgresql://")) or url.removeprefix("embedded:") != url:
            return url
        found = "is not set" if not url else "is none of these"
        raise ConfigError(
            f"DATABASE_URL {found}. Set it to postgresql://USER:PASSWORD@HOST:PORT/NAME, or to embedded:PATH for a "
            "PostgreSQL of the service's own that keeps its data under PATH."
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
        raise ConfigError(f"{name} must be off, or calls per seconds, such as 600/60 (at most 86400), not {text!r}.")

    def networks(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        networks = tuple(filter(None, (part.strip() for part in self.text(name).split(","))))
        for network in networks:
            try:
                network == "*" or ip_network(network)
            except ValueError:
                raise ConfigError(f"{name} must be addresses or networks, or *, not {network!r}.") from None
        return networks or default

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        text = self.text(name).upper() or default
        if text in allowed:
            return text
        raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {text!r}.")

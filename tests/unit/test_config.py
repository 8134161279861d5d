"""The settings: what is read from the environment, what an invalid value reports, and their page."""

from __future__ import annotations

import subprocess
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.conftest import serve
from tests.support import settings_page
from tests.support.commands import run
from ticketsvc.config import Config, ConfigError, RateLimit

if TYPE_CHECKING:
    from pathlib import Path

URL = "postgresql://ann:hunter2@db.example:5432/tickets"

READ = {
    "DATABASE_URL": ("database_url", "postgres://ann@db/tickets", "postgres://ann@db/tickets"),
    "HOST": ("host", "::1", "::1"),
    "MIGRATE_DATABASE_URL": ("migrate_database_url", "postgresql://bob@db/tickets", "postgresql://bob@db/tickets"),
    "READ_DATABASE_URL": ("read_database_url", "postgresql://bob@replica/tickets", "postgresql://bob@replica/tickets"),
    "DATABASE_SCHEMA": ("database_schema", "acme_2", "acme_2"),
    "DB_POOLER": ("db_pooler", "Transaction", "transaction"),
    "PORT": ("port", "8080", 8080),
    "WEB_CONCURRENCY": ("workers", "4", 4),
    "MAX_REQUESTS": ("max_requests", "1000", 1000),
    "DB_POOL_SIZE": ("pool_size", "3", 3),
    "DB_POOL_TIMEOUT": ("pool_timeout", "0.5", 0.5),
    "DB_STATEMENT_TIMEOUT": ("statement_timeout", "2.5", 2.5),
    "DB_LOCK_TIMEOUT": ("lock_timeout", "1", 1.0),
    "MAX_BODY_BYTES": ("max_body_bytes", "2048", 2048),
    "MAX_IMPORT_BYTES": ("max_import_bytes", "4096", 4096),
    "BULK_CALLS": ("bulk_calls", "1", 1),
    "EVENTS_DAYS": ("events_days", "7", 7),
    "EVENT_LISTENERS": ("event_listeners", "50", 50),
    "BULK_TIMEOUT": ("bulk_timeout", "60", 60.0),
    "BULK_STALL_TIMEOUT": ("bulk_stall_timeout", "5", 5.0),
    "WEBHOOK_ALLOW_PRIVATE": ("webhook_allow_private", "on", True),
    "ALLOWED_HOSTS": ("allowed_hosts", "Tickets.example, [::1]", ("tickets.example", "[::1]")),
    "CORS_ORIGINS": (
        "cors_origins",
        "https://a.example, https://b.example,",
        ("https://a.example", "https://b.example"),
    ),
    "REQUIRE_API_KEY": ("require_api_key", "on", True),
    "RATE_LIMIT": ("rate_limit", "600/60", RateLimit(600, 60)),
    "FORWARDED_ALLOW_IPS": ("trusted_proxies", "10.0.0.0/8, ::1", ("10.0.0.0/8", "::1")),
    "TRIAGE_ON_CREATE": ("triage_on_create", "OFF", False),
    "TRIAGE_LEARNING": ("triage_learning", "off", False),
    "TRIAGE_ENCODER": ("triage_encoder", "on", True),
    "TRIAGE_REFINE": ("triage_refine", "on", True),
    "OPENAI_API_KEY": ("openai_api_key", " sk-1 ", "sk-1"),
    "OPENAI_BASE_URL": ("openai_base_url", "http://localhost:11434/v1", "http://localhost:11434/v1"),
    "OPENAI_MODEL": ("openai_model", "llama", "llama"),
    "OPENAI_TIMEOUT": ("openai_timeout", "10", 10.0),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("otlp_endpoint", "http://collector:4318", "http://collector:4318"),
    "LOG_LEVEL": ("log_level", "warning", "WARNING"),
    "LOG_FORMAT": ("log_format", "TEXT", "text"),
}

BAD = [
    *(
        (name, value)
        for name in ("PORT", "WEB_CONCURRENCY", "DB_POOL_SIZE")
        for value in ("0", "-1", "x", "1.5", "٣", "9" * 99)
    ),
    *((name, "x") for name in ("DB_POOL_TIMEOUT", "DB_STATEMENT_TIMEOUT", "DB_LOCK_TIMEOUT", "OPENAI_TIMEOUT")),
    *((name, "x") for name in ("BULK_CALLS", "BULK_TIMEOUT", "BULK_STALL_TIMEOUT", "MAX_IMPORT_BYTES")),
    ("BULK_CALLS", "0"),
    ("EVENTS_DAYS", "0"),
    ("EVENT_LISTENERS", "0"),
    *(("DB_LOCK_TIMEOUT", value) for value in ("0", "-1", "nan", "inf", "1e9", "3s")),
    *(("HOST", value) for value in ("localhost", "0.0.0.0:80", "[::1]")),
    ("MIGRATE_DATABASE_URL", "mysql://ann:hunter2@db/tickets"),
    *(("DATABASE_SCHEMA", value) for value in ("Acme", "2acme", "a-b", 'a"b', "a,public", "pg_x", "é", "a" * 64)),
    ("DATABASE_SCHEMA", "information_schema"),
    ("DB_POOLER", "statement"),
    ("PORT", "65536"),
    ("MAX_REQUESTS", "-1"),
    ("MAX_BODY_BYTES", "10"),
    ("REQUIRE_API_KEY", "perhaps"),
    *(("RATE_LIMIT", value) for value in ("600", "0/60", "60/0", "1/86401", "1/1/1", "x/60", "-1/60", "٣/60", "/")),
    *(("FORWARDED_ALLOW_IPS", value) for value in ("proxy", "10.0.0.1/8", "1.2.3.4,x")),
    ("TRIAGE_ON_CREATE", "perhaps"),
    ("TRIAGE_LEARNING", "yes"),
    ("LOG_LEVEL", "loud"),
]


def read(**environ: str) -> Config:
    return Config.from_env({"DATABASE_URL": URL, **environ})


@pytest.mark.parametrize("name", READ)
def test_each_variable_is_read(name: str) -> None:
    field, text, value = READ[name]
    assert getattr(read(**{name: text}), field) == value


def test_every_setting_has_its_variable() -> None:
    assert {field for field, _, _ in READ.values()} == {field.name for field in fields(Config)}


def test_every_setting_is_documented_under_its_variable() -> None:
    documented = {variable.strip("`"): field for field, variable, _ in settings_page.documented()}
    assert documented == {variable: field for variable, (field, _, _) in READ.items()}


def test_the_settings_page_is_current() -> None:
    advice = "run `python -m tests.support.settings_page`"
    assert settings_page.PAGE.read_text() == settings_page.generate(), advice


def test_only_an_embedded_url_is_embedded() -> None:
    assert read(DATABASE_URL="embedded:var/postgres").is_embedded
    assert not read(DATABASE_URL="postgresql://localhost/embedded:").is_embedded


@pytest.mark.parametrize("name", sorted(READ.keys() - {"DATABASE_URL"}))
def test_an_empty_variable_counts_as_not_set(name: str) -> None:
    assert read(**{name: " "}) == read() == Config(database_url=URL)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_it_accepts_both_names_of_the_scheme(scheme: str) -> None:
    url = f"{scheme}://ann:hunter2@db/tickets?sslmode=require"
    assert read(DATABASE_URL=url).database_url == url


@pytest.mark.parametrize(("name", "value"), BAD)
def test_it_rejects_an_invalid_value(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(**{name: value})
    sentence = str(caught.value)
    assert sentence.startswith(f"{name} must be ")
    assert sentence.endswith(".")
    assert "hunter2" not in sentence


@pytest.mark.parametrize("url", ["", " ", "mysql://ann:hunter2@db/x", "ann:hunter2@db", "sqlite:///x", "hunter2"])
def test_it_rejects_a_database_url_of_another_kind(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(DATABASE_URL=url)
    assert "DATABASE_URL is" in str(caught.value)
    assert "Set it to postgresql://" in str(caught.value)
    assert "embedded:PATH" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "rest",
    [
        *(
            "ann:hunter2@x@db/x",
            "ann:hunter2#x@db/x",
            "ann:hunter2/x@db/x",
            "ann:1/hunter2@db/x",
            "ann:hunter2%zz@db/x",
        ),
        *("ann:hunter2%@db/x", "ann:hunter2?x@db/x", "ann:hunter2 x@db/x", "ann:1@hunter2@db", "db?password=1@hunter2"),
        *("db/x?password=hunter2&hunter2", "db/x?password=%hunter2", "db/x#hunter2", "ann:[1@db:hunter2"),
    ],
)
def test_it_rejects_a_database_url_with_an_unescaped_character(rest: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(DATABASE_URL=f"postgresql://{rest}")
    assert "Escape special characters" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "rest",
    [
        *("", "db", "/x", "ann@/x?host=/run/pg&port=5432", "%2Frun%2Fpg/x", "[::1]:5432/x", "[fe80::1%25eth0]/x"),
        *("a:1,b:2,[::1]/x?target_session_attrs=any", "db?connect_timeout=3", "db-1.x_y.example:/x"),
        *("ann:%40%23%2f%25:!$&'()*+,;=-._~^\u00e9@db/x", "db/x?options=-c%20geqo%3Doff&sslrootcert=/a/b.pem"),
    ],
)
def test_it_accepts_every_form_of_a_database_url(rest: str) -> None:
    assert read(DATABASE_URL=f"postgresql://{rest}").database_url == f"postgresql://{rest}"
    conninfo_to_dict(f"postgresql://{rest}")  # libpq accepts it too


def test_it_shows_no_secret() -> None:
    shown = repr(read(OPENAI_API_KEY="sk-secret"))
    assert "hunter2" not in shown
    assert "sk-secret" not in shown


# --- real processes


@pytest.mark.parametrize("command", [("gunicorn", "app:app"), ("flask", "migrate")])
@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "DATABASE_URL is not set. Set it to postgresql://"),
        ({"DATABASE_URL": "mysql://ann:hunter2@db/tickets"}, "DATABASE_URL is not a PostgreSQL URL"),
        ({"DATABASE_URL": "postgresql://ann:hunter2%zz@db/tickets"}, "Escape special characters"),
        ({"DATABASE_URL": URL, "PORT": "eighty"}, "PORT must be a whole number"),
        ({"DATABASE_URL": URL, "MAX_REQUESTS": "many"}, "MAX_REQUESTS must be a whole number"),
        ({"DATABASE_URL": URL, "DB_POOL_TIMEOUT": "soon"}, "DB_POOL_TIMEOUT must be a number of seconds"),
        ({"DATABASE_URL": "embedded:"}, "DATABASE_URL=embedded: lacks a directory"),
        ({"DATABASE_URL": "embedded:/proc/postgres"}, "Cannot use /proc/postgres"),
    ],
)
def test_a_process_ends_with_the_message(command: tuple[str, str], environ: dict[str, str], sentence: str) -> None:
    status, printed = run(*command, **environ)
    assert status != 0
    assert sentence in printed
    assert "Traceback" not in printed
    assert "hunter2" not in printed


def test_port_and_web_concurrency_are_applied(database_url: str, tmp_path: Path) -> None:
    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="3") as service:
        master = str(service.process.pid)
        workers = subprocess.check_output(["ps", "-o", "pid=", "--ppid", master], text=True).split()
        assert len(workers) == 3
        assert service.call("GET", "/livez").status == 200

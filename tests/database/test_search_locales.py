"""Searches find the same in every locale that a database can have."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest

from tests.support.postgres import create_database, query, server
from tests.support.searches import SEARCHES, fill, matches, with_index
from tests.support.tickets import URL
from ticketsvc import migrations
from ticketsvc.application import create_app
from ticketsvc.config import Config
from ticketsvc.store import search
from ticketsvc_dev.embedded.cluster import Cluster
from ticketsvc_dev.embedded.programs import run

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCALES = {
    "libc C": "LOCALE 'C'",
    "libc C.UTF-8": "LOCALE 'C.UTF-8'",
    "libc tr_TR.UTF-8": "LOCALE 'tr_TR.UTF-8'",
    "builtin C": "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C' LOCALE 'C.UTF-8'",
    "builtin C.UTF-8": "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'",
    "builtin PG_UNICODE_FAST": "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST' LOCALE 'C.UTF-8'",
    "ICU und": "LOCALE_PROVIDER icu ICU_LOCALE 'und' LOCALE 'C'",
    "ICU tr": "LOCALE_PROVIDER icu ICU_LOCALE 'tr' LOCALE 'C.UTF-8'",
}
"""The options of CREATE DATABASE. pg_trgm lowers letters as the provider does, and finds them with LC_CTYPE."""


class LocaleCluster(Cluster):
    """A server that knows the locales in its directory `locales`, if it exists, instead of those of the system."""

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        locales = self.directory / "locales"
        variables = [f"LOCPATH={locales}"] if locales.exists() else []
        command = [*variables, str(self.program_files / program), *arguments]
        return run(Path("/usr/bin/env"), *command, directory=self.directory, account=self.account)

    def start(self, more_settings: str = "") -> None:
        """Compile Turkish, where the system can, and start the server."""
        if shutil.which("localedef"):
            (self.directory / "locales").mkdir()
            for name in ("tr_TR", "C"):
                output = self.directory / "locales" / f"{name}.UTF-8"
                subprocess.run(["localedef", "-c", "-i", name, "-f", "UTF-8", output], check=True, capture_output=True)
        super().start(more_settings)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a server with more locales."""
    with server(cluster_class=LocaleCluster) as found:
        yield found


@pytest.fixture(scope="module", params=LOCALES)
def url(cluster: Cluster, request: pytest.FixtureRequest) -> str:
    """Return a migrated database of a locale, with tickets."""
    try:
        url = create_database(cluster, "template0", f"ENCODING 'UTF8' {LOCALES[request.param]}")
    except psycopg.Error as error:
        pytest.skip(f"{request.param} is not available: {error}")
    migrations.apply(url)
    with closing(psycopg.connect(url, autocommit=True)) as database:
        fill(database, seed=11, count=300)
    return url


def test_searches_find_the_same_in_every_locale(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SCAN_LIMIT", 1)
    monkeypatch.setattr(search, "KEY_SCAN_LIMIT", 1)
    monkeypatch.setattr(search, "KEY_SCANS", 1)
    app = create_app(Config(database_url=with_index(url)))
    client = app.test_client()
    pages = {sort: client.get(f"{URL}?limit=500&sort={sort}").get_json() for sort in ("-created_at", "-priority")}
    steps = cycle([("-created_at", 1000), ("-priority", 0), ("-created_at", 0)])
    for text, (sort, rare_hits) in zip(SEARCHES, steps, strict=False):
        monkeypatch.setattr(search, "RARE_HITS", rare_hits)
        expected = [ticket["id"] for ticket in pages[sort] if matches(ticket, text)]
        response = client.get(f"{URL}?limit=500&count=true&sort={sort}&search={quote(text)}")
        assert [ticket["id"] for ticket in response.get_json()] == expected, text
        assert response.headers["X-Total-Count"] == str(len(expected)), text
    app.extensions["ticketsvc"].database.close()


def test_texts_are_the_same_in_every_locale(url: str, database_url: str) -> None:
    """In particular those that the indexes of texts have entries for."""
    with closing(psycopg.connect(database_url, autocommit=True)) as database:
        database.execute("TRUNCATE tickets")
        fill(database, seed=11, count=300)
    texts = 'SELECT text, search_pairs(text) FROM ticket_texts ORDER BY text COLLATE "C", id'
    assert query(url, texts) == query(database_url, texts)

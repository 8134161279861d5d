"""A database for the tests of one file, which no other process uses, and a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ticketsvc.application import create_app
from ticketsvc.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask.testing import FlaskClient


@pytest.fixture(scope="module")
def url(migrated_database: Callable[[], str]) -> str:
    """The database of these tests. Nothing empties it between them."""
    return migrated_database()


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[FlaskClient]:
    """A client of a service on `url`, which may send to receivers on loopback."""
    app = create_app(Config(database_url=url, webhook_allow_private=True))
    yield app.test_client()
    app.extensions["ticketsvc"].database.close()

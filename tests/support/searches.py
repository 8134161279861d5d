"""A plain implementation of searches in Python, and tickets of random words to compare its results with."""

from __future__ import annotations

import random
import re
from functools import cache
from typing import TYPE_CHECKING, Any
from unicodedata import normalize
from urllib.parse import quote

from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES

if TYPE_CHECKING:
    from tests.support.tickets import Connection

SORTS = ["-created_at", "created_at", "-updated_at", "-priority"]
# fmt: off
PIECES = [
    "ab", "ba", "abc", "cab", "zq", "q", "invoice", "Invoice", "ÄB", "bä", "é", "字符", "符", "a-b", "c++",
    "50%", "Straße", "STRASSE", "Müller", "Mu\u0308ller", "e\u0301te\u0301", "ab日本", "zqß", "ﬁx", "\u212bb",
    "ID", "İD", "ıd", "λόγος", "ΛΌΓΟΣ", "ἀθῆναι", "ΑΘΗ\u0342ΝΑΙ", "ПРИВЕТ", "ёж", "bị", "bi\u0323", "Việt",
    "nga\u0300y", "请退款", "款请", "한국어", "\u1112\u1161\u11ab국", "จองตั๋ว", "ไม่ได้", "नमस्ते", "बिल",
    "ꭰꮃ", "ᎠᎳ", "مرحبا", "😀🎫", "ﾃｽﾄ", "ＡＢ",
]
SPACES = [" ", " ", "  ", "\n", "\r\n", "\u3000", "\u00a0", "\t "]
SEARCHES = [
    "abc", "invoice", "ab ba", "abc cab invoice zq", "zq", "q", "qa", "ä", "bä", "äb", "字", "字符", "符字",
    "a-b", "c++", "50%", "-ab", "-invoice -zq", "invoice -abc", '"ab ba"', '"invoice ab"', '"abc invoice"',
    '-"ab ba" cab', "nowhere", "zx", "t", "at", "ta", "\u212ab", "%", "_", "k", "n", '"zq "', "tt", "STRASSE",
    "straße", "ss", "ß", "zqs", "müller", "MU\u0308LLER", "\u0308", "été", "ÉT", "ab日", "b日", "日本", "日",
    "fi", "ﬁ", "åb", "id", "İd", "i\u0307d", "ıd", "ΛΟ\u0301ΓΟΣ", "λόγοσ", "ος", "ἈΘ", "αθη\u0342ναι", "при",
    "ПР", "Ё", "е\u0308ж", "BỊ", "bị", "iệ", "ày", "退款", "请", '"字符 请退款"', "한국",
    "\u1112\u1161\u11ab국어", "어", "จอ", "อง", "ม่", "นม", "नम", "स्", "बि", "ᎠᎳ", "ꭰ", "مر", "🎫", "ﾃｽ",
    "ａｂ", "退款 abc", "退款 -abc", "-日本", "日本 ab", "Straße 日本", '"ab\u3000日本"', "x\u0301y",
    "退\u0301",
]
# fmt: on
FILTERS = [
    {},
    {"status": ["open"]},
    {"category": ["billing"], "priority": ["critical"], "status": ["closed"]},
    {"priority": ["high", "low"]},
]
_WHITE_SPACE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


@cache
def fold(text: str) -> str:
    """Return what is compared: canonically equivalent texts, letters of any case and white space become equal."""
    return normalize("NFC", _WHITE_SPACE.sub(" ", normalize("NFC", text).casefold()))


def fill(database: Connection, seed: int, count: int = 400) -> None:
    """Insert tickets of random words over eight weeks."""
    choose = random.Random(seed)
    old = choose.sample(PIECES, 9)
    rows = []
    for number in range(count):
        known = PIECES if number < count // 4 else [piece for piece in PIECES if piece not in old]
        title, description = (
            "".join(word + choose.choice(SPACES) for word in choose.choices(known, k=choose.randint(1, 4)))[:-1]
            for _ in range(2)
        )
        labels = [choose.choice(values) for values in (CATEGORIES, PRIORITIES, STATUSES)]
        rows.append((title, description, *labels, number, choose.randrange(200)))
    database.execute(
        "INSERT INTO tickets (title, description, category, priority, status, created_at, updated_at)"
        " SELECT title, description, category, priority, status,"
        " '2026-01-01Z'::timestamptz + created * interval '160 minutes',"
        " '2026-03-01Z'::timestamptz + updated * interval '1 hour'"
        " FROM unnest(%s::text[], %s::text[], %s::ticket_category[], %s::ticket_priority[], %s::ticket_status[],"
        " %s::int[], %s::int[]) AS made (title, description, category, priority, status, created, updated)",
        list(map(list, zip(*rows, strict=True))),
    )
    database.execute("ANALYZE tickets, ticket_texts")


def fill_comments(database: Connection, seed: int) -> None:
    """Add up to three comments of random words to each ticket."""
    choose = random.Random(seed)
    rows = []
    for (ticket_id,) in database.execute("SELECT id FROM tickets ORDER BY id").fetchall():
        for version in range(2, 2 + choose.randint(0, 3)):
            body = "".join(word + choose.choice(SPACES) for word in choose.choices(PIECES, k=choose.randint(1, 4)))[:-1]
            rows.append((ticket_id, version, choose.random() < 0.3, body))
    database.execute(
        "INSERT INTO comments (ticket_id, version, id, created_at, internal, body, search_text)"
        " SELECT ticket_id, version, gen_random_uuid(), now(), internal, body, comment_text(body)"
        " FROM unnest(%s::uuid[], %s::int[], %s::bool[], %s::text[]) AS made (ticket_id, version, internal, body)",
        list(map(list, zip(*rows, strict=True))),
    )
    database.execute("ANALYZE comments")


def matches(ticket: dict[str, Any], search: str) -> bool:
    """Return whether a ticket matches a search; the searches here have quotes only around phrases."""
    texts = [fold(ticket["title"]), fold(ticket["description"])]
    for part in _parts(search):
        word = fold(part.removeprefix("-").strip('"'))
        if any(word in text for text in texts) is part.startswith("-"):
            return False
    return True


def _parts(search: str) -> list[str]:
    spaced = "".join(part.replace(" ", "\0") if n % 2 else part for n, part in enumerate(search.split('"')))
    return [part.replace("\0", " ") for part in spaced.split(" ")]


def with_index(url: str) -> str:
    """Return the URL of a database for sessions that use the indexes of texts wherever they can."""
    options = "-c enable_seqscan=off -c enable_indexscan=off -c enable_indexonlyscan=off"
    return f"{url}{'&' if '?' in url else '?'}options={quote(options)}"

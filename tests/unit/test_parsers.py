"""Property tests of the input parsers: they round-trip, and raise nothing but the documented errors."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketsvc.api.input import filters
from ticketsvc.api.input.filters import ListParameters
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.problems import BadRequest, InvalidInput
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.pages import SORTS
from ticketsvc.validation.fields import Fields
from ticketsvc.validation.values import TITLE_LENGTH

TEXT = st.text(st.characters(codec="utf-8"))
NAMES = st.sampled_from([*vars(filters.parse(b"").filters), "category", "status", "sort", "limit", "cursor", "count"])
TIMES = st.datetimes(timezones=st.just(UTC))


@st.composite
def cursors(draw: st.DrawFn) -> Cursor:
    sort = draw(st.sampled_from(sorted(SORTS.values())))
    keys = {"updated": TIMES.map(_as_postgres), "urgent": st.sampled_from(PRIORITIES)}
    return Cursor(sort, str(draw(st.uuids())), draw(keys.get(sort, st.just(""))))


def _as_postgres(time: datetime) -> str:
    fraction = f".{time.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{time.year:04d}-{time:%m-%d %H:%M:%S}{fraction}+00"


# --- cursors


@given(cursors())
def test_cursor_round_trips(cursor: Cursor) -> None:
    text = cursor.encode()
    assert Cursor.decode(text, cursor.sort) == cursor
    assert text.isascii()
    assert urlencode({"cursor": text}) == f"cursor={text}"


@given(cursors(), st.data())
def test_changed_cursor_is_another_or_invalid(cursor: Cursor, data: st.DataObject) -> None:
    text = cursor.encode()
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.characters()) + text[place + 1 :]
    try:
        assert Cursor.decode(changed, cursor.sort).encode() == changed
    except ValueError:
        assert changed != text


@given(st.text() | st.binary().map(lambda data: data.hex()), st.sampled_from(sorted(SORTS.values())))
def test_any_text_as_cursor_is_valid_or_value_error(text: str, sort: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Cursor.decode(text, sort)


# --- query strings


def read(query: bytes) -> ListParameters | None:
    """Return the parameters, or None if they are rejected."""
    try:
        return filters.parse(query)
    except (BadRequest, InvalidInput):
        return None


@given(st.lists(st.tuples(NAMES | TEXT, TEXT)))
def test_any_query_is_parsed_or_rejected(pairs: list[tuple[str, str]]) -> None:
    asked = read(urlencode(pairs).encode())
    assert asked is None or asked.pairs == pairs


@given(st.binary())
def test_any_bytes_are_parsed_or_rejected(query: bytes) -> None:
    assert isinstance(read(query), ListParameters | None)


@given(
    categories=st.sets(st.sampled_from(CATEGORIES)),
    statuses=st.sets(st.sampled_from(STATUSES)),
    limit=st.integers(1, 500),
    sort=st.sampled_from(sorted(SORTS)),
    cursor=cursors(),
)
def test_next_query_differs_only_in_the_cursor(
    categories: set[str], statuses: set[str], limit: int, sort: str, cursor: Cursor
) -> None:
    query = {"category": ",".join(categories), "status": ",".join(statuses), "limit": limit, "sort": sort}
    asked = filters.parse(urlencode(query).encode())
    assert set(asked.filters.categories or CATEGORIES) == (categories or set(CATEGORIES))
    assert set(asked.filters.statuses or STATUSES) == (statuses or set(STATUSES))
    assert (asked.limit, asked.sort) == (limit, SORTS[sort])

    position = Cursor(asked.sort, cursor.id, cursor.key)
    following = dict(parse_qsl(asked.next_query(position), keep_blank_values=True))
    assert following.pop("cursor") == position.encode()
    assert following == {name: str(value) for name, value in query.items()}


@given(TIMES, st.integers(-23 * 60 - 59, 23 * 60 + 59), st.sampled_from("Tt "))
def test_time_is_the_same_moment_with_any_offset(time: datetime, minutes: int, separator: str) -> None:
    try:
        given = time.astimezone(timezone(timedelta(minutes=minutes))).isoformat(separator)
    except OverflowError:
        return
    asked = filters.parse(urlencode({"created_since": given}).encode())
    assert asked.filters.created_since is not None
    assert datetime.fromisoformat(asked.filters.created_since) == time


# --- fields

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@given(VALUES)
def test_text_is_trimmed_and_storable_or_an_error(value: object) -> None:
    fields = Fields({"title": value})
    text = fields.text("title", TITLE_LENGTH)
    if fields.errors:
        assert [error.where for error in fields.errors] == [{"pointer": "#/title"}]
        assert json.dumps(InvalidInput(*fields.errors).document("/"), ensure_ascii=False).encode()
    else:
        assert isinstance(value, str)
        assert text == value.strip()
        assert 0 < len(text.encode().decode()) <= TITLE_LENGTH
        assert "\0" not in text


@given(VALUES | st.sampled_from(PRIORITIES).map(str.title))
def test_choice_is_allowed_or_absent_or_an_error(value: object) -> None:
    fields = Fields({"priority": value})
    choice = fields.choice("priority", PRIORITIES)
    if fields.errors:
        assert choice is None
    else:
        assert choice in PRIORITIES or (choice is None and value in (None, ""))

"""The parser of JSON bodies, and that of their members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.bodies import MALFORMED, NOT_A_CHOICE, NOT_TEXT, VALID
from ticketsvc.api.input.body import json_object
from ticketsvc.api.input.media_types import JSON, MERGE_PATCH
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.problems import MalformedBody
from ticketsvc.validation.fields import Fields
from ticketsvc.validation.values import TITLE_LENGTH

if TYPE_CHECKING:
    from flask import Flask

TYPES = [pytest.param(kinds[-1], kinds, id=kinds[-1]) for kinds in (JSON, MERGE_PATCH)]


def parse(app: Flask, body: bytes, content_type: str, media_types: tuple[str, ...]) -> dict[str, object]:
    """Parse a body as a route with these media types does."""
    with app.test_request_context(method="POST", data=body, content_type=content_type):
        return json_object(media_types)


@pytest.mark.parametrize(("content_type", "media_types"), TYPES)
def test_it_works(shared_app: Flask, content_type: str, media_types: tuple[str, ...]) -> None:
    assert parse(shared_app, VALID, content_type, media_types) == {"title": "a", "description": "b"}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_it_rejects_a_malformed_body(shared_app: Flask, body: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse(shared_app, body, "application/json", JSON)


@pytest.mark.parametrize("value", NOT_TEXT.values(), ids=NOT_TEXT)
def test_it_rejects_values_that_are_not_texts(value: object) -> None:
    fields = Fields({"title": value})
    assert fields.text("title", TITLE_LENGTH) == ""
    [error] = fields.errors
    assert error.where == {"pointer": "#/title"}
    assert error.detail.startswith("title must")


@pytest.mark.parametrize("value", NOT_A_CHOICE)
@pytest.mark.parametrize("allowed", [CATEGORIES, PRIORITIES, STATUSES])
def test_it_rejects_values_that_are_not_allowed(value: object, allowed: tuple[str, ...]) -> None:
    fields = Fields({"label": value})
    assert fields.choice("label", allowed) is None
    [error] = fields.errors
    assert (error.where, error.code) == ({"pointer": "#/label"}, "not_allowed")
    assert all(word in error.detail for word in ("label", *allowed))

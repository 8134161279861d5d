"""What schemathesis cannot know from the document: a cursor belongs to the order of its list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import strategies as st

from tests.described import ID
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.tickets import SORTS

if TYPE_CHECKING:
    from schemathesis import Case, HookContext

KEYS = {"urgent": "medium", "updated": "2026-01-31 12:00:00+00"}
PLACEHOLDER = Cursor("newest", ID, "").encode()

schemathesis.openapi.format("cursor", st.just(PLACEHOLDER))


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Put a cursor that fits in the place of a valid one."""
    query = case.query if isinstance(case.query, dict) else {}
    if query.get("cursor") == PLACEHOLDER:
        sort = SORTS.get(str(query.get("sort") or "-created_at"), "newest")
        query["cursor"] = Cursor(sort, ID, KEYS.get(sort, "")).encode()

"""The query strings of lists, exports and statistics."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache, partial
from urllib.parse import urlencode
from uuid import UUID

from ticketsvc import filters
from ticketsvc.api.auth.authenticator import is_public_only
from ticketsvc.api.input.query import query_pairs, query_parameters
from ticketsvc.files import FORMATS
from ticketsvc.filters import Filters
from ticketsvc.problems import FieldError, InvalidInput
from ticketsvc.store.comments import SORTS as COMMENT_SORTS
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.history import SORT as HISTORY
from ticketsvc.store.pages import SORTS
from ticketsvc.store.webhooks import SORT as DELIVERIES
from ticketsvc.store.webhooks import STATES
from ticketsvc.validation.parameters import Parameters, switch, whole_number

DEFAULT_LIMIT = 100
MAX_LIMIT = 500


@dataclass(frozen=True)
class PageParameters:
    """The page that a client requests. `pairs` are all parameters as given."""

    limit: int
    cursor: Cursor | None
    pairs: list[tuple[str, str]]

    def next_query(self, cursor: Cursor) -> str:
        """Return the query string of the next page: the same parameters with another cursor."""
        kept = [(name, value) for name, value in self.pairs if name != "cursor"]
        return urlencode([*kept, ("cursor", cursor.encode())])

    def link(self, path: str, following: Cursor | None) -> dict[str, str]:
        """Return the header field that links to the next page (RFC 8288), or nothing on the last page."""
        return {"Link": f'<{path}?{self.next_query(following)}>; rel="next"'} if following else {}


@dataclass(frozen=True)
class ListParameters(PageParameters):
    """All parameters of a list of tickets."""

    filters: Filters
    sort: str
    count: bool


@dataclass(frozen=True)
class CommentParameters(PageParameters):
    """All parameters of a list of comments. `internal` None means both kinds."""

    sort: str
    internal: bool | None


@dataclass(frozen=True)
class DeliveryParameters(PageParameters):
    """All parameters of a list of deliveries. `states` None means all."""

    states: tuple[str, ...] | None


def parse(query_string: bytes) -> ListParameters:
    """Parse the query string of a list. Raises InvalidInput with all errors, and BadRequest if it cannot be decoded."""
    return _parse(query_string, is_public_only())


@lru_cache(256)  # the console and other pollers request the same page again and again
def _parse(query_string: bytes, is_public_only: bool) -> ListParameters:
    pairs = query_pairs(query_string)
    parameters = Parameters(pairs)
    sort = SORTS[parameters.one("sort", partial(_one_of, SORTS), "-created_at")]
    parsed = ListParameters(
        filters=filters.parse(parameters, is_public_only),
        sort=sort,
        limit=parameters.one("limit", page_limit, DEFAULT_LIMIT),
        cursor=parameters.one("cursor", lambda text: _cursor(text, sort), None),
        count=parameters.one("count", switch, False),
        pairs=pairs,
    )
    parameters.check()
    return parsed


def parse_filters(query_string: bytes) -> Filters:
    """Parse the query string of a route that takes filters and nothing else. Raises as `parse` does."""
    parameters = query_parameters(query_string)
    parsed = filters.parse(parameters, is_public_only())
    parameters.check()
    return parsed


def parse_history(query_string: bytes, ticket_id: UUID) -> PageParameters:
    """Parse the query string of a ticket's history. Raises as `parse` does."""
    pairs = query_pairs(query_string)
    parameters = Parameters(pairs)
    parsed = _page_of(parameters, ticket_id, HISTORY)
    parameters.check()
    return PageParameters(*parsed, pairs)


def parse_comments(query_string: bytes, ticket_id: UUID) -> CommentParameters:
    """Parse the query string of a ticket's comments. Raises as `parse` does."""
    pairs = query_pairs(query_string)
    parameters = Parameters(pairs)
    sort = COMMENT_SORTS[parameters.one("sort", partial(_one_of, COMMENT_SORTS), "created_at")]
    internal = parameters.one("internal", switch, None)
    parsed = _page_of(parameters, ticket_id, sort)
    parameters.check()
    return CommentParameters(*parsed, pairs, sort, internal)


def parse_deliveries(query_string: bytes, webhook_id: UUID) -> DeliveryParameters:
    """Parse the query string of a webhook's deliveries. Raises as `parse` does."""
    pairs = query_pairs(query_string)
    parameters = Parameters(pairs)
    states = parameters.choices("state", STATES)
    parsed = _page_of(parameters, webhook_id, DELIVERIES)
    parameters.check()
    return DeliveryParameters(*parsed, pairs, states)


def parse_none(query_string: bytes) -> None:
    """Check the query string of a route without parameters. Raises as `parse` does."""
    query_parameters(query_string).check()


def parse_export(query_string: bytes) -> tuple[Filters, str | None]:
    """Return the filters and the format, or None, of an export. Raises as `parse` does."""
    parameters = query_parameters(query_string)
    parsed = filters.parse(parameters, is_public_only())
    file_format = parameters.one("format", partial(_one_of, FORMATS), None)
    parameters.check()
    return parsed, file_format


def parse_bulk_update(query_string: bytes) -> tuple[Filters, bool]:
    """Return the filters of a bulk update, at least one, and whether it is a dry run. Raises as `parse` does."""
    parameters = query_parameters(query_string)
    parsed, dry_run = filters.parse(parameters, is_public_only()), parameters.one("dry_run", switch, False)
    parameters.check()
    if parsed == Filters():
        rule = "A filter is required, such as status=open: all tickets that match the filters are changed."
        raise InvalidInput(FieldError.in_parameter("status", rule, "required"))
    return parsed, dry_run


def _page_of(parameters: Parameters, owner_id: UUID, sort: str) -> tuple[int, Cursor | None]:
    """Take the limit and the cursor of a list that belongs to a ticket or webhook."""
    limit = parameters.one("limit", page_limit, DEFAULT_LIMIT)
    cursor = parameters.one("cursor", lambda text: _cursor(text, sort), None)
    if cursor and cursor.id != str(owner_id):
        parameters.add_error("cursor", "must come from an earlier page of this list.", "not_allowed")
    return limit, cursor


def _one_of(allowed: Collection[str], text: str) -> str:
    if text not in allowed:
        raise ValueError(f"must be one of {', '.join(allowed)}")
    return text


def page_limit(text: str) -> int:
    """Return the number of items on a page. Raises ValueError with the end of a sentence."""
    return whole_number(text, 1, MAX_LIMIT)


def _cursor(text: str, sort: str) -> Cursor:
    try:
        return Cursor.decode(text, sort)
    except ValueError:
        raise ValueError("must come from an earlier page of this list, in the same order") from None

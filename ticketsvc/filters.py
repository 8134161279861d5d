"""The filters of lists, counts, statistics and exports, for the HTTP API and the command line."""

from __future__ import annotations

from dataclasses import dataclass

from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.validation import search_words, values
from ticketsvc.validation.parameters import Parameters, switch
from ticketsvc.validation.search_words import SearchWords
from ticketsvc.validation.values import in_utc

FACETS = ("categories", "priorities", "statuses")
CREATION = ("created_since", "created_before")

SEARCH_IN = ("text", "comments", "all")

_TIME = "A date, or an RFC 3339 time."

HELP = {
    "category": f"One or more of {', '.join(CATEGORIES)}.",
    "priority": f"One or more of {', '.join(PRIORITIES)}.",
    "status": f"One or more of {', '.join(STATUSES)}.",
    "created_since": _TIME,
    "created_before": _TIME,
    "updated_since": _TIME,
    "updated_before": _TIME,
    "requester": "One or more requesters, in any letter case.",
    "assignee": "One or more assignees, in any letter case.",
    "assigned": "true for tickets with an assignee, false for those without one.",
    "tags": "One or more tags, of which a ticket has at least one.",
    "tags_all": "One or more tags, all of which a ticket has.",
    "duplicate_of": "One or more ids of tickets, of which a ticket is a duplicate.",
    "metadata": "KEY=VALUE: a member of the metadata. Several values of one key are alternatives.",
    "search_in": "Where to search: text (title and description, the default), comments (one that matches) or all.",
    "search": 'Words and "phrases" that all occur in the title or description; -word excludes.',
}
"""Help texts of the command line for the parameters that `parse` reads."""


@dataclass(frozen=True)
class Filters:
    """Conditions that a ticket must meet, all of them. None means any.

    Times are RFC 3339 in UTC; since is inclusive, before exclusive. The search is in title and description, or in what
    `search_in` says, without internal comments if `without_internal` is true. The fields are parameters of
    sql/fragments/*.sql.
    """

    categories: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    created_since: str | None = None
    created_before: str | None = None
    updated_since: str | None = None
    updated_before: str | None = None
    search: SearchWords | None = None
    search_in: str | None = None
    without_internal: bool | None = None
    requesters: tuple[str, ...] | None = None
    assignees: tuple[str, ...] | None = None
    is_assigned: bool | None = None
    tags: tuple[str, ...] | None = None
    all_tags: tuple[str, ...] | None = None
    metadata: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    duplicate_of: tuple[str, ...] | None = None

    @property
    def has_facets(self) -> bool:
        """Return whether tickets of some category, priority or status are left out."""
        return not (self.categories is self.priorities is self.statuses is None)

    @property
    def attribute_groups(self) -> list[list[str]]:
        """Return the attributes that tickets must have (sql/functions/ticket_attributes_of.sql): one of each group.

        People are not folded yet.
        """
        named = (self.requesters, self.assignees, self.tags, self.all_tags, self.metadata, self.duplicate_of)
        if not (self.is_assigned or any(named)):
            return []  # at once: lists without such filters are the most frequent
        groups = [[f"requester {name}" for name in self.requesters or ()]]
        groups += [[f"assignee {name}" for name in self.assignees or ()]]
        groups += [[f"metadata {key}={value}" for value in texts] for key, texts in self.metadata or ()]
        groups += [[f"tag {tag}"] for tag in self.all_tags or ()]
        groups += [[f"tag {tag}" for tag in self.tags or ()]]
        groups += [[f"duplicate_of {ticket_id}" for ticket_id in self.duplicate_of or ()]]
        groups += [["assigned"] if self.is_assigned and not self.assignees else []]
        return [group for group in groups if group]

    def are_only(self, *fields: str) -> bool:
        """Return whether all other fields are None."""
        return all(value is None for field, value in vars(self).items() if field not in fields)


def parse(parameters: Parameters, is_public_only: bool = False) -> Filters:
    """Take the filters out of the parameters, which collect the errors.

    With `is_public_only` searches do not find internal comments.
    """
    search, search_in = (
        parameters.one("search", search_words.parse, None),
        parameters.one("search_in", _search_in, None),
    )
    in_comments = search is not None and search_in is not None
    parsed = Filters(
        search=search,
        search_in=search_in if in_comments else None,
        without_internal=True if in_comments and is_public_only else None,
        categories=parameters.choices("category", CATEGORIES),
        priorities=parameters.choices("priority", PRIORITIES),
        statuses=parameters.choices("status", STATUSES),
        created_since=parameters.one("created_since", in_utc, None),
        created_before=parameters.one("created_before", in_utc, None),
        updated_since=parameters.one("updated_since", in_utc, None),
        updated_before=parameters.one("updated_before", in_utc, None),
        requesters=parameters.texts("requester", values.person),
        assignees=parameters.texts("assignee", values.person),
        is_assigned=parameters.one("assigned", switch, None),
        tags=parameters.texts("tags", values.tag, are_entries=True),
        all_tags=parameters.texts("tags_all", values.tag, are_entries=True),
        metadata=parameters.members("metadata", values.metadata_key, values.metadata_value),
        duplicate_of=parameters.texts("duplicate_of", values.ticket_id, are_entries=True),
    )
    _check_window(parameters, "created", parsed.created_since, parsed.created_before)
    _check_window(parameters, "updated", parsed.updated_since, parsed.updated_before)
    return parsed


def _search_in(text: str) -> str | None:
    """Return where to search; None for the default."""
    if text not in SEARCH_IN:
        raise ValueError(f"must be one of {', '.join(SEARCH_IN)}")
    return None if text == "text" else text


def _check_window(parameters: Parameters, what: str, since: str | None, before: str | None) -> None:
    """Check that a window is not empty. Its times are in a form whose order is that of time."""
    if since and before and since >= before:
        parameters.add_error(f"{what}_since", f"must be before {what}_before.", "not_allowed")

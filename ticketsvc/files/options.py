"""The options of an import: which columns hold the fields, what their values mean, and the zone of their times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.validation.parameters import Parameters

FIELDS = (
    *("title", "description", "category", "priority", "status", "created_at", "updated_at", "resolved_at"),
    *("requester", "assignee", "tags", "metadata", "first_response_at"),
)
LABELS = {"category": CATEGORIES, "priority": PRIORITIES, "status": STATUSES}
OTHER_VALUES = "*"
"""The value that stands for all that are neither mapped nor a label."""


@dataclass(frozen=True)
class Options:
    """The options of one import.

    `columns` are the columns of a field, the preferred one first, if they do not have its name. `labels` are the labels
    that values of other systems mean, by field and then by the value as `plain` returns it. Times without an offset
    are times of `zone`.
    """

    columns: Mapping[str, list[str]] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    zone: ZoneInfo | None = None


def parse(parameters: Parameters) -> Options:
    """Take the options out of the parameters, which collect the errors."""
    return Options(
        columns=_columns(parameters),
        labels={name: _labels(parameters, name, allowed) for name, allowed in LABELS.items()},
        zone=parameters.one("tz", _zone, None),
    )


def plain(name: str) -> str:
    """Return a name or value in the form in which they are compared: without surrounding space, in one letter case."""
    return name.replace("\ufeff", "").strip().casefold()


def _columns(parameters: Parameters) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for entry in parameters.entries("columns"):
        name, _, column = entry.partition(":")
        if plain(name) in FIELDS and plain(column):
            columns.setdefault(plain(name), []).append(column.strip())
        else:
            rule = f"must be like title:Subject,description:Body, with the fields {', '.join(FIELDS)}; not {entry}."
            parameters.add_error("columns", rule, "not_allowed")
    return columns


def _labels(parameters: Parameters, name: str, allowed: tuple[str, ...]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for entry in parameters.entries(f"map.{name}"):
        value, _, label = entry.rpartition(":")
        if plain(value) and plain(label) in allowed:
            labels[plain(value)] = plain(label)
        else:
            rule = f"must be like Value:{allowed[-1]},Other:{allowed[0]}, with the labels {', '.join(allowed)}"
            parameters.add_error(f"map.{name}", f"{rule}; not {entry}.", "not_allowed")
    return labels


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(_zones()[name.lower()])
    except KeyError:
        raise ValueError("must be the IANA name of a time zone, like Europe/Berlin, America/New_York or UTC") from None


@cache
def _zones() -> dict[str, str]:
    """Return the names of all zones by their lower case, without those whose meaning depends on the machine."""
    return {name.lower(): name for name in available_timezones() - {"Factory", "localtime"}}

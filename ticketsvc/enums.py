"""The closed vocabularies of a ticket, in the order in which responses list them (the contract's order).

Postgres holds the same values as enum types; tests/database/test_schema.py keeps the two equal.
"""

CATEGORIES = ("billing", "technical", "account", "general")
PRIORITIES = ("low", "medium", "high", "critical")
STATUSES = ("open", "in_progress", "resolved", "closed")

"""Many tickets at once: the lines of a file, read as they arrive. Each becomes a row that Postgres then judges."""

FORMATS = ("ndjson", "csv")
"""The kinds of files that are read and written."""

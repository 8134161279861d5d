"""Many tickets at once: files, read as they arrive. Each line becomes a row that Postgres then judges."""

from ticketsvc.bulk import comma_separated, ndjson

READERS = {"ndjson": ndjson.read, "csv": comma_separated.read}
"""How each kind of file is read."""

FORMATS = tuple(READERS)

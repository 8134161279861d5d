"""Many tickets at once: files, read as they arrive. Each line becomes a row that Postgres then judges."""

from ticketsvc.files import csv_reader, ndjson_reader

READERS = {"ndjson": ndjson_reader.read, "csv": csv_reader.read}
"""How each kind of file is read."""

FORMATS = tuple(READERS)

CHUNK_BYTES = 131_072
"""How much of a file is read at a time."""

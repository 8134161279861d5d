"""Readers of import files, which parse and validate files as they arrive."""

from ticketsvc.files import csv_reader, ndjson_reader

READERS = {"ndjson": ndjson_reader.read, "csv": csv_reader.read}
"""The reader of each file format."""

FORMATS = tuple(READERS)

CHUNK_BYTES = 131_072
"""The maximum number of bytes read from a file at a time."""

"""Runs a program of PostgreSQL on an embedded server: `python -m ticketsvc_dev.postgres DIRECTORY [PROGRAM [...]]`."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import parse_qsl, urlsplit

from ticketsvc_dev import embedded
from ticketsvc_dev.embedded.programs import find_program_files


def main(directory: str, program: str = "psql", *arguments: str) -> int:
    """Run a program with the server's address in libpq's variables. Return its exit status. Raises EmbeddedError.

    With DATABASE_SCHEMA it finds the tables of that schema.
    """
    path = find_program_files() / program
    if not path.exists():
        programs = ", ".join(sorted(each.name for each in path.parent.iterdir()))
        raise embedded.EmbeddedError(f"There is no program {program}. These are: {programs}.")
    url = urlsplit(embedded.start(f"{embedded.PREFIX}{directory}"))
    variables = {f"PG{name.upper()}": value for name, value in parse_qsl(url.query)}
    if schema := os.environ.get("DATABASE_SCHEMA"):
        variables["PGOPTIONS"] = f"-csearch_path={schema}"
    environment = {**os.environ, **variables, "PGDATABASE": url.path.strip("/")}
    return subprocess.run([path, *arguments], env=environment, check=False).returncode  # noqa: S603 -- the user's words


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except embedded.EmbeddedError as error:
        sys.exit(str(error))

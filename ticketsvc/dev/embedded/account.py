"""Who runs the embedded server: PostgreSQL refuses to be root, so root starts it as another system user."""

from __future__ import annotations

import logging
import os
import pwd
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)


class EmbeddedError(Exception):
    """The embedded server cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """A system user and its group."""

    user: int
    group: int


def prepare(directory: Path, program_files: Path) -> Account | None:
    """Make `directory` usable for a server; return the account that must run it, None for the caller's own.

    Raises EmbeddedError when the directory cannot be made or belongs to something else.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_foreign(directory)
        directory.chmod(0o700)  # the socket is in it and asks for no password
        return _hand_over(directory, program_files) if os.geteuid() == 0 else None
    except OSError as error:
        raise EmbeddedError(f"Cannot use {directory}: {error.strerror}. Choose another directory.") from error


def _refuse_foreign(directory: Path) -> None:
    names = {path.name for path in directory.iterdir()}
    # "users" is the first file ever made in it. Handing over someone's home or project would be a disaster.
    if names and "users" not in names:
        raise EmbeddedError(
            f"{directory} holds other files, so it cannot be the embedded server's: name a new directory."
        )


def _hand_over(directory: Path, program_files: Path) -> Account:
    """Give the directory to a user other than root; one that belongs to such a user already stays theirs."""
    owner = directory.stat()
    if owner.st_uid == 0:
        account = _unprivileged()
        os.chown(directory, account.user, account.group)
    else:
        account = Account(owner.st_uid, owner.st_gid)
    for path in (directory, program_files / "postgres"):
        make_reachable(path)
    return account


def _unprivileged() -> Account:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedError("PostgreSQL refuses to run as root and there is no user nobody: start as a normal user.")


def make_reachable(path: Path) -> None:
    """Let other users pass through (not list) the directories above `path`, and say so."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)
            logger.warning("chmod o+x %s: PostgreSQL does not run as root and must reach %s", parent, path)

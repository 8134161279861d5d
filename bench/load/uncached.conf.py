"""gunicorn.conf.py, but workers ask the database about the API key of every call."""

from pathlib import Path
from typing import Any

exec(compile(Path("gunicorn.conf.py").read_text(), "gunicorn.conf.py", "exec"))


def post_worker_init(worker: Any) -> None:
    """Take no key for valid without asking."""
    from ticketsvc.api.auth import key_cache

    key_cache.TTL_SECONDS = 0.0

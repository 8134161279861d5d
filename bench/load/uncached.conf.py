"""gunicorn.conf.py, but without the cache of API keys: every request reads its key from the database."""

from pathlib import Path
from typing import Any

exec(compile(Path("gunicorn.conf.py").read_text(), "gunicorn.conf.py", "exec"))


def post_worker_init(worker: Any) -> None:
    """Expire cached keys at once."""
    from ticketsvc.api.auth import key_cache

    key_cache.TTL_SECONDS = 0.0

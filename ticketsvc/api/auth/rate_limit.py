"""Rate limits, where RATE_LIMIT is set: so many calls in a window for each key, without keys for each address.

The windows are counted in Postgres, for all workers and instances together; one starts with the caller's first call.
The header fields are those of draft-ietf-httpapi-ratelimit-headers-11.
"""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from ticketsvc import background
from ticketsvc.api.auth import scopes
from ticketsvc.api.auth.client_ip import TrustedProxies
from ticketsvc.config import Config, RateLimit
from ticketsvc.problems import Problem, QuotaExceeded
from ticketsvc.server.middleware import API_KEY_NAME
from ticketsvc.services import services
from ticketsvc.store import rate_limits

PRUNE_SECONDS = 60.0
"""How often each worker deletes the windows that are over."""
AWAY_SECONDS = 5.0
"""How long calls are not counted after the database could not count one: they find out by themselves."""

logger = logging.getLogger(__name__)


def register(app: Flask, config: Config, limit: RateLimit) -> None:
    """Limit the calls of an application, but health."""
    limiter = Limiter(limit, TrustedProxies(config.trusted_proxies))
    app.before_request(limiter.check)
    app.after_request(limiter.tell)


class Limiter:
    """Counts calls; one for each worker."""

    def __init__(self, limit: RateLimit, proxies: TrustedProxies) -> None:
        self._limit = limit
        self._proxies = proxies
        self._policy = f'"default";q={limit.quota};w={limit.window}'
        self._prune_at = self._back_at = time.monotonic()

    def check(self) -> None:
        """Count the call. Raises QuotaExceeded."""
        now = time.monotonic()
        if not scopes.is_limited(request.endpoint) or request.method == "OPTIONS" or now < self._back_at:
            return
        database = services().database
        try:
            used, seconds = rate_limits.take(database, self._subject(), self._limit.window)
        except Problem:
            logger.warning("calls are not counted: the database does not answer")
            self._back_at = now + AWAY_SECONDS
            return
        g.rate_limit = f'"default";r={max(0, self._limit.quota - used)};t={seconds}'
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_SECONDS
            background.start(lambda: rate_limits.prune(database))
        if used > self._limit.quota:
            allowed = f"{self._limit.quota:,} calls in {self._limit.window:,} seconds"
            detail = f"More than {allowed} are not allowed. Try again in {seconds} seconds."
            raise QuotaExceeded(detail, {"Retry-After": str(seconds)})

    def tell(self, response: Response) -> Response:
        """Say in the answer to a call that was counted what is left."""
        if "rate_limit" in g:
            response.headers["RateLimit-Policy"] = self._policy
            response.headers["RateLimit"] = g.rate_limit
        return response

    def _subject(self) -> str:
        key = request.environ.get(API_KEY_NAME)
        return f"key {key}" if key else f"address {self._proxies.caller(request.environ)}"

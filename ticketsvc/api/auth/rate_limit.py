"""Rate limits, enabled by RATE_LIMIT: a quota of requests per window for each API key, or each address without one.

Postgres counts the requests, so that all workers and instances share one window. It starts with the client's first
request. The header fields are those of draft-ietf-httpapi-ratelimit-headers-11.
"""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from ticketsvc.api.auth import scopes
from ticketsvc.api.auth.client_ip import TrustedProxies
from ticketsvc.config import Config, RateLimit
from ticketsvc.problems import Problem, QuotaExceeded
from ticketsvc.server.middleware import API_KEY_NAME
from ticketsvc.services import services
from ticketsvc.store import rate_limits

RETRY_SECONDS = 5.0
"""After a failed count, requests are not counted for this long: they would wait for a database that is down."""

logger = logging.getLogger(__name__)


def register(app: Flask, config: Config, limit: RateLimit) -> None:
    """Limit the requests to an application."""
    limiter = Limiter(limit, TrustedProxies(config.trusted_proxies))
    app.before_request(limiter.check)
    app.after_request(limiter.add_headers)


class Limiter:
    """Counts requests. Each worker has one."""

    def __init__(self, limit: RateLimit, proxies: TrustedProxies) -> None:
        self._limit = limit
        self._proxies = proxies
        self._policy = f'"default";q={limit.quota};w={limit.window}'
        self._retry_at = time.monotonic()

    def check(self) -> None:
        """Count the request. Raises QuotaExceeded."""
        now = time.monotonic()
        if not scopes.is_limited(request.endpoint) or request.method == "OPTIONS" or now < self._retry_at:
            return
        try:
            used, seconds = rate_limits.take(services().database, self._client(), self._limit.window)
        except Problem:
            logger.warning("requests are not counted: the database is unavailable")
            self._retry_at = now + RETRY_SECONDS
            return
        g.rate_limit = f'"default";r={max(0, self._limit.quota - used)};t={seconds}'
        if used > self._limit.quota:
            quota = f"{self._limit.quota:,} requests in {self._limit.window:,} seconds"
            detail = f"The quota of {quota} is used up. Try again in {seconds} seconds."
            raise QuotaExceeded(detail, {"Retry-After": str(seconds)})

    def add_headers(self, response: Response) -> Response:
        """Add the remaining quota to the response if the request was counted."""
        if "rate_limit" in g:
            response.headers["RateLimit-Policy"] = self._policy
            response.headers["RateLimit"] = g.rate_limit
        return response

    def _client(self) -> str:
        key = request.environ.get(API_KEY_NAME)
        return f"key {key}" if key else f"address {self._proxies.client_ip(request.environ)}"

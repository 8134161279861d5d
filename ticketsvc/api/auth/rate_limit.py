"""Rate limits, enabled by RATE_LIMIT: a quota of requests per window for each API key, or each address without one.

Postgres counts the requests, so that all workers and instances share one window. It starts with the client's first
request. While Postgres cannot count, each worker does by itself. The header fields are those of
draft-ietf-httpapi-ratelimit-headers-11.
"""

from __future__ import annotations

import logging
import math
import time

from flask import Flask, Response, g, request

from ticketsvc.api.auth import access, clients, scopes
from ticketsvc.api.auth.client_ip import TrustedProxies
from ticketsvc.api.auth.throttle import ClientThrottle
from ticketsvc.config import Config, RateLimit
from ticketsvc.problems import Problem, QuotaExceeded
from ticketsvc.services import services
from ticketsvc.store import rate_limits

RETRY_SECONDS = 5.0
"""After a failed count, each worker counts by itself for this long, so that requests do not wait for the database."""

logger = logging.getLogger(__name__)


def register(app: Flask, config: Config, limit: RateLimit) -> None:
    """Limit the requests to an application."""
    limiter = Limiter(limit, TrustedProxies(config.trusted_proxies))
    app.before_request(limiter.check)
    access.add_check(app, lambda _: limiter.count())
    app.after_request(limiter.add_headers)


class Limiter:
    """Counts requests. Each worker has one."""

    def __init__(self, limit: RateLimit, proxies: TrustedProxies) -> None:
        self._limit = limit
        self._proxies = proxies
        self._policy = f'"default";q={limit.quota};w={limit.window}'
        self._throttle = ClientThrottle(limit.quota, limit.window / limit.quota)
        self._retry_at = time.monotonic()

    def check(self) -> None:
        """Count the request if its route is limited. Raises QuotaExceeded."""
        if scopes.is_limited() and request.method != "OPTIONS":
            self.count()

    def count(self) -> None:
        """Count the request. Raises QuotaExceeded."""
        now = time.monotonic()
        client = clients.name(request.environ, self._proxies)
        if now < self._retry_at:
            self._count_here(client, self._throttle.wait(client))
            return
        try:
            used, seconds = rate_limits.take(services().database, client, self._limit.window)
        except Problem:
            logger.warning("each worker counts requests by itself: the database is busy or unavailable")
            self._retry_at = now + RETRY_SECONDS
            self._count_here(client, self._throttle.wait(client))
            return
        g.rate_limit = f'"default";r={max(0, self._limit.quota - used)};t={seconds}'
        if used > self._limit.quota:
            raise self._exceeded(seconds)
        self._count_here(client, self._throttle.wait_for_site(client))

    def add_headers(self, response: Response) -> Response:
        """Add the remaining quota to the response if the request was counted."""
        if "rate_limit" in g:
            response.headers["RateLimit-Policy"] = self._policy
            response.headers["RateLimit"] = g.rate_limit
        return response

    def _count_here(self, client: str, wait: float) -> None:
        """Count a request in this worker, unless the client must wait first."""
        if wait:
            raise self._exceeded(math.ceil(wait))
        self._throttle.add(client)

    def _exceeded(self, seconds: int) -> QuotaExceeded:
        quota = f"{self._limit.quota:,} requests in {self._limit.window:,} seconds"
        detail = f"The quota of {quota} is used up. Try again in {seconds} seconds."
        return QuotaExceeded(detail, {"Retry-After": str(seconds)})

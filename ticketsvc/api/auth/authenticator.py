"""Authentication with API keys as bearer tokens (RFC 6750), enabled by REQUIRE_API_KEY."""

from __future__ import annotations

import math
from functools import partial
from threading import BoundedSemaphore

from flask import Flask, has_request_context, request

from ticketsvc.api.auth import access, scopes
from ticketsvc.api.auth.client_ip import TrustedProxies
from ticketsvc.api.auth.key_cache import KeyCache
from ticketsvc.api.auth.throttle import ClientThrottle
from ticketsvc.api.current import current_request
from ticketsvc.config import Config
from ticketsvc.problems import InsufficientScope, TooManyAttempts, Unauthorized, Unavailable
from ticketsvc.server import logs
from ticketsvc.server.middleware import API_KEY_NAME
from ticketsvc.store import keys
from ticketsvc.store.history import Author

BURST = 10
"""Failures that an address may have at once before it must wait."""
RECOVERY_SECONDS = 6.0
"""Seconds until one more attempt is allowed: ten per minute."""
LOOKUPS = 2
"""Look-ups at the same time of keys that a worker does not know. Each takes a millisecond: valid ones hardly wait."""

_PUBLIC_ONLY, _SCOPE = "ticketsvc.public_only", "ticketsvc.scope"
_CHALLENGE = 'Bearer realm="tickets"'


def register(app: Flask, config: Config) -> None:
    """Require a key with the scope of the route for every request to an application."""
    database = app.extensions["ticketsvc"].database
    cache = KeyCache(partial(keys.find, database), partial(keys.touch, database))
    authenticator = Authenticator(cache, TrustedProxies(config.trusted_proxies), config.pool_timeout)
    app.before_request(authenticator.authenticate)
    access.add_check(app, authenticator.require)


def author() -> Author:
    """Return the author of the changes that this request makes."""
    return Author(current_request().environ.get(API_KEY_NAME), logs.request_id.get())


def may(scope: str) -> bool:
    """Return whether the key of this request includes a scope. Without a key everything is allowed."""
    return scopes.includes(current_request().environ.get(_SCOPE, keys.SCOPES[-1]), scope)


def key_digest() -> str | None:
    """Return the digest of the key of this request, or None if keys are not required."""
    return keys.digest(_bearer_token()) if API_KEY_NAME in request.environ else None


def is_public_only() -> bool:
    """Return whether the key of this request hides internal comments. Without a key nothing is."""
    return has_request_context() and _PUBLIC_ONLY in current_request().environ


def require_internal_allowed() -> None:
    """Raise InsufficientScope if the key of this request is limited to public comments."""
    if is_public_only():
        raise InsufficientScope(
            "This key is limited to public comments. Leave out `internal`, or use another key.",
            {"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope"'},
        )


class Authenticator:
    """Checks the key of every request. Each worker has one."""

    def __init__(self, cache: KeyCache, proxies: TrustedProxies, lookup_timeout: float) -> None:
        self._cache = cache
        self._throttle = ClientThrottle(BURST, RECOVERY_SECONDS)
        self._proxies = proxies
        self._lookups = BoundedSemaphore(LOOKUPS)
        self._lookup_timeout = lookup_timeout

    def authenticate(self) -> None:
        """Require a key with the scope of the route. Raises as `require` does."""
        if not scopes.is_open() and request.method != "OPTIONS":  # CORS preflight requests carry no key
            self.require(scopes.needed(request.endpoint))

    def require(self, needed: str) -> None:
        """Store the key's name and scope in the WSGI environment.

        Raises Unauthorized, InsufficientScope or TooManyAttempts.
        """
        key = self._find(_bearer_token())
        request.environ[API_KEY_NAME], request.environ[_SCOPE] = key.name, key.scope
        if key.public_only:
            request.environ[_PUBLIC_ONLY] = True
        if not scopes.includes(key.scope, needed):
            raise InsufficientScope(
                f"This request needs a key with the scope {needed}; the scope of this key is {key.scope}.",
                {"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope", scope="{needed}"'},
            )

    def _find(self, token: str) -> keys.Key:
        digest = keys.digest(token)
        key = self._cache.find(digest) if digest in self._cache else self._look_up(digest)
        if key is None:
            self._count_failure()
            challenge = f'{_CHALLENGE}, error="invalid_token", error_description="unknown or revoked"'
            raise Unauthorized("The API key is unknown or revoked.", {"WWW-Authenticate": challenge})
        return key

    def _look_up(self, digest: str) -> keys.Key | None:
        """Look up a key that may be unknown; not many at once, so that clients with such keys do not take the pool."""
        if not self._lookups.acquire(timeout=self._lookup_timeout):
            raise Unavailable("Too many unknown keys are being looked up.")
        try:
            return self._cache.find(digest)
        finally:
            self._lookups.release()

    def _count_failure(self) -> None:
        """Count an unknown key. Raises TooManyAttempts; only here, so that no failure locks out a valid key."""
        address = self._proxies.client_ip(request.environ)
        if wait := math.ceil(self._throttle.wait(address)):
            detail = f"Too many requests with unknown keys came from this address. Try again in {wait} seconds."
            raise TooManyAttempts(detail, {"Retry-After": str(wait)})
        self._throttle.add(address)


def _bearer_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        detail = "An API key is needed. Send it as: Authorization: Bearer KEY. `flask keys add` creates keys."
        raise Unauthorized(detail, {"WWW-Authenticate": _CHALLENGE})
    return token.strip()

"""Who may call: API keys as bearer tokens (RFC 6750), where REQUIRE_API_KEY is on."""

from __future__ import annotations

import math
from functools import partial

from flask import Flask, request

from ticketsvc.api.auth import scopes
from ticketsvc.api.auth.client_ip import TrustedProxies
from ticketsvc.api.auth.failure_throttle import FailureThrottle
from ticketsvc.api.auth.key_cache import KeyCache
from ticketsvc.config import Config
from ticketsvc.problems import InsufficientScope, TooManyAttempts, Unauthorized
from ticketsvc.server import logs
from ticketsvc.server.logs import CALLER
from ticketsvc.store import keys
from ticketsvc.store.history import Author

_CHALLENGE = 'Bearer realm="tickets"'


def register(app: Flask, config: Config) -> None:
    """Let only those call who have a key with the scope that the route needs."""
    database = app.extensions["ticketsvc"].database
    keyring = KeyCache(partial(keys.find, database), partial(keys.touch, database))
    gate = Authenticator(keyring, FailureThrottle(), TrustedProxies(config.trusted_proxies))
    app.before_request(gate.check)


def author() -> Author:
    """Who makes the change that is asked for."""
    return Author(request.environ.get(CALLER), logs.request_id.get())


class Authenticator:
    """Stands before every route; one for each worker."""

    def __init__(self, keyring: KeyCache, attempts: FailureThrottle, proxies: TrustedProxies) -> None:
        self._keyring = keyring
        self._attempts = attempts
        self._proxies = proxies

    def check(self) -> None:
        """Raises Unauthorized, InsufficientScope and TooManyAttempts; otherwise notes the key's name."""
        needed = scopes.needed(request.endpoint)
        if needed == scopes.OPEN or request.method == "OPTIONS":  # a browser's preflight has no key
            return
        key = self._key(_bearer_token())
        request.environ[CALLER] = key.name
        if not scopes.includes(key.scope, needed):
            raise InsufficientScope(
                f"This call needs a key with the scope {needed}; the scope of this one is {key.scope}.",
                {"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope", scope="{needed}"'},
            )

    def _key(self, token: str) -> keys.Key:
        digest = keys.digest(token)
        # No stranger behind the same address locks the owner of a key out
        key = self._keyring.find(digest) if self._keyring.has_seen(digest) else self._try(digest)
        if key is None:
            challenge = f'{_CHALLENGE}, error="invalid_token", error_description="unknown or revoked"'
            raise Unauthorized("The API key is not known, or was revoked.", {"WWW-Authenticate": challenge})
        return key

    def _try(self, digest: str) -> keys.Key | None:
        address = self._proxies.caller(request.environ)
        if wait := math.ceil(self._attempts.wait(address)):
            detail = f"Too many calls with unknown keys came from this address. Try again in {wait} seconds."
            raise TooManyAttempts(detail, {"Retry-After": str(wait)})
        key = self._keyring.find(digest)
        if key is None:
            self._attempts.add(address)
        return key


def _bearer_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        detail = "An API key is needed. Send it as: Authorization: Bearer KEY. Keys are made with `flask keys add`."
        raise Unauthorized(detail, {"WWW-Authenticate": _CHALLENGE})
    return token.strip()

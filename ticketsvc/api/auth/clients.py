"""The client of a request: its API key, or its address without one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import Flask, has_request_context

from ticketsvc.api.auth.client_ip import TrustedProxies
from ticketsvc.api.current import current_request
from ticketsvc.config import Config
from ticketsvc.server.connections import has_left
from ticketsvc.server.middleware import API_KEY_NAME
from ticketsvc.store.shares import Client

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def register(app: Flask, config: Config) -> None:
    """Tell the database which client it works for."""
    proxies = TrustedProxies(config.trusted_proxies)
    app.extensions["ticketsvc"].database.client = partial(_current, proxies)


def name(environ: WSGIEnvironment, proxies: TrustedProxies) -> str:
    """Return the name that limits count for."""
    key = environ.get(API_KEY_NAME)
    return f"key {key}" if key else f"address {proxies.client_ip(environ)}"


class RequestClient(Client):
    """The client of a request."""

    def __init__(self, environ: WSGIEnvironment, proxies: TrustedProxies) -> None:
        self._environ = environ
        self._proxies = proxies

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name that limits count for."""
        return name(self._environ, self._proxies)

    @property
    def position(self) -> str:  # type: ignore[override]
        """The position that the client sent, in its words."""
        return str(self._environ.get("HTTP_X_TICKETS_LSN", ""))

    def has_left(self) -> bool:
        """Return whether the client closed the connection (`connections.has_left`). Without gunicorn none has."""
        connection = self._environ.get("gunicorn.socket")
        return connection is not None and has_left(connection)


def _current(proxies: TrustedProxies) -> Client:
    return RequestClient(current_request().environ, proxies) if has_request_context() else Client()

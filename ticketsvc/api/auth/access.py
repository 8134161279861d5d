"""The checks of a request to an open route whose content decides what it needs: its view calls `require`."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, current_app

_CHECKS = "ticketsvc.checks"


def add_check(app: Flask, check: Callable[[str], None]) -> None:
    """Add a function that takes the scope that a request needs, and raises a problem if the request is refused."""
    app.extensions.setdefault(_CHECKS, []).append(check)


def require(scope: str) -> None:
    """Require a key with this scope, and count the request towards the rate limit, as far as the settings say so.

    Raises Unauthorized, InsufficientScope, TooManyAttempts, QuotaExceeded and Unavailable.
    """
    for check in current_app.extensions.get(_CHECKS, ()):
        check(scope)

"""Protection of people whose browsers can reach the service from pages of other sites.

Such a page cannot read responses (see `output.cors`), but its requests would be served, and without API keys nothing
else tells them from those of the console. Programs other than browsers send none of the fields that are checked here.
"""

from __future__ import annotations

from flask import Flask

from ticketsvc.api.auth import scopes
from ticketsvc.api.current import current_request
from ticketsvc.config import Config
from ticketsvc.problems import CrossSiteRequest, UnknownHost

HEALTH = ("health.live", "health.ready")
"""Endpoints that are served under any host name: probes use addresses."""


def register(app: Flask, config: Config) -> None:
    """Refuse requests of other sites, and with ALLOWED_HOSTS those for other hosts."""
    if config.allowed_hosts:
        hosts = frozenset(config.allowed_hosts)
        app.before_request(lambda: _require_host(hosts))
    if "*" not in config.cors_origins:
        origins = frozenset(config.cors_origins)
        app.before_request(lambda: _require_same_site(origins))


def _require_host(allowed: frozenset[str]) -> None:
    """Check the host name, without its port. Raises UnknownHost.

    A page can let its own name resolve to the address of the service, and then has its origin (DNS rebinding).
    """
    request = current_request()
    host = request.environ.get("HTTP_HOST", "").lower()
    name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    if name not in allowed and request.endpoint not in HEALTH:
        raise UnknownHost("The service is not known by this host name. ALLOWED_HOSTS lists its names.")


def _require_same_site(allowed: frozenset[str]) -> None:
    """Check which site a browser sends the request for. Raises CrossSiteRequest.

    A link or bookmark may lead to a GET. Older browsers, and all on plain HTTP, send no Sec-Fetch-Site: for these the
    origin counts, which they send with every request that is not a GET.
    """
    request = current_request()
    environ = request.environ
    site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
    if (site is None and origin is None) or request.method == "OPTIONS" or origin in allowed:
        return
    reads = request.method in ("GET", "HEAD")
    if site in ("cross-site", "same-site"):
        is_link = environ.get("HTTP_SEC_FETCH_MODE") == "navigate" and environ.get("HTTP_SEC_FETCH_DEST") == "document"
        refused = not (reads and (is_link or scopes.needed(request.endpoint) == scopes.OPEN))
    else:
        own = environ.get("HTTP_HOST", "").lower()
        refused = site is None and not reads and (origin or "").partition("://")[2].lower() != own
    if refused:
        raise CrossSiteRequest(
            "A page of another site sent this request. If it may use the API, list its origin in CORS_ORIGINS. If it is"
            " the console, let the proxy in front of the service pass the Host field on."
        )

"""Cross-origin requests by browsers (the CORS protocol of the Fetch standard), for the origins in CORS_ORIGINS."""

from __future__ import annotations

from flask import Flask, Response, request

EXPOSED = (
    "Accept-Patch, ETag, Idempotent-Replayed, Ignored-Members, Link, Location, Preference-Applied, RateLimit, "
    "RateLimit-Policy, Retry-After, WWW-Authenticate, X-Last-Event-Id, X-Request-Id, X-Tickets-LSN, X-Total-Count"
)
METHODS = "GET, HEAD, POST, PATCH, DELETE"
REQUEST_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, MCP-Protocol-Version, "
    "Mcp-Method, Mcp-Name, Prefer, X-Request-Id, X-Tickets-LSN"
)
PREFLIGHT_SECONDS = 7200


def register(app: Flask, origins: tuple[str, ...]) -> None:
    """Allow pages of these origins to send requests and read the responses; "*" allows all origins."""

    def add_headers(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if origin and (origin in origins or "*" in origins):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
            if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
                response.headers["Access-Control-Allow-Methods"] = METHODS
                response.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
                response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
        return response

    app.after_request(add_headers)

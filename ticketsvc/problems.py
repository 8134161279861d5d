"""Errors that clients see, as problem documents (RFC 9457).

The base exception carries status, type and title; `ticketsvc.api.output.errors` writes the document. The store raises
these exceptions too, so that no error of the database driver leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple
from urllib.parse import quote

from ticketsvc import compact_json


class Problem(Exception):
    """The base of all problems. `detail` is a sentence for people; `headers` are added to the response."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]

    def __init_subclass__(cls, status: int, slug: str, title: str) -> None:
        cls.status, cls.slug, cls.title = status, slug, title

    def __init__(self, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}

    @classmethod
    def uri(cls) -> str:
        """Return the problem's type, which is where it is documented."""
        return f"/docs/errors#{cls.slug}"

    def json(self, instance: str) -> str:
        """Return the problem document of a request for the path `instance`."""
        return compact_json.encode(self.document(instance))

    def document(self, instance: str) -> dict[str, object]:
        """Return the members of the problem document. `error` repeats `detail` for clients of the replaced backend."""
        return {
            "type": self.uri(),
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "error": self.detail,
        }


@dataclass(frozen=True)
class FieldError:
    """An error in the input. `where` is {"pointer": JSON pointer} or {"parameter": name}."""

    where: dict[str, str]
    detail: str
    code: str

    @classmethod
    def in_field(cls, field: str, detail: str, code: str) -> FieldError:
        """Return an error of a member of the body. The pointer is a URI fragment as in RFC 9457 section 3."""
        token = field.replace("~", "~0").replace("/", "~1")
        return cls({"pointer": f"#/{quote(token)}"}, detail, code)

    @classmethod
    def in_parameter(cls, name: str, detail: str, code: str) -> FieldError:
        """Return an error of a query parameter."""
        return cls({"parameter": name}, detail, code)


class LineError(NamedTuple):
    """An error in a file. `line` is the first line of the record; `pointer` is "#" if the whole record is invalid."""

    line: int
    pointer: str
    detail: str
    code: str


class InvalidInput(Problem, status=400, slug="invalid-input", title="Invalid input"):
    """The input breaks rules. All errors are listed at once."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(" ".join(error.detail for error in errors))
        self.errors = errors

    def document(self, instance: str) -> dict[str, object]:
        """Add the errors to the document."""
        errors = [{**error.where, "detail": error.detail, "code": error.code} for error in self.errors]
        return {**super().document(instance), "errors": errors}


class InvalidFile(Problem, status=400, slug="invalid-file", title="Invalid file"):
    """Lines of a file break rules. `errors` has the first of `total_errors`, which are in `faulty_lines` lines.

    `is_complete` is false if the rest of the file was not read.
    """

    def __init__(self, errors: list[LineError], total_errors: int, faulty_lines: int, is_complete: bool) -> None:
        detail = f"Nothing was imported. Errors: {total_errors:,}, in lines: {faulty_lines:,}."
        if len(errors) < total_errors:
            detail += f" The first {len(errors):,} errors are listed."
        if not is_complete:
            detail += " The rest of the file was not read."
        super().__init__(detail)
        self.errors, self.total_errors, self.faulty_lines = errors, total_errors, faulty_lines

    def document(self, instance: str) -> dict[str, object]:
        """Add the errors and their totals to the document."""
        totals = {"total_errors": self.total_errors, "faulty_lines": self.faulty_lines}
        return {**super().document(instance), **totals, "errors": [error._asdict() for error in self.errors]}


class MalformedBody(Problem, status=400, slug="malformed-body", title="Malformed body"):
    """The body is not a JSON object."""


class NotFound(Problem, status=404, slug="not-found", title="Not found"):
    """There is nothing with the id, or at the path."""


class MethodNotAllowed(Problem, status=405, slug="method-not-allowed", title="Method not allowed"):
    """The resource does not support the method."""


class Unauthorized(Problem, status=401, slug="unauthorized", title="A valid API key is needed"):
    """The request has no API key, or an invalid one."""


class InsufficientScope(Problem, status=403, slug="insufficient-scope", title="The API key does not allow this"):
    """The API key is valid, but its scope is insufficient, or it is limited to public comments."""


class CrossSiteRequest(Problem, status=403, slug="cross-site-request", title="Request from another site"):
    """A browser sent the request for a page of another site, which CORS_ORIGINS does not list."""


class NotAcceptable(Problem, status=406, slug="not-acceptable", title="Not acceptable"):
    """The client does not accept the media type of the response."""


class CreateInProgress(
    Problem, status=409, slug="create-in-progress", title="A request with this idempotency key is in progress"
):
    """Another request with the same idempotency key is in progress."""


class TooManyMatches(Problem, status=409, slug="too-many-matches", title="Too many tickets match"):
    """More tickets match the filters than a bulk update may change."""


class EventsGone(Problem, status=410, slug="events-gone", title="The events after this id are gone"):
    """Events after the id have been deleted, or the database was restored from a copy that does not know the id."""

    def __init__(self) -> None:
        super().__init__(
            "The events after this id are no longer kept. Send a request with after=latest, take a new snapshot of the"
            " tickets (/api/tickets/export), then continue from the X-Last-Event-Id of the first response."
        )


class TooManyWebhooks(Problem, status=409, slug="too-many-webhooks", title="Too many webhooks"):
    """There are as many webhooks as there may be."""


class WebhookDisabled(Problem, status=409, slug="webhook-disabled", title="The webhook is disabled"):
    """A delivery of a webhook that is disabled cannot be repeated."""


class VersionMismatch(Problem, status=412, slug="version-mismatch", title="The ticket has changed"):
    """The current version of the ticket, `version`, does not match If-Match."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"The ticket has changed: its version is now {version}. Read it again, and send the change with its new "
            "ETag."
        )
        self.version = version


class PreconditionFailed(Problem, status=412, slug="precondition-failed", title="Precondition failed"):
    """If-None-Match has the current version, or If-Match has no tag of this content."""


class BodyTooLarge(Problem, status=413, slug="body-too-large", title="Body too large"):
    """The body exceeds MAX_BODY_BYTES, or an import MAX_IMPORT_BYTES."""


class UriTooLong(Problem, status=414, slug="uri-too-long", title="URI too long"):
    """The request line exceeds the limit of the server."""


class UnknownHost(Problem, status=421, slug="unknown-host", title="Unknown host"):
    """The host that the request names is not in ALLOWED_HOSTS."""


class KeyReused(Problem, status=422, slug="idempotency-key-reused", title="Idempotency key used for another body"):
    """The idempotency key was used with another body."""


class TooManyAttempts(Problem, status=429, slug="too-many-failed-attempts", title="Too many failed attempts"):
    """Too many requests with invalid keys came from an address."""


class QuotaExceeded(Problem, status=429, slug="quota-exceeded", title="Quota exceeded"):
    """The client has used up RATE_LIMIT."""


class HeadersTooLarge(Problem, status=431, slug="headers-too-large", title="Header fields too large"):
    """The header fields exceed a limit of the server."""


class UnsupportedMediaType(Problem, status=415, slug="unsupported-media-type", title="Unsupported media type"):
    """The route does not accept the media type of the body."""


class Unavailable(Problem, status=503, slug="unavailable", title="Temporarily unavailable"):
    """The database is unavailable, overloaded or too slow. The same request may succeed later."""

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(f"{detail} Try again in {retry_after} seconds.", {"Retry-After": str(retry_after)})


class NotConfirmed(Problem, status=503, slug="not-confirmed", title="Stored here, not yet confirmed elsewhere"):
    """The change is stored, but no synchronous standby of the database has confirmed in time that it has it, too.

    It is lost only if the database's server is, before the standby is back.
    """

    def __init__(self) -> None:
        super().__init__(
            "The change is stored here, but not yet confirmed elsewhere: the synchronous standby of the database does"
            " not respond. Send a create again only with its Idempotency-Key: that returns what is stored.",
            {"Retry-After": "5"},
        )


class UnsupportedTransferCoding(
    Problem, status=501, slug="unsupported-transfer-coding", title="Unsupported transfer coding"
):
    """The body has a transfer coding other than chunked."""


class BadRequest(Problem, status=400, slug="bad-request", title="Bad request"):
    """The request violates HTTP."""


class InternalError(Problem, status=500, slug="internal-error", title="Internal error"):
    """A defect of the service. Its log line has the same request id."""

    def __init__(self) -> None:
        super().__init__("The service has a defect. Report it with the X-Request-Id of this response.")

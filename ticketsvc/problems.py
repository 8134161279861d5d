"""Errors that clients see, as problem documents (RFC 9457).

The base exception carries status, type and title; `ticketsvc.api.output.errors` writes the document. The store raises
these exceptions too, so that no error of the database driver leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple


class Problem(Exception):
    """The base of all problems. `detail` is a sentence for people; `headers` are added to the response."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}

    @classmethod
    def uri(cls) -> str:
        """Return the problem's type, which is where it is documented."""
        return f"/docs/errors#{cls.slug}"

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
        return cls({"pointer": f"#/{field}"}, detail, code)

    @classmethod
    def in_parameter(cls, name: str, detail: str, code: str) -> FieldError:
        """Return an error of a query parameter."""
        return cls({"parameter": name}, detail, code)


class LineError(NamedTuple):
    """An error in a file. `line` is the first line of the record; `field` is "" if the whole record is invalid."""

    line: int
    field: str
    detail: str
    code: str


class InvalidInput(Problem):
    """The input breaks rules. All errors are listed at once."""

    status = 400
    slug = "invalid-input"
    title = "Invalid input"

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(" ".join(error.detail for error in errors))
        self.errors = errors

    def document(self, instance: str) -> dict[str, object]:
        """Add the errors to the document."""
        errors = [{**error.where, "detail": error.detail, "code": error.code} for error in self.errors]
        return {**super().document(instance), "errors": errors}


class InvalidFile(Problem):
    """Lines of a file break rules. `errors` has the first of `total_errors`, which are in `faulty_lines` lines."""

    status = 400
    slug = "invalid-file"
    title = "Invalid file"

    def __init__(self, errors: list[LineError], total_errors: int, faulty_lines: int) -> None:
        rest = "" if len(errors) == total_errors else f" The first {len(errors):,} errors are listed."
        super().__init__(f"Nothing was imported. Errors: {total_errors:,}, in lines: {faulty_lines:,}.{rest}")
        self.errors, self.total_errors, self.faulty_lines = errors, total_errors, faulty_lines

    def document(self, instance: str) -> dict[str, object]:
        """Add the errors and their totals to the document."""
        totals = {"total_errors": self.total_errors, "faulty_lines": self.faulty_lines}
        errors = [
            {"line": line, "pointer": f"#/{field}" if field else "#", "detail": detail, "code": code}
            for line, field, detail, code in self.errors
        ]
        return {**super().document(instance), **totals, "errors": errors}


class MalformedBody(Problem):
    """The body is not a JSON object."""

    status = 400
    slug = "malformed-body"
    title = "Malformed body"


class NotFound(Problem):
    """There is no ticket with the id, or nothing at the path."""

    status = 404
    slug = "not-found"
    title = "Not found"


class MethodNotAllowed(Problem):
    """The resource does not support the method."""

    status = 405
    slug = "method-not-allowed"
    title = "Method not allowed"


class Unauthorized(Problem):
    """The request has no API key, or an invalid one."""

    status = 401
    slug = "unauthorized"
    title = "A valid API key is needed"


class InsufficientScope(Problem):
    """The API key is valid, but its scope is insufficient."""

    status = 403
    slug = "insufficient-scope"
    title = "The API key does not allow this"


class NotAcceptable(Problem):
    """The client does not accept the media type of the response."""

    status = 406
    slug = "not-acceptable"
    title = "Not acceptable"


class CreateInProgress(Problem):
    """Another request with the same idempotency key is in progress."""

    status = 409
    slug = "create-in-progress"
    title = "A request with this idempotency key is in progress"


class VersionMismatch(Problem):
    """The current version of the ticket does not match If-Match."""

    status = 412
    slug = "version-mismatch"
    title = "The ticket has changed"


class BodyTooLarge(Problem):
    """The body exceeds MAX_BODY_BYTES, or an import MAX_IMPORT_BYTES."""

    status = 413
    slug = "body-too-large"
    title = "Body too large"


class UriTooLong(Problem):
    """The request line exceeds the limit of the server."""

    status = 414
    slug = "uri-too-long"
    title = "URI too long"


class KeyReused(Problem):
    """The idempotency key was used with another body."""

    status = 422
    slug = "idempotency-key-reused"
    title = "Idempotency key used for another body"


class TooManyAttempts(Problem):
    """Too many requests with invalid keys came from an address."""

    status = 429
    slug = "too-many-failed-attempts"
    title = "Too many failed attempts"


class QuotaExceeded(Problem):
    """The client has used up RATE_LIMIT."""

    status = 429
    slug = "quota-exceeded"
    title = "Quota exceeded"


class HeadersTooLarge(Problem):
    """The header fields exceed a limit of the server."""

    status = 431
    slug = "headers-too-large"
    title = "Header fields too large"


class UnsupportedMediaType(Problem):
    """The route does not accept the media type of the body."""

    status = 415
    slug = "unsupported-media-type"
    title = "Unsupported media type"


class Unavailable(Problem):
    """The database is unavailable, overloaded or too slow. The same request may succeed later."""

    status = 503
    slug = "unavailable"
    title = "Temporarily unavailable"

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(f"{detail} Try again in {retry_after} seconds.", {"Retry-After": str(retry_after)})


class BadRequest(Problem):
    """The request violates HTTP."""

    status = 400
    slug = "bad-request"
    title = "Bad request"


class InternalError(Problem):
    """A defect of the service. Its log line has the same request id."""

    def __init__(self) -> None:
        super().__init__("The service has a defect. Report it with the X-Request-Id of this response.")

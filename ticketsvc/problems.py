"""Everything that can go wrong for a caller, as problem documents (RFC 9457).

One root exception carries the status, the type and the title; one handler (`ticketsvc.api.output.errors`) writes the
document. The data layer raises these too, so that no error of the database driver escapes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple


class Problem(Exception):
    """An answer that is an error: `detail` is a sentence for people, `headers` go with the answer."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}

    @classmethod
    def uri(cls) -> str:
        """The problem's type: where it is described (docs/errors.md)."""
        return f"/docs/errors#{cls.slug}"

    def document(self, instance: str) -> dict[str, object]:
        """The members of the problem document; `error` repeats `detail` for the clients of the older backend."""
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
    """One thing wrong with the input: `where` is {"pointer": JSON pointer} or {"parameter": name}."""

    where: dict[str, str]
    detail: str
    code: str

    @classmethod
    def in_field(cls, field: str, detail: str, code: str) -> FieldError:
        """A fault of a member of the body; the pointer is a URI fragment as in RFC 9457 section 3."""
        return cls({"pointer": f"#/{field}"}, detail, code)

    @classmethod
    def in_parameter(cls, name: str, detail: str, code: str) -> FieldError:
        """A fault of a query parameter."""
        return cls({"parameter": name}, detail, code)


class LineError(NamedTuple):
    """One thing wrong with a line of a file, which is the first line of its record; `field` is "" for all of it."""

    line: int
    field: str
    detail: str
    code: str


class InvalidInput(Problem):
    """The caller's input breaks rules; every fault is listed at once."""

    status = 400
    slug = "invalid-input"
    title = "Invalid input"

    def __init__(self, *faults: FieldError) -> None:
        super().__init__(" ".join(fault.detail for fault in faults))
        self.faults = faults

    def document(self, instance: str) -> dict[str, object]:
        faults = [{**fault.where, "detail": fault.detail, "code": fault.code} for fault in self.faults]
        return {**super().document(instance), "errors": faults}


class InvalidFile(Problem):
    """Lines of a file break rules: `faults` are the first of `total_errors`, in `faulty_lines` lines."""

    status = 400
    slug = "invalid-file"
    title = "Invalid file"

    def __init__(self, faults: list[LineError], total_errors: int, faulty_lines: int) -> None:
        told = "" if len(faults) == total_errors else f" The first {len(faults):,} are listed."
        super().__init__(
            f"Nothing was imported. Faults: {total_errors:,}; lines that have one: {faulty_lines:,}.{told}"
        )
        self.faults, self.total_errors, self.faulty_lines = faults, total_errors, faulty_lines

    def document(self, instance: str) -> dict[str, object]:
        totals = {"total_errors": self.total_errors, "faulty_lines": self.faulty_lines}
        errors = [
            {"line": line, "pointer": f"#/{field}" if field else "#", "detail": detail, "code": code}
            for line, field, detail, code in self.faults
        ]
        return {**super().document(instance), **totals, "errors": errors}


class MalformedBody(Problem):
    """The body cannot be read as a JSON object."""

    status = 400
    slug = "malformed-body"
    title = "Malformed body"


class NotFound(Problem):
    """No ticket has the id, or no route the path."""

    status = 404
    slug = "not-found"
    title = "Not found"


class MethodNotAllowed(Problem):
    """The resource is there, but not for this method."""

    status = 405
    slug = "method-not-allowed"
    title = "Method not allowed"


class Unauthorized(Problem):
    """The call has no key, or one that is not valid."""

    status = 401
    slug = "unauthorized"
    title = "A valid API key is needed"


class InsufficientScope(Problem):
    """The key is valid, but not for this call."""

    status = 403
    slug = "insufficient-scope"
    title = "The API key does not allow this"


class NotAcceptable(Problem):
    """The caller takes no JSON."""

    status = 406
    slug = "not-acceptable"
    title = "Not acceptable"


class CreateInProgress(Problem):
    """Another call with the same idempotency key has not ended yet."""

    status = 409
    slug = "create-in-progress"
    title = "A call with this idempotency key is running"


class VersionMismatch(Problem):
    """The ticket is no longer what If-Match says."""

    status = 412
    slug = "version-mismatch"
    title = "The ticket has changed"


class BodyTooLarge(Problem):
    """The body is over MAX_BODY_BYTES."""

    status = 413
    slug = "body-too-large"
    title = "Body too large"


class UriTooLong(Problem):
    """The request line is longer than the server takes."""

    status = 414
    slug = "uri-too-long"
    title = "URI too long"


class KeyReused(Problem):
    """The idempotency key was used for a create with another body."""

    status = 422
    slug = "idempotency-key-reused"
    title = "Idempotency key used for another body"


class TooManyAttempts(Problem):
    """Too many calls with keys that are not valid came from an address."""

    status = 429
    slug = "too-many-failed-attempts"
    title = "Too many failed attempts"


class QuotaExceeded(Problem):
    """The caller has used up RATE_LIMIT."""

    status = 429
    slug = "quota-exceeded"
    title = "Quota exceeded"


class HeadersTooLarge(Problem):
    """The header fields are more or larger than the server takes."""

    status = 431
    slug = "headers-too-large"
    title = "Header fields too large"


class UnsupportedMediaType(Problem):
    """The body is of a media type that the method does not take."""

    status = 415
    slug = "unsupported-media-type"
    title = "Unsupported media type"


class Unavailable(Problem):
    """The database is away, overloaded or too slow; the same call can succeed later."""

    status = 503
    slug = "unavailable"
    title = "Temporarily unavailable"

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(f"{detail} Try again in {retry_after} seconds.", {"Retry-After": str(retry_after)})


class BadRequest(Problem):
    """A request that HTTP itself does not allow."""

    status = 400
    slug = "bad-request"
    title = "Bad request"


class InternalError(Problem):
    """A defect of the service; its log line has the same request id."""

    def __init__(self) -> None:
        super().__init__("Something in the service is broken. Report it with the request id.")

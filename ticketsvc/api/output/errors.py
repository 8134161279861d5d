"""Error handlers: every error becomes a problem document, never HTML."""

from __future__ import annotations

import logging
from urllib.parse import quote

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from ticketsvc import problems
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.problems import Problem

_ABOUT_IDS = "A ticket's id is the UUID that creating it returned."
_ABOUT_PATHS = "/docs describes the paths of the API."

logger = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Handle every error of an application."""
    app.register_error_handler(Exception, lambda error: _problem_response(problem_of(error)))


def problem_of(error: Exception) -> Problem:
    """Return the problem that an exception is. One that nothing expects is a defect."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return _from_http(error)
    defect = problems.InternalError()
    defect.__cause__ = error
    return defect


def log(problem: Problem) -> None:
    """Write a line to the log if the service or its database is the cause of a problem."""
    if problem.status >= 500:
        level = logging.ERROR if isinstance(problem, problems.InternalError) else logging.WARNING
        fields = {"problem": problem.slug}
        logger.log(level, "responded with a problem", exc_info=problem.__cause__, extra={"fields": fields})


def _problem_response(problem: Problem) -> JsonResponse:
    log(problem)
    document = problem.json(quote(request.path, safe="/%"))
    headers = {**NO_STORE, **problem.headers}
    return JsonResponse(document, problem.status, headers, content_type="application/problem+json")


def _from_http(error: HTTPException) -> Problem:
    """Return the problem for an error that Flask or Werkzeug raised."""
    if error.code == 404:
        of_tickets = request.path.startswith("/api/tickets/")
        return problems.NotFound(f"There is nothing at this path. {_ABOUT_IDS if of_tickets else _ABOUT_PATHS}")
    if error.code == 405:
        allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
        detail = f"Method {request.method} is not allowed here. Allowed: {allowed}."
        return problems.MethodNotAllowed(detail, {"Allow": allowed})
    if error.code is not None and error.code < 500:
        return problems.BadRequest("The request cannot be read.")
    return problems.InternalError()

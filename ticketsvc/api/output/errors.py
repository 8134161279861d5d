"""The one place where an error becomes an answer: always a problem document, never HTML."""

from __future__ import annotations

import json
import logging
from urllib.parse import quote

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from ticketsvc import problems
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.problems import Problem

logger = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Answer every error of an application with a problem document."""
    app.register_error_handler(Problem, _answer)
    app.register_error_handler(HTTPException, lambda error: _answer(_from_http(error)))
    app.register_error_handler(Exception, _answer_defect)


def _answer(problem: Problem) -> JsonResponse:
    if problem.status >= 500:
        level = logging.ERROR if isinstance(problem, problems.InternalError) else logging.WARNING
        fields = {"problem": problem.slug}
        logger.log(level, "answered with a problem", exc_info=problem.__cause__, extra={"fields": fields})
    document = json.dumps(problem.document(quote(request.path)), ensure_ascii=False)
    headers = {**NO_STORE, **problem.headers}
    return JsonResponse(document, problem.status, headers, content_type="application/problem+json")


def _answer_defect(error: Exception) -> JsonResponse:
    defect = problems.InternalError()
    defect.__cause__ = error
    return _answer(defect)


def _from_http(error: HTTPException) -> Problem:
    """What Flask and Werkzeug raise by themselves."""
    if error.code == 404:
        return problems.NotFound("There is nothing at this path. A ticket's id is a UUID, as creating it answered.")
    if error.code == 405:
        allowed = sorted(getattr(error, "valid_methods", None) or ())
        detail = f"{request.method} is not for this path. It takes {', '.join(allowed)}."
        return problems.MethodNotAllowed(detail, {"Allow": ", ".join(allowed)})
    if error.code is not None and error.code < 500:
        return problems.BadRequest("The request cannot be read.")
    return problems.InternalError()

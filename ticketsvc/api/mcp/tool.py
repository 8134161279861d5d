"""A tool: what clients see of it, and what they get from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask import request

from ticketsvc.api.auth import scopes
from ticketsvc.api.mcp.schemas import Operation
from ticketsvc.api.output import errors
from ticketsvc.compact_json import JsonText, encode_object
from ticketsvc.problems import InternalError, NotFound, Problem, VersionMismatch
from ticketsvc.server import metrics
from ticketsvc.server.middleware import TOOL

Json = dict[str, Any]

WORKED = "none"
"""The problem of a tool that worked, in the metrics."""


@dataclass(frozen=True)
class Hints:
    """Tell a client how careful it should be with a tool."""

    reads_only: bool = False
    destroys: bool = False
    may_repeat: bool = False
    leaves_service: bool = False


@dataclass(frozen=True, eq=False)
class Tool:
    """A tool. `run` takes the arguments and returns the result; its name is that of the tool.

    `endpoint` is that of the operation that gives the tool its scope, its arguments and, without `result`, its result.
    `arguments` change the schemas of arguments or add some, and `omitted` names parameters of the operation that are
    none. `result` has the members of the result: a schema, or the endpoint of the operation that returns the member.
    """

    title: str
    description: str
    hints: Hints
    endpoint: str
    run: Callable[[Json], Json | JsonText]
    result: Mapping[str, str | Json] = field(default_factory=dict)
    arguments: Mapping[str, Json] = field(default_factory=dict)
    omitted: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return its name."""
        return self.run.__name__

    @property
    def scope(self) -> str:
        """Return the scope of the key that it needs."""
        return scopes.needed(self.endpoint)

    @cached_property
    def described(self) -> Json:
        """Return what clients see of it. It is made on the first request for it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": Operation(self.endpoint).arguments(self.arguments, self.omitted),
            "outputSchema": self._output(),
            "annotations": {
                "readOnlyHint": self.hints.reads_only,
                "destructiveHint": self.hints.destroys,
                "idempotentHint": self.hints.may_repeat,
                "openWorldHint": self.hints.leaves_service,
            },
        }

    def call(self, arguments: Json) -> Json:
        """Return the result for a client. Problems are results, too: a model reads what to do and tries again."""
        request.environ[TOOL], problem = self.name, InternalError.slug
        try:
            content, problem = self.run(dict(arguments)), WORKED
        except Problem as error:
            errors.log(error)
            problem = error.slug
            return {"content": [_text(_explained(error))], "isError": True}
        finally:
            metrics.TOOL_CALLS.labels(self.name, problem).inc()
        text = content if isinstance(content, JsonText) else encode_object(content)
        return {"content": [_text(text)], "structuredContent": text, "isError": False}

    def _output(self) -> Json:
        if not self.result:
            return Operation(self.endpoint).result()
        members = {
            name: Operation(member).result() if isinstance(member, str) else member
            for name, member in self.result.items()
        }
        if "fields" in self.arguments:  # only the id is always there
            members["tickets"]["items"]["required"] = ["id"]
        required = [name for name in members if name not in self.optional]
        return {"type": "object", "properties": members, "required": required}


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _explained(problem: Problem) -> str:
    """Return what is wrong and how to do better, in terms of tools."""
    if isinstance(problem, VersionMismatch):
        return (
            f"The ticket has changed: its version is now {problem.version}. Nothing was changed. Read it again with "
            f"get_ticket. If your change still makes sense, repeat it with expected_version {problem.version}."
        )
    advice = " search_tickets finds the ids of tickets." if isinstance(problem, NotFound) else ""
    return problem.detail + advice

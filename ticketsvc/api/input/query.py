"""Query strings as named parameters."""

from __future__ import annotations

from urllib.parse import parse_qsl

from ticketsvc.problems import BadRequest
from ticketsvc.validation.parameters import Parameters

MAX_PARAMETERS = 100


def query_pairs(query_string: bytes) -> list[tuple[str, str]]:
    """Return the percent-decoded names and values of a query string. Raises BadRequest."""
    try:
        text = query_string.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except UnicodeError:
        raise BadRequest("The query string is not percent-encoded UTF-8.") from None
    except ValueError:
        raise BadRequest(f"The query string has more than {MAX_PARAMETERS} parameters.") from None


def query_parameters(query_string: bytes) -> Parameters:
    """Return the parameters of a query string. Raises BadRequest."""
    return Parameters(query_pairs(query_string))

"""A classifier that asks a chat model through the API of OpenAI, which many other servers implement.

This module imports the SDK, which takes most of a second: import it only if an API key is set. No other module of the
service imports the SDK.
"""

from __future__ import annotations

import logging
import time
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import openai

from ticketsvc.problems import Problem
from ticketsvc.server import metrics
from ticketsvc.triage.model import MAX_CHARACTERS
from ticketsvc.triage.openai.bounded_http import BoundedClient, EncodedResponse, ResponseTooLarge, run_within
from ticketsvc.triage.openai.circuit_breaker import CircuitBreaker
from ticketsvc.triage.openai.prompt import INSTRUCTIONS, InvalidCompletion, parse_labels, response_schema, user_message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openai.types.chat import ChatCompletion
    from openai.types.shared_params import ResponseFormatJSONSchema

    from ticketsvc.triage.model import Classifier, Example, Suggestion

SOURCE = "openai"
BYTE_LIMIT = 256 * 1024  # maximum size of a response; a valid one has about 1 KB
TOKEN_LIMIT = 2_048  # of the output; the longest quotes take about 1,500, usual ones 100
RETRY_DELAY = 0.25  # seconds before the retry if the server sends no Retry-After
RETRY_SHARE = 0.25  # share of the deadline that must be left to start a retry
EXAMPLES_SHARE = 0.2  # share of the deadline for finding examples, without which the model is asked afterwards
_CIRCUIT_OPEN = "circuit_open"
_REASONS = (
    *(_CIRCUIT_OPEN, "timeout", "connection", "refusal", "invalid_answer", "answer_too_large"),
    *(f"status_{status}" for status in (400, 401, 403, 404, 429, 500, 502, 503)),
)
"""The usual reasons for a fallback. There are other statuses, and classes of unexpected errors."""

logger = logging.getLogger(__name__)
metrics.start_at_zero(metrics.TRIAGE_FALLBACKS, _REASONS)


class Refusal(Exception):
    """The model declined to label this text. The server itself works."""


class _Form(Enum):
    """The rest of a request, besides the messages: a schema with limits, one without, none, or nothing at all."""

    LIMITED = auto()
    UNLIMITED = auto()
    SCHEMALESS = auto()
    PLAIN = auto()


_FORMS_WITHOUT = {
    "maxItems": _Form.UNLIMITED,
    "max_tokens": _Form.UNLIMITED,
    # llama.cpp names its samplers (findings/xllamacpp-max-items-of-2000.sh).
    **dict.fromkeys(("response_format", "json_schema", "samplers"), _Form.SCHEMALESS),
    **dict.fromkeys(("reasoning_effort", "store"), _Form.PLAIN),
}
"""The form of the next request by what the message of an error names, of which the first counts."""


class OpenAIChatClassifier:
    """Asks a chat model for labels. After any error it returns the fallback's suggestion with the fallback's source.

    `base_url` is the address of an OpenAI-compatible server; None means that the SDK uses OPENAI_BASE_URL or OpenAI's
    own. `deadline` is the maximum time in seconds for the model, including one retry. While the circuit breaker is
    open, the fallback is used at once. `find_examples` returns labelled tickets that resemble a text; the model gets
    them as examples.
    """

    def __init__(
        self,
        fallback: Classifier,
        *,
        api_key: str,
        base_url: str | None,
        model: str,
        deadline: float = 6.0,
        breaker: CircuitBreaker | None = None,
        find_examples: Callable[[str], Sequence[Example]] | None = None,
    ) -> None:
        self._fallback = fallback
        self._api_key = api_key
        self._base_url = base_url
        self._model = model
        self._deadline = deadline
        self._breaker = breaker or CircuitBreaker()
        self._find_examples = find_examples

    def classify(self, text: str) -> Suggestion:
        """Suggest labels for any text. Never raises because of the model, the server or the network."""
        if not text.strip():
            return self._fallback.classify(text)
        if not self._breaker.allows_call():
            metrics.TRIAGE_FALLBACKS.labels(_CIRCUIT_OPEN).inc()
            return self._fallback.classify(text)
        try:
            suggestion = self._ask(text)
        except Exception as error:  # noqa: BLE001 - no error of the model may fail the request
            self._report(error)
            return self._fallback.classify(text)
        self._breaker.succeeded()
        return suggestion

    def probe(self) -> str | None:
        """Ask for the labels of a sample ticket. Return None on success, else the kind of error in a few words."""
        try:
            self._ask("I cannot log in since this morning.")
        except Exception as error:  # noqa: BLE001 - any error is the result
            return _kind(error)
        return None

    def _ask(self, text: str) -> Suggestion:
        give_up_at = time.monotonic() + self._deadline
        message = user_message(text, self._examples(text))
        http_client = BoundedClient(byte_limit=BYTE_LIMIT)
        try:
            time_left = give_up_at - time.monotonic()
            completion = run_within(time_left, lambda: self._complete(http_client, message, give_up_at))
        finally:
            http_client.cut_off()
        suggestion = parse_labels(_content(completion), text, SOURCE)
        logger.info(
            "the model gave labels: model=%s prompt_tokens=%s completion_tokens=%s",
            self._model,
            getattr(completion.usage, "prompt_tokens", None),
            getattr(completion.usage, "completion_tokens", None),
        )
        return suggestion

    def _examples(self, text: str) -> Sequence[Example]:
        find_examples = self._find_examples
        if find_examples is None:
            return ()
        try:
            return run_within(self._deadline * EXAMPLES_SHARE, lambda: find_examples(text[:MAX_CHARACTERS]))
        except (Problem, TimeoutError) as error:
            logger.warning("the model is asked without examples: %s", type(error).__name__)
            return ()

    def _complete(self, http_client: BoundedClient, message: str, give_up_at: float) -> ChatCompletion:
        """Send the request, and send it again once if the error may be temporary and enough time is left.

        It is also sent again if the server rejects a parameter: without limits of the output if it names one of them,
        since the strict mode of some servers and of OpenAI's fine-tuned models has no maxItems, without the schema if
        it names that, else with no parameter at all.
        """
        form = _Form.LIMITED
        with http_client:
            try:
                return self._send(http_client, message, give_up_at, form)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                rejected = next((form for name, form in _FORMS_WITHOUT.items() if name in str(error)), None)
                if rejected is None:
                    raise
                delay, form = 0.0, rejected
            except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
                delay = _retry_delay(error)
                if give_up_at - time.monotonic() - delay < self._deadline * RETRY_SHARE:
                    raise
            time.sleep(delay)
            return self._send(http_client, message, give_up_at, form)

    def _send(self, http_client: BoundedClient, message: str, give_up_at: float, form: _Form) -> ChatCompletion:
        client = openai.OpenAI(
            api_key=self._api_key,
            base_url=self._base_url,
            max_retries=0,  # the SDK's own retries have no deadline
            timeout=max(give_up_at - time.monotonic(), 0.001),
            http_client=http_client,
        )
        completion: ChatCompletion = client.chat.completions.create(
            model=self._model,
            messages=[{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": message}],
            **_options(self._model, form),
        )
        return completion

    def _report(self, error: Exception) -> None:
        """Report an error to the breaker, the metrics and the log.

        Only the kind of error is logged: its message may contain the ticket, the key or the response.
        """
        metrics.TRIAGE_FALLBACKS.labels(_reason(error)).inc()
        logger.warning("the model gave no labels, the fallback is used: %s", _kind(error))
        if isinstance(error, Refusal):
            self._breaker.succeeded()
        elif isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            self._breaker.trip()
        else:
            self._breaker.failed()


@cache
def _response_format(*, limited: bool) -> ResponseFormatJSONSchema:
    schema = response_schema(limited=limited)
    return {"type": "json_schema", "json_schema": {"name": "ticket_labels", "strict": True, "schema": schema}}


def _options(model: str, form: _Form) -> dict[str, Any]:
    """Return parameters that depend on the model. Some servers respond 400 or 422 to parameters that they do not know.

    `store` keeps the tickets out of OpenAI's stored completions. Labels need no reasoning and arrive sooner without
    it; gpt-5.1 was the first model to accept the effort "none". OpenAI's own models end their output without a limit,
    and those that reason reject `max_tokens`.
    """
    if form is _Form.PLAIN:
        return {}
    limited = form is _Form.LIMITED
    options: dict[str, Any] = {}
    if form is not _Form.SCHEMALESS:
        options["response_format"] = _response_format(limited=limited)
    if model.startswith("gpt-"):
        options["store"] = False
    elif limited and not model.startswith(("ft:", "o1", "o3", "o4")):
        options["max_tokens"] = TOKEN_LIMIT
    if model.startswith(("gpt-5.", "gpt-6")):
        options["reasoning_effort"] = "none"
    return options


def _content(completion: ChatCompletion) -> str:
    """Return the text of the completion. Raises Refusal and InvalidCompletion.

    The SDK does not validate responses, so any part may be missing or have another type.
    """
    try:
        message = completion.choices[0].message
        refusal, content = message.refusal, cast("object", message.content)
    except (AttributeError, IndexError, TypeError):
        raise InvalidCompletion("not a chat completion") from None
    if refusal:
        raise Refusal
    if not isinstance(content, str):
        raise InvalidCompletion("no content")
    return content


def _retry_delay(error: openai.APIError) -> float:
    """Return the seconds before the retry: the value of Retry-After (RFC 9110, section 10.2.3) or RETRY_DELAY."""
    if not isinstance(error, openai.APIStatusError) or "Retry-After" not in error.response.headers:
        return RETRY_DELAY
    value = error.response.headers["Retry-After"]
    try:
        if value.isdecimal():
            return float(value)
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0)
    except ValueError:
        return RETRY_DELAY


def _kind(error: Exception) -> str:
    """Describe an error in fixed words that contain nothing of the ticket, the model's output or the response."""
    match error:
        case TimeoutError() | openai.APITimeoutError():
            return "timeout"
        case openai.APIConnectionError():
            return f"connection ({type(error.__cause__).__name__})"
        case openai.APIStatusError():
            return f"status {error.status_code}"
        case ResponseTooLarge():
            return "answer too large"
        case EncodedResponse():
            return "answer compressed unasked"
        case Refusal():
            return "refusal"
        case InvalidCompletion():
            return f"invalid answer ({error})"
        case _:
            return type(error).__name__


def _reason(error: Exception) -> str:
    """Return the metric label of an error, without details that a server could vary: "timeout", "status_429"."""
    return "_".join(_kind(error).partition(" (")[0].split()).lower()

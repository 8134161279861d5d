"""The classifier that asks a chat model, over the API that OpenAI and many compatible servers speak.

Importing this module imports the SDK, which is large and takes most of a second: import it only when a key is
set. Nothing else in the service imports the SDK.
"""

from __future__ import annotations

import logging
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast

import openai

from ticketsvc.problems import Problem
from ticketsvc.server.metrics.counts import COUNTS
from ticketsvc.triage.learning.classifier import CHARACTERS_READ
from ticketsvc.triage.openai.bounded_http import BoundedClient, EncodedResponse, ResponseTooLarge, run_within
from ticketsvc.triage.openai.circuit_breaker import CircuitBreaker
from ticketsvc.triage.openai.prompt import INSTRUCTIONS, InvalidAnswer, answer_schema, read_answer, ticket_message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openai.types.chat import ChatCompletion
    from openai.types.shared_params import ResponseFormatJSONSchema

    from ticketsvc.triage.model import Classifier, Example, Suggestion

SOURCE = "openai"

BYTE_LIMIT = 256 * 1024
"""How large an answer may be. A right one has about 1 KB."""

RETRY_PAUSE = 0.25
"""Seconds before the retry when the server names no time."""

RETRY_SHARE = 0.25
"""A retry starts only if it has at least this share of the deadline left: less would be waiting in vain."""

EXAMPLES_SHARE = 0.2
"""The share of the deadline that looking for examples may take. Without them the model is asked all the same."""

logger = logging.getLogger(__name__)


class Refusal(Exception):
    """The model declined to answer about this text. The service itself is well."""


class OpenAIChatClassifier:
    """Asks `model` for the labels; on any fault at all the answer is the fallback's, its `source` included.

    `base_url` is that of any OpenAI-compatible server; None leaves it to the SDK, which takes
    OPENAI_BASE_URL and else OpenAI's own. `deadline` is the longest time in seconds that the model may
    take, its one retry included. While the breaker is open, the fallback answers at once. `recall` looks in the
    database for tickets that people labelled and that resemble a text; the model gets them as examples.
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
        recall: Callable[[str], Sequence[Example]] | None = None,
    ) -> None:
        self._fallback = fallback
        self._api_key = api_key
        self._base_url = base_url
        self._model = model
        self._deadline = deadline
        self._breaker = breaker or CircuitBreaker()
        self._recall = recall

    def classify(self, text: str) -> Suggestion:
        """Suggest labels for any text. Never raises because of the model, the server or the network."""
        if not text.strip():
            return self._fallback.classify(text)
        if not self._breaker.allows_call():
            COUNTS.add("triage_fallbacks_total", "circuit_open")
            return self._fallback.classify(text)
        try:
            suggestion = self._ask(text)
        except Exception as error:  # noqa: BLE001 - whatever went wrong outside, the caller gets an answer
            self._report(error)
            return self._fallback.classify(text)
        self._breaker.succeeded()
        return suggestion

    def probe(self) -> str | None:
        """Ask about a made-up ticket. Returns None when labels came, else the kind of the fault in a few words."""
        try:
            self._ask("I cannot log in since this morning.")
        except Exception as error:  # noqa: BLE001 - whatever went wrong outside
            return _kind(error)
        return None

    def _ask(self, text: str) -> Suggestion:
        give_up_at = time.monotonic() + self._deadline
        message = ticket_message(text, self._examples(text))
        http_client = BoundedClient(byte_limit=BYTE_LIMIT)
        try:
            time_left = give_up_at - time.monotonic()
            completion = run_within(time_left, lambda: self._complete(http_client, message, give_up_at))
        finally:
            http_client.cut_off()
        suggestion = read_answer(_content(completion), text, SOURCE)
        self._log_usage(completion)
        return suggestion

    def _examples(self, text: str) -> Sequence[Example]:
        recall = self._recall
        if recall is None:
            return ()
        try:
            return run_within(self._deadline * EXAMPLES_SHARE, lambda: recall(text[:CHARACTERS_READ]))
        except (Problem, TimeoutError) as error:
            logger.warning("the model is asked without examples: %s", type(error).__name__)
            return ()

    def _complete(self, http_client: BoundedClient, message: str, give_up_at: float) -> ChatCompletion:
        """One try and at most one more, if the first fault may pass and the time allows it."""
        with http_client:
            try:
                return self._try(http_client, message, give_up_at)
            except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
                pause = _pause(error)
                if give_up_at - time.monotonic() - pause < self._deadline * RETRY_SHARE:
                    raise
            time.sleep(pause)
            return self._try(http_client, message, give_up_at)

    def _try(self, http_client: BoundedClient, message: str, give_up_at: float) -> ChatCompletion:
        client = openai.OpenAI(
            api_key=self._api_key,
            base_url=self._base_url,
            max_retries=0,  # the SDK's own retries know no deadline
            timeout=max(give_up_at - time.monotonic(), 0.001),
            http_client=http_client,
        )
        completion: ChatCompletion = client.chat.completions.create(
            model=self._model,
            messages=[
                {"role": "system", "content": INSTRUCTIONS},
                {"role": "user", "content": message},
            ],
            response_format=_RESPONSE_FORMAT,
            **_family_options(self._model),
        )
        return completion

    def _report(self, error: Exception) -> None:
        """Tell the breaker, and log the kind of fault: never what a message says of ticket, key or answer."""
        COUNTS.add("triage_fallbacks_total", _reason(error))
        logger.warning("the model gave no labels, the fallback answers: %s", _kind(error))
        if isinstance(error, Refusal):
            self._breaker.succeeded()
        elif isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            self._breaker.trip()
        else:
            self._breaker.failed()

    def _log_usage(self, completion: ChatCompletion) -> None:
        usage = completion.usage
        logger.info(
            "the model gave labels: model=%s prompt_tokens=%s completion_tokens=%s",
            self._model,
            getattr(usage, "prompt_tokens", None),
            getattr(usage, "completion_tokens", None),
        )


_RESPONSE_FORMAT: ResponseFormatJSONSchema = {
    "type": "json_schema",
    "json_schema": {"name": "ticket_labels", "strict": True, "schema": answer_schema()},
}


def _family_options(model: str) -> dict[str, Any]:
    """Parameters that only OpenAI's own models get: other servers answer 400 or 422 to what they do not know.

    `store` keeps the tickets out of OpenAI's stored completions. Labels need no reasoning and come sooner
    without; the first models to take the effort "none" were those of gpt-5.1.
    """
    options: dict[str, Any] = {}
    if model.startswith("gpt-"):
        options["store"] = False
    if model.startswith(("gpt-5.", "gpt-6")):
        options["reasoning_effort"] = "none"
    return options


def _content(completion: ChatCompletion) -> str:
    """The text of the answer. Raises Refusal and InvalidAnswer.

    The SDK does not check what a server sends, so any part may be missing or of another type.
    """
    try:
        message = completion.choices[0].message
        refusal, content = message.refusal, cast("object", message.content)
    except (AttributeError, IndexError, TypeError):
        raise InvalidAnswer("not a chat completion") from None
    if refusal:
        raise Refusal
    if not isinstance(content, str):
        raise InvalidAnswer("no content")
    return content


def _pause(error: openai.APIError) -> float:
    """Seconds before the retry: what Retry-After asks for (RFC 9110, section 10.2.3), else RETRY_PAUSE."""
    if not isinstance(error, openai.APIStatusError) or "Retry-After" not in error.response.headers:
        return RETRY_PAUSE
    value = error.response.headers["Retry-After"]
    try:
        if value.isdecimal():
            return float(value)
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0)
    except ValueError:
        return RETRY_PAUSE


def _kind(error: Exception) -> str:
    """A fault in a few fixed words, free of what the ticket, the model or the server said."""
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
        case InvalidAnswer():
            return f"invalid answer ({error})"
        case _:
            return type(error).__name__


def _reason(error: Exception) -> str:
    """The kind of a fault without its details, of which a server can make any number: "timeout", "status_429"."""
    return "_".join(_kind(error).partition(" (")[0].split()).lower()

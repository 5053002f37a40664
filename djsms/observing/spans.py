"""Spans for OpenTelemetry of what this process does; needs ``opentelemetry-api``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from djsms.observing.facts import Attempt, Claim, Enqueuing, Facts, Webhook

__all__ = ["Spans"]

KINDS: Mapping[type[Facts], tuple[str, SpanKind]] = {
    Attempt: ("djsms.attempt", SpanKind.CLIENT),
    # Within the span of the request, where Django is traced as well.
    Webhook: ("djsms.webhook", SpanKind.INTERNAL),
    Enqueuing: ("djsms.enqueue", SpanKind.PRODUCER),
    Claim: ("djsms.claim", SpanKind.CONSUMER),
}


class Spans:
    """A span each; it is the current one meanwhile, so that those of HTTP clients are below it."""

    def __init__(self) -> None:
        # Until the project has set up a provider of traces this does nothing.
        self._tracer = trace.get_tracer("djsms", version("django-simple-sms"))

    @contextmanager
    def around(self, facts: Facts) -> Iterator[None]:
        if type(facts) not in KINDS:
            yield
            return
        name, kind = KINDS[type(facts)]
        if isinstance(facts, Claim):
            start = time.time_ns()
            yield
            # Most turns find nothing, and are not worth a span.
            if facts.count:
                span = self._tracer.start_span(name, kind=kind, start_time=start)
                span.set_attributes(_attributes(facts))
                span.end()
            return
        # What an error says is not for spans: numbers and texts are quoted in it.
        with self._tracer.start_as_current_span(
            name, kind=kind, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_attribute("error.type", type(error).__qualname__)
                span.set_status(Status(StatusCode.ERROR))
                raise
            finally:
                span.set_attributes(_attributes(facts))
                if _is_error(facts):
                    span.set_status(Status(StatusCode.ERROR))


def _attributes(facts: Facts) -> dict[str, str | int]:
    found: dict[str, str | int] = {"djsms.account": facts.account}
    match facts:
        case Attempt():
            found["djsms.backend"] = facts.backend
            found["djsms.ref"] = facts.ref
            found["djsms.segments"] = facts.segments
            found["djsms.outcome"] = facts.outcome
        case Webhook():
            found["djsms.hook"] = facts.hook
            found["http.response.status_code"] = facts.status
        case Enqueuing():
            found["djsms.priority"] = facts.priority
            found["djsms.count"] = facts.count
        case Claim():
            found["djsms.count"] = facts.count
    return found


def _is_error(facts: Facts) -> bool:
    return (isinstance(facts, Attempt) and facts.is_error) or (
        isinstance(facts, Webhook) and facts.status >= 500
    )

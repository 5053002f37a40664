"""What OpenTelemetry is told: a span for each call, webhook and turn of the queue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted import Provider

from djsms import SendResult, enqueue_text, queue, send_text
from djsms.exceptions import InvalidNumber, OutcomeUnknown
from djsms.observing import observers, spans

pytestmark = pytest.mark.django_db

FRM, TO = "+447700900001", "+447700900123"


@pytest.fixture
def kept(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    traces = TracerProvider()
    traces.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", traces.get_tracer)
    observers.listen(spans.Spans())
    yield exporter
    observers.silence()


def named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


def test_a_call_is_a_span(kept: InMemorySpanExporter) -> None:
    message = send_text("Hi", FRM, TO)
    [span] = named(kept, "djsms.attempt")
    assert dict(span.attributes or {}) == {
        "djsms.account": "default",
        "djsms.backend": "memory",
        "djsms.ref": message.ref,
        "djsms.segments": 1,
        "djsms.outcome": "sending",
    }
    assert span.status.is_ok


def test_a_call_that_failed_is_an_error(kept: InMemorySpanExporter, provider: Provider) -> None:
    provider.fails(OutcomeUnknown("?"))
    send_text("Hi", FRM, TO)
    [span] = named(kept, "djsms.attempt")
    assert not span.status.is_ok
    assert (span.attributes or {})["djsms.outcome"] == "OutcomeUnknown"


def test_what_the_backend_does_is_below_it(kept: InMemorySpanExporter, provider: Provider) -> None:
    def answer(message: object) -> SendResult:
        current.append(trace.get_current_span().get_span_context().span_id)
        return SendResult.accepted("id-1")

    current: list[int] = []
    provider.answer = answer
    send_text("Hi", FRM, TO)
    [span] = named(kept, "djsms.attempt")
    assert span.context is not None
    assert current == [span.context.span_id]


def test_a_webhook_is_a_span(kept: InMemorySpanExporter, provider: Provider) -> None:
    provider.reports(provider_id="x", status="sent")
    [span] = named(kept, "djsms.webhook")
    assert dict(span.attributes or {}) == {
        "djsms.account": "default",
        "djsms.hook": "parse_callback",
        "http.response.status_code": 200,
    }


def test_the_queue_has_spans_of_what_goes_in_and_out(kept: InMemorySpanExporter) -> None:
    enqueue_text("Hi", FRM, TO)
    queue.drain()
    queue.drain()
    [stored], [claimed] = named(kept, "djsms.enqueue"), named(kept, "djsms.claim")
    assert (stored.attributes or {})["djsms.count"] == 1
    assert (claimed.attributes or {})["djsms.count"] == 1


def test_no_number_and_no_text_is_in_a_span(kept: InMemorySpanExporter, provider: Provider) -> None:
    send_text("lobster", FRM, TO)
    provider.fails(OutcomeUnknown(f"lobster to {TO}"))
    enqueue_text("lobster", FRM, TO)
    queue.drain()
    provider.delivers(frm=TO, to=FRM, text="lobster")
    told = "".join(span.to_json() for span in kept.get_finished_spans())
    assert "7700900" not in told
    assert "lobster" not in told


def test_an_error_that_gets_out_is_told_by_its_kind_alone(kept: InMemorySpanExporter) -> None:
    with pytest.raises(InvalidNumber, match="0123"):
        enqueue_text("lobster", FRM, "0123 lobster", fail_silently=False)
    [span] = named(kept, "djsms.enqueue")
    assert not span.status.is_ok
    assert (span.attributes or {})["error.type"] == "InvalidNumber"
    assert "lobster" not in span.to_json()
    assert "0123" not in span.to_json()

"""W3C trace context: one trace from the HTTP request through every message it sets off.

Without an OpenTelemetry SDK nothing is recorded or exported, yet ids are made and handed on, so logs of all
services can be joined by `trace_id`. With an SDK configured, the same calls record spans.
"""

import random
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER = "traceparent"

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("linstock")


@contextmanager
def span(name: str, headers: Mapping[str, str] | None = None) -> Iterator[Span]:
    """Work named `name`, a child of the trace in `headers`, else of the current span, else a new trace."""
    context = _propagator.extract(headers) if headers else None
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):  # nobody has set up an SDK
        with trace.use_span(_unrecorded(trace.get_current_span(context).get_span_context())) as silent:
            yield silent
        return
    with _tracer.start_as_current_span(name, context=context) as current:
        if current.is_recording():
            yield current
            return
        with trace.use_span(_unrecorded(current.get_span_context())) as silent:
            yield silent


def inject(headers: MutableMapping[str, str]) -> None:
    """Write the current span's `traceparent` into `headers`; nothing outside a span."""
    _propagator.inject(headers)


def trace_id() -> str:
    """32 hex digits, or "" outside a span."""
    current = trace.get_current_span().get_span_context()
    return trace.format_trace_id(current.trace_id) if current.is_valid else ""


def _unrecorded(parent: SpanContext) -> Span:
    # 0 is the one invalid value of either id.
    trace_bits = parent.trace_id or random.getrandbits(127) + 1
    flags = parent.trace_flags if parent.is_valid else TraceFlags(TraceFlags.DEFAULT)
    return NonRecordingSpan(SpanContext(trace_bits, random.getrandbits(63) + 1, is_remote=False, trace_flags=flags))

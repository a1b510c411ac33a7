from linstock import tracing


def test_a_trace_goes_on_through_headers() -> None:
    headers: dict[str, str] = {}
    with tracing.span("request"):
        first = tracing.trace_id()
        tracing.inject(headers)
    with tracing.span("reaction", headers):
        assert tracing.trace_id() == first
        onward: dict[str, str] = {}
        tracing.inject(onward)
    assert onward[tracing.HEADER] != headers[tracing.HEADER]
    assert onward[tracing.HEADER].split("-")[1] == first


def test_a_nested_span_belongs_to_the_same_trace() -> None:
    with tracing.span("outer"):
        outer = tracing.trace_id()
        with tracing.span("inner"):
            assert tracing.trace_id() == outer


def test_each_request_is_a_trace_of_its_own() -> None:
    seen = set()
    for _ in range(100):
        with tracing.span("request"):
            seen.add(tracing.trace_id())
    assert len(seen) == 100


def test_outside_a_span_there_is_nothing_to_hand_on() -> None:
    headers: dict[str, str] = {}
    tracing.inject(headers)
    assert headers == {}
    assert tracing.trace_id() == ""


def test_a_broken_header_begins_a_new_trace() -> None:
    with tracing.span("reaction", {tracing.HEADER: "not a traceparent"}):
        assert len(tracing.trace_id()) == 32

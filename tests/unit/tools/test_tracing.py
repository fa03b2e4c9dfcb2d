"""Traces: off unless OpenTelemetry's variables say otherwise, and what spans carry."""

import json
import logging
import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from edgewright.edge_runtime.logs import JsonFormatter
from edgewright.tools.errors import InputError
from edgewright.tools.tracing import (
    Tracing,
    identified,
    note,
    record,
    rename,
    span,
    trace_headers,
    traced,
)

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter):
    opened = Tracing("test", "one", exporter=exporter, environ={})
    yield opened
    opened.close()


def finished(tracing, exporter):
    tracing._provider.force_flush()
    return {one.name: one for one in exporter.get_finished_spans()}


def test_spans_of_a_request_are_one_trace_below_the_callers(tracing, exporter):
    with tracing.trace("GET", {"traceparent": PARENT}, {"a": 1}):
        rename("GET /x")
        with span("step", {"b": "c"}, kind="client"):
            note("d", 2.5)
            headers = trace_headers()
            record("worked", 10, 30, {"process.pid": 7})
    spans = finished(tracing, exporter)
    root, step, worked = spans["GET /x"], spans["step"], spans["worked"]
    assert f"{root.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{root.parent.span_id:016x}" == PARENT.split("-")[2]
    assert step.parent.span_id == root.context.span_id
    assert dict(step.attributes) == {"b": "c", "d": 2.5}
    assert headers["traceparent"].split("-")[2] == f"{step.context.span_id:016x}"
    assert (worked.start_time, worked.end_time) == (10, 30)
    assert root.resource.attributes["service.instance.id"] == "one"


def test_errors_are_named_by_code_without_their_message(tracing, exporter):
    with pytest.raises(InputError), tracing.trace("GET", {}, {}):
        raise InputError("the secret question", code="odd")
    (failed,) = finished(tracing, exporter).values()
    assert failed.attributes["error.type"] == "odd"
    assert "secret" not in failed.to_json()


@pytest.mark.parametrize("header", ["", "nonsense", PARENT[:-3], "\udcff" * 55])
def test_a_damaged_parent_begins_a_trace(tracing, exporter, header):
    with tracing.trace("GET", {"traceparent": header}, {}):
        pass
    (root,) = finished(tracing, exporter).values()
    assert root.parent is None


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"},
        {"OTEL_TRACES_EXPORTER": "zipkin"},
    ],
)
def test_it_is_off_unless_an_exporter_is_named(environ, caplog):
    tracing = Tracing("test", environ=environ)
    with tracing.trace("GET", {}, {}), span("x"):
        assert not traced()
        assert trace_headers() == {}
    tracing.close()
    assert ("zipkin" in caplog.text) == ("zipkin" in environ.values())


def test_nothing_is_imported_while_it_is_off():
    program = (
        "import sys; from edgewright.tools.tracing import Tracing, span\n"
        "t = Tracing('x')\nwith t.trace('a', {}, {}), span('b'): pass\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={}, timeout=60)


def test_log_lines_name_the_request_and_its_trace(tracing):
    line = logging.LogRecord("a", logging.INFO, "f", 1, "hello %s", ("you",), None)
    line.fields = {"status": 404}
    with identified("r1"), tracing.trace("GET", {"traceparent": PARENT}, {}):
        written = json.loads(JsonFormatter().format(line))
    assert written["message"] == "hello you"
    assert (written["request"], written["status"]) == ("r1", 404)
    assert written["trace"] == PARENT.split("-")[1]
    assert "request" not in json.loads(JsonFormatter().format(line))

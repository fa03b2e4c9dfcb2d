"""Traces of requests across processes and nodes, as OpenTelemetry spans, and their request ids.

Nothing of OpenTelemetry is imported unless its standard variables turn tracing on. A span is only
made below another one, so code that runs outside a traced request pays for one look-up. Spans carry
ids, names and sizes; never a request's text, arguments or images.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import entry_points, version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, cast

from edgewright.tools.errors import EdgewrightError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Tracer, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

log = logging.getLogger(__name__)

Kind = Literal["server", "client", "internal"]
Value = str | int | float | bool
Attributes = Mapping[str, Value]

#: Variables with the address of a collector; one of them turns tracing on.
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_EXPORTERS = "opentelemetry_traces_exporter"


@dataclass(frozen=True)
class _Current:
    """The span that runs, and what makes spans below it."""

    span: Span
    tracer: Tracer


_span: ContextVar[_Current | None] = ContextVar("edgewright_span", default=None)
_request_id: ContextVar[str] = ContextVar("edgewright_request_id", default="")


def request_id() -> str:
    """Return the id of the request that is served; empty outside of one."""
    return _request_id.get()


@contextmanager
def identified(identity: str) -> Iterator[None]:
    """Serve a request under an id, which its calls to other nodes carry on.

    Args:
        identity: The id.
    """
    token = _request_id.set(identity)
    try:
        yield
    finally:
        _request_id.reset(token)


class Tracing:
    """What begins traces in a process; a process that records none has one as well.

    Args:
        service: Name of the service, unless ``OTEL_SERVICE_NAME`` names it.
        instance: Name of the instance, such as the node's.
        environ: Environment that turns tracing on.
        exporter: Takes the spans; None creates what the environment names.
    """

    def __init__(
        self,
        service: str,
        instance: str = "",
        *,
        environ: Mapping[str, str] = os.environ,
        exporter: SpanExporter | None = None,
    ) -> None:
        self._provider: TracerProvider | None = None
        if exporter is None and not _turned_on(environ):
            return
        if importlib.util.find_spec("opentelemetry.sdk") is None:
            log.warning(
                "an OTEL_ variable turns traces on, but OpenTelemetry is not installed: "
                "pip install 'edgewright[tracing]'"
            )
            return
        exporter = exporter or _named_exporter(environ)
        if exporter is not None:
            self._provider = _provider(service, instance, environ, exporter)

    @property
    def on(self) -> bool:
        """Whether it records anything."""
        return self._provider is not None

    @contextmanager
    def trace(
        self, name: str, headers: Mapping[str, str], attributes: Attributes
    ) -> Iterator[None]:
        """Record a request and the spans below it, within the caller's trace if it names one.

        Args:
            name: Name of the first span.
            headers: Headers of the request, in lower case.
            attributes: Attributes of the span.
        """
        if self._provider is None:
            yield
            return
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        tracer = cast("Tracer", self._provider.get_tracer("edgewright", version("edgewright")))
        context = TraceContextTextMapPropagator().extract(headers)
        with _running(tracer, name, "server", context, attributes):
            yield

    def close(self) -> None:
        """Hand on the spans that wait, and stop; takes seconds if the collector is silent."""
        if self._provider is not None:
            self._provider.shutdown()


@contextmanager
def span(
    name: str, attributes: Attributes = MappingProxyType({}), *, kind: Kind = "internal"
) -> Iterator[None]:
    """Record a step of a traced request; outside of one, do nothing.

    Args:
        name: Name of the span.
        attributes: Attributes of the span.
        kind: ``client`` if another node is called.
    """
    current = _span.get()
    if current is None:
        yield
        return
    with _running(current.tracer, name, kind, _below(current), attributes):
        yield


def note(name: str, value: Value) -> None:
    """Set an attribute of the span that runs, if there is one."""
    if (current := _span.get()) is not None:
        current.span.set_attribute(name, value)


def rename(name: str) -> None:
    """Rename the span that runs, if there is one: what it is about may be known late."""
    if (current := _span.get()) is not None:
        current.span.update_name(name)


def traced() -> bool:
    """Return whether a span runs."""
    return _span.get() is not None


def record(name: str, began_ns: int, ended_ns: int, attributes: Attributes) -> None:
    """Record a step that another process of this machine has measured.

    Args:
        name: Name of the span.
        began_ns: When it began, in nanoseconds since the epoch.
        ended_ns: When it ended.
        attributes: Attributes of the span.
    """
    if (current := _span.get()) is not None:
        done = current.tracer.start_span(
            name, _below(current), attributes=dict(attributes), start_time=began_ns
        )
        done.end(ended_ns)


def trace_headers() -> dict[str, str]:
    """Return the W3C headers that continue the trace on another node; none outside of a trace."""
    carrier: dict[str, str] = {}
    if (current := _span.get()) is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(carrier, _below(current))
    return carrier


def trace_id() -> str:
    """Return the hexadecimal id of the trace; empty outside of one."""
    current = _span.get()
    return "" if current is None else f"{current.span.get_span_context().trace_id:032x}"


@contextmanager
def _running(
    tracer: Tracer, name: str, kind: Kind, context: Any, attributes: Attributes
) -> Iterator[None]:
    from opentelemetry.trace import SpanKind, Status, StatusCode

    began = tracer.start_span(
        name, context, kind=SpanKind[kind.upper()], attributes=dict(attributes)
    )
    token = _span.set(_Current(began, tracer))
    try:
        yield
    except BaseException as error:
        # Messages may quote the request; codes and types do not.
        code = error.info().code if isinstance(error, EdgewrightError) else type(error).__name__
        began.set_attribute("error.type", code)
        began.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        _span.reset(token)
        began.end()


def _below(current: _Current) -> Any:
    from opentelemetry.trace import set_span_in_context

    return set_span_in_context(current.span)


def _turned_on(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    named = environ.get("OTEL_TRACES_EXPORTER", "")
    return named != "none" and bool(named or any(environ.get(name) for name in _ENDPOINTS))


def _named_exporter(environ: Mapping[str, str]) -> SpanExporter | None:
    """Return the exporter that the environment names; None, with a warning, if there is none."""
    name = environ.get("OTEL_TRACES_EXPORTER") or "otlp"
    if name == "otlp":
        protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get(
            "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"
        )
        name = "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
    for found in entry_points(group=_EXPORTERS, name=name):
        return cast("SpanExporter", found.load()())
    log.warning(
        "no exporter of traces %r is installed; set OTEL_TRACES_EXPORTER to one that is", name[:100]
    )
    return None


def _provider(
    service: str, instance: str, environ: Mapping[str, str], exporter: SpanExporter
) -> TracerProvider:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    described = {
        "service.name": environ.get("OTEL_SERVICE_NAME") or service,
        "service.version": version("edgewright"),
        "service.instance.id": instance or platform.node(),
    }
    provider = TracerProvider(resource=Resource.create(described))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider

"""Telling by OpenTelemetry's SDK, over OTLP. The only module that imports it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from opentelemetry import context, metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dr_lib import __version__
from dr_lib.clock import utc_now
from dr_lib.telemetry import Attributes

PATIENCE_S: Final = 3.0
"""How long the end of the work may wait for whoever listens."""
_SERVICE: Final = "disaster-recovery"
_SECONDS: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400)
_LONGEST: Final = 500


class _Watched:
    """Remembers whether an exporter was ever refused."""

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter
        self.all_taken = True

    def export(self, *given: Any, **named: Any) -> Any:
        """As the exporter's own; what it raises counts as refused, and stops nothing."""
        try:
            result = self._exporter.export(*given, **named)
        except Exception:  # noqa: BLE001 - whatever a collector does, the work goes on
            result = None
        taken = result in (SpanExportResult.SUCCESS, MetricExportResult.SUCCESS)
        self.all_taken &= taken
        return result if result is not None else SpanExportResult.FAILURE

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exporter, name)


class _Running:
    """A span of the SDK's, as workflows know one."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, attributes: Attributes) -> None:
        """As `Span.note`."""
        self._span.set_attributes(dict(attributes))

    def failed(self, kind: str, what: str, exit_code: int) -> None:
        """As `Span.failed`."""
        self._span.set_attributes({"error.type": kind, "dr.exit_code": exit_code})
        self._span.set_status(trace.Status(trace.StatusCode.ERROR, what[:_LONGEST]))


class OtlpSink:
    """Hands over spans in the background and metrics at the end; `Sink` says the rest."""

    def __init__(self, tracer: trace.Tracer, meter: metrics.Meter, ends: list[Any], watched: list[_Watched]) -> None:
        """`ends` are what is flushed; `watched` know whether everything was taken."""
        self._tracer = tracer
        self._ends, self._watched = ends, watched
        self._runs = meter.create_counter("dr.workflow.runs", "{run}", "Runs of a workflow, by what became of them")
        self._duration = meter.create_histogram(
            "dr.workflow.duration", "s", "How long runs took", explicit_bucket_boundaries_advisory=_SECONDS
        )
        self._bytes = meter.create_counter("dr.workflow.bytes", "By", "Bytes of points, uploaded, restored")

    @contextmanager
    def span(self, name: str, attributes: Attributes) -> Iterator[_Running]:
        """As `Sink.span`."""
        with self._tracer.start_as_current_span(
            name, attributes=dict(attributes), record_exception=False, set_status_on_exception=False
        ) as running:
            yield _Running(running)

    def past(self, name: str, seconds: float) -> None:
        """As `Sink.past`."""
        now = int(utc_now().timestamp() * 1e9)
        self._tracer.start_span(name, start_time=now - int(seconds * 1e9)).end(now)

    def ran(self, workflow: str, outcome: str, seconds: float, counts: Mapping[str, int]) -> None:
        """As `Sink.ran`."""
        labels = {"dr.workflow": workflow, "dr.outcome": outcome}
        self._runs.add(1, labels)
        self._duration.record(seconds, labels)
        for kind, count in counts.items():
            self._bytes.add(count, {"dr.workflow": workflow, "dr.kind": kind})

    def flush(self) -> bool:
        """As `Sink.flush`. The SDK does not keep to a time itself where a collector neither answers nor hangs up."""
        flushing = threading.Thread(target=self._flush, daemon=True)
        flushing.start()
        flushing.join(PATIENCE_S)
        return not flushing.is_alive() and all(one.all_taken for one in self._watched)

    def _flush(self) -> None:
        for end in self._ends:
            with suppress(Exception):  # a reader that ran out of time; its exporter knows what was not taken
                end.force_flush(int(PATIENCE_S * 1000))


def opened(environ: Mapping[str, str]) -> OtlpSink:
    """A sink by OpenTelemetry's variables. A provider that is there already (Airflow's, `[traces] otel_on`) is used,
    so that spans of tasks have ours below them; `TRACEPARENT` says what all of it is part of elsewhere."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # one line of ours says it
    facts = {"service.version": __version__}
    if not environ.get("OTEL_SERVICE_NAME"):
        facts["service.name"] = _SERVICE
    resource = Resource.create(facts)
    watched: list[_Watched] = []
    tracers = trace.get_tracer_provider()
    if not isinstance(tracers, TracerProvider):
        tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        if _is_wanted(environ, "TRACES"):
            watched.append(_Watched(_span_exporter(environ)))
            tracers.add_span_processor(BatchSpanProcessor(watched[-1]))  # type: ignore[arg-type]
    readers = []
    if _is_wanted(environ, "METRICS"):
        watched.append(_Watched(_metric_exporter(environ)))
        readers.append(PeriodicExportingMetricReader(watched[-1]))  # type: ignore[arg-type]
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)
    if (parent := environ.get("TRACEPARENT")) and not trace.get_current_span().get_span_context().is_valid:
        context.attach(TraceContextTextMapPropagator().extract({"traceparent": parent}))
    return OtlpSink(tracers.get_tracer("dr_lib"), meters.get_meter("dr_lib"), [tracers, meters], watched)


def _is_wanted(environ: Mapping[str, str], signal: str) -> bool:
    named = (f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    return any(environ.get(name) for name in named)


def _is_grpc(environ: Mapping[str, str], signal: str) -> bool:
    named = environ.get(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    return named == "grpc"


def _span_exporter(environ: Mapping[str, str]) -> SpanExporter:
    if _is_grpc(environ, "TRACES"):
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc

        return Grpc()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _metric_exporter(environ: Mapping[str, str]) -> MetricExporter:
    if _is_grpc(environ, "METRICS"):
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as Grpc

        return Grpc()
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter()

"""A collector of OpenTelemetry's: takes OTLP over real HTTP and parses its protobuf."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """A context manager; `raw` is every body that came, `status` what it answers (0: nothing, ever)."""

    def __init__(self, status: int = 200) -> None:
        self.raw: list[bytes] = []
        self.spans: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.points: dict[str, list[tuple[dict[str, Any], Any]]] = {}
        self._status = status
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.02), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def named(self, name: str) -> Any:
        """The one span of that name."""
        (found,) = (one for one in self.spans if one.name == name)
        return found

    def below(self, span: Any) -> list[str]:
        """Names of the spans right below it, in the order of their beginnings."""
        found = [one for one in self.spans if one.parent_span_id == span.span_id]
        return [one.name for one in sorted(found, key=lambda one: one.start_time_unix_nano)]

    def _take(self, path: str, data: bytes) -> None:
        with self._lock:
            self.raw.append(data)
            if path == "/v1/traces":
                for group in ExportTraceServiceRequest.FromString(data).resource_spans:
                    self.resources.append(attributes(group.resource))
                    self.spans += [span for scope in group.scope_spans for span in scope.spans]
            elif path == "/v1/metrics":
                for group in ExportMetricsServiceRequest.FromString(data).resource_metrics:
                    for metric in (metric for scope in group.scope_metrics for metric in scope.metrics):
                        held = metric.sum if metric.HasField("sum") else metric.histogram
                        told = [(attributes(point), point) for point in held.data_points]
                        self.points.setdefault(metric.name, []).extend(told)

    def _handler(collector) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler's own self is another one
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    data = gzip.decompress(data)
                collector._take(self.path, data)
                if collector._status == 0:
                    collector._over.wait(60)
                    return
                self.send_response(collector._status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        return Handler


def attributes(holder: Any) -> dict[str, Any]:
    """Of a span, a resource or a data point, as Python has them."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in holder.attributes}

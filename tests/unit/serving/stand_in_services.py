"""A small API server of Kubernetes over real HTTP: services with versions, and pods that are ready or not."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

SERVICE, PODS = "/api/v1/namespaces/models/services/api", "/api/v1/namespaces/models/pods"


class StandInServices:
    """One service `api` in the namespace `models`; `ready` are the labels of pods that are ready."""

    def __init__(self, selector: dict[str, str]) -> None:
        self.selector = dict(selector)
        self.version = 7
        self.ready: list[dict[str, str]] = []
        self.before_patch: Any = lambda: None
        self.refuses = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.02), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def service(self) -> dict[str, Any]:
        facts = {"name": "api", "namespace": "models", "resourceVersion": str(self.version)}
        return {"kind": "Service", "apiVersion": "v1", "metadata": facts, "spec": {"selector": self.selector}}

    def pods(self, wanted: dict[str, str]) -> dict[str, Any]:
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        found = [labels for labels in self.ready if wanted.items() <= labels.items()]
        items = [
            {"metadata": {"name": f"pod-{n}", "labels": labels}, "status": status} for n, labels in enumerate(found)
        ]
        return {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}

    def patch(self, change: dict[str, Any]) -> int:
        """As a merge patch: null takes a label away; 409 for another version than the one that stands."""
        self.before_patch()
        if change["metadata"].get("resourceVersion") != str(self.version):
            return 409
        for name, value in change["spec"]["selector"].items():
            if value is None:
                self.selector.pop(name, None)
            else:
                self.selector[name] = value
        self.version += 1
        return 200


def _handler(cluster: StandInServices) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if cluster.refuses:
                self._say(cluster.refuses, {"kind": "Status", "code": cluster.refuses})
            elif asked.path == SERVICE:
                self._say(200, cluster.service())
            elif asked.path == PODS:
                labels = parse_qs(asked.query).get("labelSelector", [""])[0]
                self._say(200, cluster.pods(dict(pair.split("=") for pair in labels.split(",") if pair)))
            else:
                self._say(404, {"kind": "Status", "code": 404})

        def do_PATCH(self) -> None:
            status = cluster.patch(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._say(status, cluster.service() if status == 200 else {"kind": "Status", "code": status})

        def _say(self, status: int, said: dict[str, Any]) -> None:
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler

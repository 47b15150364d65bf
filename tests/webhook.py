"""A receiver of webhooks on the loopback, which keeps what it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Webhook:
    """`url` as Apprise writes it; `status` is what the next senders are answered."""

    url: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    def titles(self) -> list[str]:
        return [one["title"] for one in self.heard]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Listens until this ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if found.status == 200:
                found.heard.append(said)
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, format: str, *words: Any) -> None:  # noqa: A002 - its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Webhook(f"json://127.0.0.1:{server.server_port}/s3cret-token")
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()

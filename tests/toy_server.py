"""A model server that a test holds in its hand: it answers with the digest of the file that it loaded, or as told."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

MODEL = "model.safetensors"


class ToyServer:
    """Serves `directory`/model.safetensors on a free port of the loopback until closed; a context manager.

    `mood` is how it answers: `well`, `wrong` (another digest), `503`, `garbage`, `drips`, `endless` or `hangs`.
    """

    def __init__(self, directory: Path | None = None, port: int = 0) -> None:
        self.directory = directory
        self.mood = "well"
        self.asked = 0
        self.loads = 0
        self.digest: str | None = None
        self.on_reload: Any = None
        self.free = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who asked has gone
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.02), daemon=True)
        self.load()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def load(self) -> None:
        file = None if self.directory is None else self.directory / MODEL
        if file is not None and file.exists():
            self.digest = hashlib.sha256(file.read_bytes()).hexdigest()
            self.loads += 1

    def told(self) -> dict[str, Any]:
        """It was told to load, and did."""
        self.load()
        if self.on_reload is not None:
            self.on_reload()
        return {"status": "ok"}

    def answer(self) -> dict[str, Any]:
        self.asked += 1
        wrong = {"digest": "another one's", "norm": 2.0} if self.mood == "wrong" else {}
        return {"digest": self.digest, "norm": 1.0} | wrong

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gone: connections are refused from now on."""
        self.free.set()
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()

    def _handler(toy) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler's own self is another one
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                self._answer(200 if toy.digest else 503, {"status": "ok" if toy.digest else "empty"})

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self._answer(200, toy.told() if self.path == "/reload" else toy.answer())

            def _answer(self, status: int, said: dict[str, Any]) -> None:
                if toy.mood == "hangs":
                    toy.free.wait(30)
                    return
                data = b"no json" if toy.mood == "garbage" else json.dumps(said).encode()
                self.send_response(503 if toy.mood == "503" else status)
                self.send_header("Content-Type", "application/json")
                if toy.mood in ("drips", "endless"):
                    self.end_headers()
                    self._never_ends()
                else:
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            def _never_ends(self) -> None:
                part = b"x" * (1 if toy.mood == "drips" else 1 << 20)
                try:
                    while not toy.free.wait(0.05 if toy.mood == "drips" else 0):
                        self.wfile.write(part)
                        self.wfile.flush()
                except OSError:
                    pass

        return Handler

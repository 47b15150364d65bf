"""A small model server: embeddings of a sentence-transformers model that lies in a directory.

`python -m dr_lib.demo.model_server --directory DIR --port PORT`. It shows what an endpoint's site has to do: answer
`GET /healthz` with 200 once a model is loaded and 503 before, answer questions (`POST /embed {"texts": […]}`), and load
again what lies in the directory when told (`POST /reload`), while it goes on to answer with what it has.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Text = Annotated[str, Field(max_length=10_000)]


class Texts(BaseModel):
    """What is asked."""

    texts: Annotated[list[Text], Field(min_length=1, max_length=64)]


class Loaded:
    """The model that answers, and where it came from. One that does not load leaves the one before in its place."""

    def __init__(self, directory: Path) -> None:
        """Nothing is loaded yet."""
        self._directory = directory
        self._lock = threading.Lock()
        self._model: SentenceTransformer | None = None
        self.source = ""

    def load(self) -> str:
        """Load what lies in the directory now; its name, links followed."""
        from sentence_transformers import SentenceTransformer

        with self._lock:
            place = self._directory.resolve(strict=True)
            self._model = SentenceTransformer(str(place), device="cpu", local_files_only=True)
            self.source = place.name
            return self.source

    @property
    def model(self) -> SentenceTransformer:
        """The model; 503 where none is loaded."""
        if self._model is None:
            raise HTTPException(503, "no model is loaded")
        return self._model


def application(loaded: Loaded) -> FastAPI:
    """The server's answers."""
    app = FastAPI(title="Model server", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    def healthy() -> dict[str, str]:
        loaded.model  # noqa: B018 - which refuses where there is none
        return {"status": "ok", "model": loaded.source}

    @app.post("/embed")
    def embed(asked: Texts) -> dict[str, list[list[float]]]:
        return {"embeddings": loaded.model.encode(asked.texts).tolist()}

    @app.post("/reload")
    def reload() -> dict[str, str]:
        try:
            return {"status": "ok", "model": loaded.load()}
        except Exception as error:
            raise HTTPException(500, f"the model does not load: {type(error).__name__}") from error

    return app


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """`directory`, `host` and `port` of a command line."""
    parser = argparse.ArgumentParser("model_server", description="Serves the embeddings of a model in a directory.")
    parser.add_argument("--directory", type=Path, required=True, help="of the model; a link is followed")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    return parser.parse_args(given)


def main() -> None:
    """Serve until told to end. A directory that holds no model yet is waited for: `/reload` loads it."""
    given = arguments()
    loaded = Loaded(given.directory)
    if given.directory.exists():
        loaded.load()
    uvicorn.run(application(loaded), host=given.host, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()

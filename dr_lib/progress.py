"""How long work tells whoever watches how far it is. The CLI draws a bar; a worker keeps silent."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives bytes as they are done; called from several threads."""

    def start(self, total_bytes: int, label: str) -> None:
        """A phase begins that will handle about `total_bytes`; ends the phase before it."""
        ...

    def advance(self, count: int) -> None:
        """`count` more bytes are done."""
        ...

    def finish(self) -> None:
        """The last phase ended; safe to call twice."""
        ...


class Silent:
    """Progress that nobody watches."""

    def start(self, total_bytes: int, label: str) -> None:
        """Nothing to show."""

    def advance(self, count: int) -> None:
        """Nothing to show."""

    def finish(self) -> None:
        """Nothing to show."""


SILENT = Silent()

"""The bar on a terminal; apart, since nobody else waits for rich to be imported."""

from __future__ import annotations

from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as RichProgress

from dr_lib.cli.output import console


class Bar:
    """A bar with bytes, rate and time left."""

    def __init__(self) -> None:
        """Draws nothing before the first phase."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._bars = RichProgress(*columns, console=console(stderr=True))
        self._phase: TaskID | None = None

    def start(self, total_bytes: int, label: str) -> None:
        """A phase begins; the bar of the one before it stays as it ended."""
        self._bars.start()
        self._phase = self._bars.add_task(label, total=total_bytes or None)

    def advance(self, count: int) -> None:
        """`count` more bytes are done."""
        if self._phase is not None:
            self._bars.advance(self._phase, count)

    def finish(self) -> None:
        """Leave the last state on the terminal."""
        self._bars.stop()

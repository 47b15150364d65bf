"""Figures from records: medians of a step, and medians of ratios paired round by round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.peers.running import Record
from benchmarks.peers.scenarios import OURS

Value = Callable[[Record], float]


def wall(record: Record) -> float:
    """Seconds on the wall."""
    return record.wall


def cpu(record: Record) -> float:
    """Processor seconds."""
    return record.cpu


def peak(record: Record) -> float:
    """Greatest resident memory in bytes."""
    return record.peak


def stored_share(record: Record) -> float:
    """Stored bytes of a first backup over logical bytes."""
    return record.stored / record.logical


def new_share(record: Record) -> float:
    """Bytes that a backup added over logical bytes."""
    return record.new / record.logical


def read_share(record: Record) -> float:
    """Bytes asked from `read`, the program's own modules included, over logical bytes."""
    return record.read / record.logical


def metadata_share(record: Record) -> float:
    """Bytes outside the packs over all stored bytes."""
    return record.metadata / record.stored


class Figures:
    """Looks records up; None stands for what was not measured."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = tuple(records)
        present = {record.tool for record in records}
        self.ours = next((name for name in OURS if name in present), OURS[0])
        """The way to run this project that the bars are held against: sealed, once it can be."""

    def tools(self, scenario: str) -> list[str]:
        """Who was measured there, in the order of the first turn."""
        return list(dict.fromkeys(record.tool for record in self._records if record.scenario == scenario))

    def steps(self, scenario: str) -> list[str]:
        """What was measured there, in order."""
        return list(dict.fromkeys(record.step for record in self._records if record.scenario == scenario))

    def of(self, scenario: str, step: str, tool: str, value: Value) -> float | None:
        """Median over the rounds."""
        found = [value(record) for record in self._at(scenario, step, tool).values()]
        return median(found) if found else None

    def against(self, scenario: str, step: str, peer: str, value: Value = wall) -> float | None:
        """Median of ours over the peer's in the same round."""
        mine, theirs = self._at(scenario, step, self.ours), self._at(scenario, step, peer)
        found = [value(mine[number]) / value(theirs[number]) for number in mine.keys() & theirs.keys()]
        return median(found) if found else None

    def logical(self, scenario: str, step: str) -> int:
        """Bytes of the source at that step; 0 when it was not measured."""
        return next((r.logical for r in self._records if (r.scenario, r.step) == (scenario, step)), 0)

    def _at(self, scenario: str, step: str, tool: str) -> dict[int, Record]:
        key = (scenario, step, tool)
        return {record.round: record for record in self._records if (record.scenario, record.step, record.tool) == key}

"""The bars that this project set itself, and what was measured beside them; losses are printed like the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.peers.figures import (
    Figures,
    Value,
    cpu,
    metadata_share,
    new_share,
    peak,
    read_share,
    stored_share,
    wall,
)
from benchmarks.peers.running import CHANGED, FIRST, RESTORE, UNCHANGED, Record
from benchmarks.peers.scenarios import BACKUP_TOOLS, LARGE, MODEL, PARQUET, SMALL, real
from benchmarks.peers.whole_files import Sizes

STORED_BARS = {"bf16": 0.67, "fp32": 0.825, "fp16": 0.855}
MIB = 1 << 20
PEAK_BAR = 600


@dataclass(frozen=True)
class Row:
    """One line of the table. `measured` None: not measured; `bar` None: nothing was promised."""

    what: str
    measured: float | None
    bar: float | None
    beside: str = ""
    digits: int = 2
    cpu: float | None = None
    """The same ratio of processor seconds, which other work on the machine disturbs less."""

    @property
    def verdict(self) -> str:
        """pass, miss, or why neither."""
        if self.measured is None:
            return "not measured"
        if self.bar is None:
            return "no bar"
        return "pass" if self.measured <= self.bar else "MISS"


def rows(figures: Figures, whole_files: Sizes) -> list[Row]:
    """Every row, also those that could not be measured."""
    return [
        *_stored(figures, whole_files),
        *_times(figures, MODEL, FIRST, "first backup of the model", {"restic": 0.40, "s5cmd": 0.90}),
        _second_version(figures),
        *_times(figures, MODEL, UNCHANGED, "unchanged model again", {"restic": 0.5}),
        Row("unchanged model again: bytes read / logical", _mine(figures, MODEL, UNCHANGED, read_share), 0.10),
        *_times(figures, MODEL, RESTORE, "restore of the model", {"restic": 0.5, "s5cmd": 0.8}),
        *_times(figures, SMALL, FIRST, "first backup of small files", {"restic": 0.6}),
        *_times(figures, SMALL, UNCHANGED, "unchanged small files again", {"restic": None}),
        *_times(figures, SMALL, RESTORE, "restore of small files", {"restic": 0.6}),
        *_peaks(figures),
        *_metadata(figures),
        _parquet(figures),
    ]


def _stored(figures: Figures, whole_files: Sizes) -> Iterator[Row]:
    for dtype, bar in STORED_BARS.items():
        others = dict(whole_files.get(dtype, {})) | _shares(figures, real(dtype), FIRST, stored_share)
        measured = _mine(figures, real(dtype), FIRST, stored_share)
        yield Row(f"real weights {dtype}: stored / logical", measured, bar, _listed(others), digits=3)


def _times(figures: Figures, scenario: str, step: str, what: str, bars: dict[str, float | None]) -> Iterator[Row]:
    seconds = {tool: figures.of(scenario, step, tool, wall) for tool in figures.tools(scenario)}
    told = ", ".join(f"{tool} {value:.1f} s" for tool, value in seconds.items() if value is not None)
    for peer, bar in bars.items():
        busy = figures.against(scenario, step, peer, cpu)
        yield Row(f"{what}: ours / {peer}", figures.against(scenario, step, peer), bar, told, cpu=busy)


def _second_version(figures: Figures) -> Row:
    # A plain copy replaces the first version, so that it adds nothing and keeps nothing.
    others = {t: share for t, share in _shares(figures, MODEL, CHANGED, new_share).items() if t in BACKUP_TOOLS}
    what = "a quarter of the layers tuned: new / logical"
    return Row(what, _mine(figures, MODEL, CHANGED, new_share), 0.17, _listed(others), digits=3)


def _peaks(figures: Figures) -> Iterator[Row]:
    for scenario, name in ((MODEL, "model"), (LARGE, "model ten times as large")):
        for step, verb in ((FIRST, "backup"), (RESTORE, "restore")):
            found = {tool: figures.of(scenario, step, tool, peak) for tool in figures.tools(scenario)}
            told = ", ".join(f"{tool} {value / MIB:.0f}" for tool, value in found.items() if value is not None)
            mine = found.get(figures.ours)
            yield Row(f"peak memory, {verb} of the {name}: MiB", mine and mine / MIB, PEAK_BAR, told, digits=0)


def _metadata(figures: Figures) -> Iterator[Row]:
    for scenario, bar in ((MODEL, 0.002), (SMALL, None)):
        share = _mine(figures, scenario, FIRST, metadata_share)
        yield Row(f"{scenario}: metadata / stored", share, bar, digits=4)


def _parquet(figures: Figures) -> Row:
    appended = figures.logical(PARQUET, CHANGED) - figures.logical(PARQUET, FIRST)

    def share(record: Record) -> float:
        return record.new / appended

    others = _shares(figures, PARQUET, CHANGED, share) if appended else {}
    mine = _mine(figures, PARQUET, CHANGED, share) if appended else None
    return Row("parquet with rows appended: new / appended", mine, None, _listed(others))


def _mine(figures: Figures, scenario: str, step: str, value: Value) -> float | None:
    return figures.of(scenario, step, figures.ours, value)


def _shares(figures: Figures, scenario: str, step: str, value: Value) -> dict[str, float]:
    """Of every tool but the one that the bar is about."""
    found = {t: figures.of(scenario, step, t, value) for t in figures.tools(scenario) if t != figures.ours}
    return {tool: share for tool, share in found.items() if share is not None}


def _listed(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.3f}" for name, share in shares.items())


def losses(table: Sequence[Row]) -> list[Row]:
    """Rows that miss their bar."""
    return [row for row in table if row.verdict == "MISS"]

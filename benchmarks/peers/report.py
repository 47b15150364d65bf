"""The table on the terminal, and `results.md`."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.peers.bars import Row
from benchmarks.peers.figures import Figures, cpu, peak, wall
from benchmarks.peers.scenarios import Scenario

MB = 1_000_000
PICTURE = "results.svg"
HEAD = """# Measured against real peers

Written by `make bench` on {date}; every figure is of that one run. Each tool was run as its user runs it, with its
defaults and a process for each command, on the same bytes and against the same S3 server (SeaweedFS on the same cores
and disk); tools took turns in changing order, {rounds}. A ratio is the median of the ratios of each round; below 1 we
are better. Sources were in the page cache, buckets new and their volumes made, and whatever was restored was compared
with its source.

{machine}

The bars are this project's own; where one is missed it says so. "ours" is {ours}; "CPU" is the same ratio of
processor seconds, the server's left out.

![Seconds and bytes of each tool]({picture})
"""


@dataclass(frozen=True)
class Run:
    """What one run of the benchmark found."""

    scenarios: Sequence[Scenario]
    figures: Figures
    table: Sequence[Row]
    versions: Sequence[str]
    unmeasured: Sequence[str]
    rounds: int
    date: str


def print_table(table: Sequence[Row]) -> None:
    """For a person at a terminal."""
    shown = Table("what", "measured", "bar", "verdict", "CPU", "beside it", title="Bars")
    for row in table:
        shown.add_row(row.what, *_cells(row), row.beside)
    Console(width=None if os.isatty(1) else 150, markup=False).print(shown)


def markdown(run: Run) -> str:
    """The whole of `results.md`."""
    head = HEAD.format(
        date=run.date,
        rounds=f"{run.rounds} round{'s' if run.rounds > 1 else ''}; sizes once",
        machine=_machine(),
        ours="the sealed and signed vault"
        if run.figures.ours == "ours"
        else "the vault in the clear, while restic and borg encrypt",
        picture=PICTURE,
    )
    return "\n".join(
        [head, *_bars(run.table), "", *_details(run), "## Tools", "", *_listed(run.versions), "", *_rest(run)]
    )


def _cells(row: Row) -> tuple[str, str, str, str]:
    measured = "" if row.measured is None else f"{row.measured:.{row.digits}f}"
    bar = "" if row.bar is None else f"≤ {row.bar:g}"
    return measured, bar, row.verdict, "" if row.cpu is None else f"{row.cpu:.2f}"


def _bars(table: Sequence[Row]) -> Iterator[str]:
    yield from ("## Bars", "", "| what | measured | bar | | CPU | beside it |", "|---|---|---|---|---|---|")
    for row in table:
        measured, bar, verdict, busy = _cells(row)
        shown = f"**{measured}**" if measured else ""
        yield f"| {row.what} | {shown} | {bar} | {verdict} | {busy} | {row.beside} |"


def _details(run: Run) -> Iterator[str]:
    yield from (
        "## Everything that was measured",
        "",
        "Medians; processor seconds are the tool's own, without the server's.",
        "",
    )
    for scenario in run.scenarios:
        tools = run.figures.tools(scenario.name)
        if tools:
            yield from _detail(run.figures, scenario, tools)


def _detail(figures: Figures, scenario: Scenario, tools: Sequence[str]) -> Iterator[str]:
    yield from (f"### {scenario.title}", "", "| step | tool | s | CPU s | peak MB | logical MB | new MB | stored MB |")
    yield "|---|---|---|---|---|---|---|---|"
    for step in figures.steps(scenario.name):
        logical = figures.logical(scenario.name, step) / MB
        for tool in tools:
            found = [
                figures.of(scenario.name, step, tool, value)
                for value in (wall, cpu, peak, lambda r: r.new, lambda r: r.stored)
            ]
            if None in found:
                continue
            seconds, busy, memory, new, stored = (value or 0.0 for value in found)
            sizes = f"{logical:.1f} | {new / MB:.2f} | {stored / MB:.1f}"
            yield f"| {step} | {tool} | {seconds:.2f} | {busy:.2f} | {memory / MB:.0f} | {sizes} |"
    yield ""


def _listed(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _rest(run: Run) -> list[str]:
    return ["## Not measured", "", *_listed(run.unmeasured), ""]


def _machine() -> str:
    cores = len(os.sched_getaffinity(0))
    memory = psutil.virtual_memory().total / (1 << 30)
    return (
        f"{cores} cores, {memory:.0f} GiB of memory, {platform.system()} {platform.release().split('-')[0]} "
        f"{platform.machine()}, Python {platform.python_version()}."
    )

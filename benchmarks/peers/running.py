"""Runs scenarios: every tool in turn, in another order each round, each in an empty bucket and an empty folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.peers.measuring import Cost, Failed, measure
from benchmarks.peers.scenarios import Scenario
from benchmarks.peers.server import Server
from benchmarks.peers.tool import Place, Stored, Tool

FIRST, UNCHANGED, RESTORE, CHANGED, RESTORE_CHANGED = "first", "unchanged", "restore", "changed", "restore changed"
Digests = dict[str, str]


@dataclass(frozen=True)
class Record:
    """One measured command. Sizes in bytes; `logical` is the source's, `stored` and `metadata` the store's after it,
    `new` what the command added to the store."""

    scenario: str
    tool: str
    round: int
    step: str
    wall: float
    cpu: float
    peak: int
    read: int
    logical: int
    stored: int
    new: int
    metadata: int


@dataclass(frozen=True)
class Version:
    """A made source at rest: where it lies while it is not live, its bytes, and its files' digests."""

    path: Path
    logical: int
    digests: Digests


def run_scenario(
    scenario: Scenario, tools: Sequence[Tool], server: Server, folder: Path, rounds: int
) -> Iterator[Record]:
    """Make the sources below `folder`, run, remove them. `Failed` when a tool fails or gives back other bytes."""
    folder.mkdir()
    try:
        versions = [_made(make, folder / f"version {number}") for number, make in enumerate(scenario.versions)]
        chosen = [tool for tool in tools if tool.name in scenario.tools]
        for number in range(scenario.rounds or rounds):
            for tool in _turned(chosen, number):
                with _turn(scenario, tool, server, folder) as place:
                    for record in _steps(scenario, tool, place, versions, number):
                        print(f"{record.scenario}, {record.tool}: {record.step} {record.wall:.2f} s", file=sys.stderr)
                        yield record
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(make: Callable[[Path], None], path: Path) -> Version:
    make(path)
    return Version(path, sum(file.stat().st_size for file in path.rglob("*") if file.is_file()), digests(path))


def _turned(tools: Sequence[Tool], number: int) -> list[Tool]:
    """Another tool begins each round, and every other round goes backwards."""
    at = number % len(tools) if tools else 0
    turned = [*tools[at:], *tools[:at]]
    return turned[::-1] if number % 2 else turned


@contextmanager
def _turn(scenario: Scenario, tool: Tool, server: Server, folder: Path) -> Iterator[Place]:
    own = folder / "tool"
    own.mkdir()
    try:
        with server.bucket(f"{tool.name}-{folder.name}") as bucket:
            yield Place(folder / "live", scenario.kind, server, bucket, own)
    finally:
        shutil.rmtree(own)


def _steps(scenario: Scenario, tool: Tool, place: Place, versions: Sequence[Version], number: int) -> Iterator[Record]:
    for command in tool.setup(place):
        measure(command)
    before = tool.stored(place)

    def noted(step: str, version: Version, cost: Cost) -> Record:
        nonlocal before
        after = tool.stored(place)
        record = _record(scenario, tool, number, step, version, cost, before, after)
        before = after
        return record

    for turn, version in enumerate(versions):
        with _live(version, place.source):
            if turn:
                _touch(place.source)
            yield noted(CHANGED if turn else FIRST, version, measure(tool.backup(place)))
            if scenario.unchanged and not turn:
                yield noted(UNCHANGED, version, measure(tool.backup(place)))
        if scenario.restored:
            step = RESTORE_CHANGED if turn else RESTORE
            yield noted(step, version, _restored(tool, place, version))


def _record(
    scenario: Scenario, tool: Tool, number: int, step: str, version: Version, cost: Cost, before: Stored, after: Stored
) -> Record:
    new = after.total - before.total
    sizes = {"logical": version.logical, "stored": after.total, "new": new, "metadata": after.metadata}
    return Record(scenario=scenario.name, tool=tool.name, round=number, step=step, **asdict(cost), **sizes)


def _restored(tool: Tool, place: Place, version: Version) -> Cost:
    target = place.folder / "restored"
    try:
        cost = measure(tool.restore(place, target))
        if digests(tool.restored(place, target)) != version.digests:
            raise Failed(f"{tool.name} gave back other bytes than it was given")
        return cost
    finally:
        shutil.rmtree(target, ignore_errors=True)


@contextmanager
def _live(version: Version, path: Path) -> Iterator[None]:
    """The version in the place that is backed up. A rename leaves the files' own times as they are."""
    version.path.rename(path)
    try:
        yield
    finally:
        path.rename(version.path)


def _touch(root: Path) -> None:
    """A further version was written after the backup of the one before: s5cmd asks for nothing else."""
    for path in root.rglob("*"):
        path.touch()


def digests(root: Path) -> Digests:
    """SHA-256 of every file below `root`, by path."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            with path.open("rb") as file:
                found[str(path.relative_to(root))] = hashlib.file_digest(file, "sha256").hexdigest()
    return found

"""What is backed up: each scenario makes its source, one directory a version, and says which tools take it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.peers.models import DTYPES, make_generated, make_real
from benchmarks.peers.tables import GROUP_ROWS, make_parquet, make_small_files

OURS = ("ours", "ours-clear")
BACKUP_TOOLS = (*OURS, "restic", "borg")
ALL_TOOLS = (*BACKUP_TOOLS, "s5cmd", "rclone")

MODEL = "model"
LARGE = "large model"
SMALL = "small files"
PARQUET = "parquet"


REAL = "real weights"


def real(dtype: str) -> str:
    """Name of the scenario of the real weights in that dtype."""
    return f"{REAL} {dtype}"


@dataclass(frozen=True)
class Scenario:
    """`versions` make what is backed up one after another, each in a directory that is absent; `rounds` None: as asked.

    After the first backup come one of the unchanged source, if `unchanged`, and a restore, if `restored`; each further
    version is backed up and, if `restored`, restored.
    """

    name: str
    title: str
    kind: str
    versions: tuple[Callable[[Path], None], ...]
    tools: tuple[str, ...]
    unchanged: bool = False
    restored: bool = True
    rounds: int | None = None


def is_real(scenario: Scenario) -> bool:
    """Whether it backs the real weights up."""
    return scenario.name.startswith(REAL)


@dataclass(frozen=True)
class Scale:
    """`hidden` width of the generated model, `files` small ones, `rows` a row group."""

    hidden: int
    files: int
    rows: int


FULL = Scale(hidden=1792, files=20_000, rows=GROUP_ROWS)
QUICK = Scale(hidden=224, files=400, rows=5_000)
LARGE_REPEATS = 10


def scenarios(scale: Scale, *, large: bool) -> Iterator[Scenario]:
    """In the order in which they are run."""
    for dtype in DTYPES:
        make = partial(make_real, dtype=dtype)
        yield Scenario(real(dtype), f"all-MiniLM-L6-v2 in {dtype}", "model", (make,), BACKUP_TOOLS, rounds=1)
    before, after = (partial(make_generated, hidden=scale.hidden, tuned=tuned) for tuned in (False, True))
    yield Scenario(MODEL, "bf16 model, 4 of 16 layers tuned after", "model", (before, after), ALL_TOOLS, unchanged=True)
    files = partial(make_small_files, files=scale.files)
    yield Scenario(SMALL, f"{scale.files:,} files of 1 kB", "dataset", (files,), BACKUP_TOOLS, unchanged=True)
    grown = tuple(partial(make_parquet, rows=scale.rows, appended=appended) for appended in (False, True))
    yield Scenario(PARQUET, "parquet, row groups appended", "dataset", grown, BACKUP_TOOLS, rounds=1)
    if large:
        huge = partial(make_generated, hidden=scale.hidden, repeats=LARGE_REPEATS)
        yield Scenario(LARGE, "bf16 model ten times as large", "model", (huge,), OURS, rounds=1)

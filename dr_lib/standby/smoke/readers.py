"""A sample of a dataset's rows, read the way its training reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dr_lib.clock import monotonic
from dr_lib.model.drill import SmokeCheck
from dr_lib.model.smoke import PANDAS, TORCH, is_own_loader
from dr_lib.standby.smoke import tables
from dr_lib.standby.smoke.diagnosis import cause_of

if TYPE_CHECKING:
    import pandas as pd

_BATCH: Final = 64
_OWN_SAMPLES: Final = 1000


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader gave: a check, why it failed, and how many rows (of one's own reader: samples), how fast."""

    check: SmokeCheck
    cause: str | None
    rows: int
    rows_per_s: float


def read_sample(reader: str, directory: Path, recorded: Mapping[str, int]) -> Read:
    """The first rows of every table in `recorded` (rows by name) through `reader`; of one's own reader the first 1000
    samples that it gives. `IntegrityError` when a table cannot be decoded."""
    if reader == TORCH:
        import torch  # noqa: F401 - its import is no reading
    began = monotonic()
    if is_own_loader(reader):
        rows, cause = _through(reader, directory)
        check = SmokeCheck(f"sample through {reader}", f"{rows} samples", ">= 1 sample", cause is None)
        return Read(check, cause, rows, rows / (monotonic() - began))
    read = _by_pandas if reader == PANDAS else _by_torch
    found = {name: read(directory, name) for name in recorded}
    short = [name for name, rows in recorded.items() if found[name] != min(tables.SAMPLE_ROWS, rows)]
    rows, wanted = sum(found.values()), sum(min(tables.SAMPLE_ROWS, rows) for rows in recorded.values())
    check = SmokeCheck(f"sample through {reader}", f"{rows} rows", f"{wanted} rows", not short)
    cause = f"rows differ: a sample of {short[0]} has {found[short[0]]} rows" if short else None
    return Read(check, cause, rows, rows / (monotonic() - began))


def _by_pandas(directory: Path, name: str) -> int:
    return len(tables.sample(directory, name))


def _by_torch(directory: Path, name: str) -> int:
    from torch.utils.data import DataLoader

    rows: Any = _Rows(tables.sample(directory, name))
    loader: Any = DataLoader(rows, batch_size=_BATCH, collate_fn=_columns)
    return sum(len(next(iter(batch.values()))) for batch in loader if batch)


class _Rows:
    """A table's rows as a map-style dataset of torch."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._rows: list[dict[Any, Any]] = frame.to_dict("records")

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> dict[Any, Any]:
        return self._rows[number]


def _columns(rows: list[dict[Any, Any]]) -> dict[Any, Any]:
    """A batch: a tensor for each column of numbers, a list for any other."""
    import torch

    columns = {name: [row[name] for row in rows] for name in rows[0]}
    numbers = {name: all(isinstance(one, int | float) for one in values) for name, values in columns.items()}
    return {name: torch.tensor(values) if numbers[name] else values for name, values in columns.items()}


def _through(reader: str, directory: Path) -> tuple[int, str | None]:
    """How many samples an owner's reader gave, and what is wrong with it."""
    try:
        rows = sum(1 for _ in islice(_samples(reader, directory), _OWN_SAMPLES))
    except Exception as error:  # noqa: BLE001 - whatever an owner's reader raises is a finding
        return 0, f"the reader {reader} failed: {cause_of(error)}"
    return rows, None if rows else f"the reader {reader} gave no sample"


def _samples(reader: str, directory: Path) -> Iterator[Any]:
    module, _, name = reader.partition(":")
    function: Callable[[Path], Any] = getattr(import_module(module), name)
    return iter(function(directory))

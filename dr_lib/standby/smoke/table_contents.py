"""What a table's columns hold, by digest; of parquet by row group, so that a huge dataset can be compared in part."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as kinds

from dr_lib.standby.smoke.column_digest import ColumnDigest
from dr_lib.standby.smoke.sampling import Unit
from dr_lib.standby.smoke.tables import reading, text_of

_ROWS = 1 << 16


def units(directory: Path, names: Iterable[str]) -> Iterator[Unit]:
    """The parts in which the tables can be read: row groups with their stored bytes; a CSV is one part."""
    for name in names:
        path = directory / name
        if _is_csv(path):
            yield Unit(name, 0, path.stat().st_size)
            continue
        with pq.ParquetFile(path) as table:
            for number in range(table.num_row_groups):
                yield Unit(name, number, table.metadata.row_group(number).total_byte_size)


def contents(directory: Path, name: str, groups: Sequence[int] | None) -> dict[str, Any]:
    """`{"groups": […] or None for all, "columns": [[digest, mean or None], …]}` in the order of the columns.

    `IntegrityError` when the rows cannot be decoded.
    """
    path = directory / name
    columns = reading(name, lambda: _csv(path) if _is_csv(path) else _parquet(path, groups))
    return {"groups": None if groups is None else list(groups), "columns": columns}


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _parquet(path: Path, groups: Sequence[int] | None) -> list[list[Any]]:
    chosen = None if groups is None else list(groups)
    with pq.ParquetFile(path) as table:
        return _digested(len(table.schema_arrow), table.iter_batches(batch_size=_ROWS, row_groups=chosen))


def _csv(path: Path) -> list[list[Any]]:
    with text_of(path) as reader:
        return _digested(len(reader.schema), reader)


class _Column:
    def __init__(self) -> None:
        self.digest, self._sum, self._count = ColumnDigest(), 0.0, 0

    def add(self, values: pa.Array) -> None:
        self.digest.add(values)
        if kinds.is_integer(values.type) or kinds.is_floating(values.type):
            self._sum += float(pc.sum(pc.cast(values, pa.float64(), safe=False)).as_py() or 0.0)
            self._count += len(values) - values.null_count

    def facts(self) -> list[Any]:
        mean = self._sum / self._count if self._count else math.nan
        return [self.digest.hexdigest(), mean if math.isfinite(mean) else None]


def _digested(width: int, batches: Iterable[pa.RecordBatch]) -> list[list[Any]]:
    columns = [_Column() for _ in range(width)]
    for batch in batches:
        for column, values in zip(columns, batch.columns, strict=True):
            column.add(values)
    return [column.facts() for column in columns]

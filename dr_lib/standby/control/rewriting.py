"""A table file written anew with some of its columns changed, one row group at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from dr_lib.standby.smoke.tables import text_of

Change = Callable[[pa.Table], pa.Table]


def rewrite(source: Path, target: Path, change: Change) -> None:
    """Write `target` with every part of `source` changed. Row groups stay what they are, and so do columns' types."""
    if source.suffix.lower() == ".csv":
        _csv(source, target, change)
    else:
        _parquet(source, target, change)


def _parquet(source: Path, target: Path, change: Change) -> None:
    with pq.ParquetFile(source) as table, pq.ParquetWriter(target, table.schema_arrow) as writer:
        for number in range(table.num_row_groups):
            part = change(table.read_row_group(number))
            writer.write_table(part, row_group_size=max(1, part.num_rows))


def _csv(source: Path, target: Path, change: Change) -> None:
    with text_of(source) as reader, pa_csv.CSVWriter(target, reader.schema) as writer:
        for batch in reader:
            writer.write_table(change(pa.Table.from_batches([batch])))

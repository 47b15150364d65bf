"""What a table file holds: rows, and columns with their types. Reads parquet and CSV, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from dr_lib.errors import IntegrityError
from dr_lib.standby.smoke.footer_stats import footer_stats
from dr_lib.standby.smoke.table_names import is_table

SAMPLE_ROWS = 1000
_Value = TypeVar("_Value")


def table_files(directory: Path) -> list[str]:
    """Paths below `directory` of all files that are read as tables, sorted, with `/` between their parts."""
    found = (path for path in directory.rglob("*") if is_table(path.name) and path.is_file())
    return sorted(path.relative_to(directory).as_posix() for path in found)


def facts(directory: Path, name: str) -> dict[str, Any]:
    """`{"rows": n, "columns": [[name, type], …], "stats": {name: {"nulls", "min", "max"}}}`; `IntegrityError` when the
    file is no such table.

    Parquet is described by its footer: what that does not tell of a column is left out, and so are limits that are no
    finite numbers. CSV has no types: its columns are `text`, every row is read to count, and empty fields are nulls.
    """
    return reading(name, lambda: _FACTS[Path(name).suffix.lower()](directory / name))


def sample(directory: Path, name: str) -> pd.DataFrame:
    """The first 1000 rows, decoded; `IntegrityError` when they cannot be."""
    return reading(name, lambda: _SAMPLES[Path(name).suffix.lower()](directory / name))


def whole(directory: Path, name: str) -> pd.DataFrame:
    """The whole table in memory; `IntegrityError` when it cannot be decoded."""
    read = pd.read_csv if name.lower().endswith(".csv") else pd.read_parquet
    return reading(name, lambda: read(directory / name))


def reading(name: str, read: Callable[[], _Value]) -> _Value:
    """What `read` gives; `IntegrityError` in place of what pyarrow and pandas raise of a damaged table."""
    try:
        return read()
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError, ValueError) as error:
        said = str(error).strip().splitlines() or ["no message"]
        raise IntegrityError(f"damaged table: {name} cannot be read ({said[0][:200]})", where=name) from error


def _parquet_facts(path: Path) -> dict[str, Any]:
    with pq.ParquetFile(path) as table:
        columns = [[field.name, str(field.type)] for field in table.schema_arrow]
        return {"rows": table.metadata.num_rows, "columns": columns, "stats": footer_stats(table.metadata)}


def _csv_facts(path: Path) -> dict[str, Any]:
    with text_of(path) as reader:
        names = reader.schema.names
        rows, empty = 0, [0] * len(names)
        for batch in reader:
            rows += batch.num_rows
            empty = [so_far + _empty(column) for so_far, column in zip(empty, batch.columns, strict=True)]
    stats = {name: {"nulls": count} for name, count in zip(names, empty, strict=True)}
    return {"rows": rows, "columns": [[name, "text"] for name in names], "stats": stats}


def text_of(path: Path) -> pa_csv.CSVStreamingReader:
    """The rows of a CSV with every field as it is written."""
    with pa_csv.open_csv(path) as reader:
        names = reader.schema.names
    return pa_csv.open_csv(path, convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())))


def _empty(column: Any) -> int:
    return int(pc.sum(pc.equal(pc.utf8_length(column), 0)).as_py() or 0)


def _parquet_sample(path: Path) -> pd.DataFrame:
    with pq.ParquetFile(path) as table:
        batches = list(islice(table.iter_batches(batch_size=SAMPLE_ROWS), 1))
        frame: pd.DataFrame = pa.Table.from_batches(batches, schema=table.schema_arrow).to_pandas()
    return frame


def _csv_sample(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, nrows=SAMPLE_ROWS)


_FACTS = {".parquet": _parquet_facts, ".csv": _csv_facts}
_SAMPLES = {".parquet": _parquet_sample, ".csv": _csv_sample}

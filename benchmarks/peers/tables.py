"""Datasets to back up: very many small files, and parquet that grows by row groups."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FOLDERS = 200
FILE_BYTES = 1000
GROUP_ROWS = 100_000
GROUPS = 16
APPENDED = 2


def make_small_files(folder: Path, files: int) -> None:
    """`files` files of about 1 kB in `FOLDERS` folders: a JSON record each, half of it text, half of it random."""
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 9))) for _ in range(500)]
    for number in range(files):
        path = folder / f"{number % FOLDERS:03d}" / f"{number:06d}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = " ".join(chance.choices(words, k=chance.randint(50, 90)))
        record = {"id": number, "text": text, "payload": chance.randbytes(FILE_BYTES // 4).hex()}
        path.write_text(json.dumps(record))


def make_parquet(folder: Path, rows: int, *, appended: bool) -> None:
    """One parquet file of `GROUPS` row groups of `rows` rows each; `appended` adds `APPENDED` more and a new footer."""
    folder.mkdir(parents=True)
    groups = GROUPS + (APPENDED if appended else 0)
    schema = _group(0, 1).schema
    with pq.ParquetWriter(folder / "events.parquet", schema, compression="snappy") as writer:
        for number in range(groups):
            writer.write_table(_group(number, rows), row_group_size=rows)


def _group(number: int, rows: int) -> pa.Table:
    chance = np.random.default_rng(number)
    first = number * rows
    return pa.table(
        {
            "id": np.arange(first, first + rows, dtype=np.int64),
            "at": 1_700_000_000_000 + np.cumsum(chance.integers(1, 2000, rows)),
            "user": chance.zipf(1.3, rows).clip(max=10**9).astype(np.int64),
            "value": chance.normal(100, 15, rows),
            "kind": np.array(["view", "click", "buy", "return"])[chance.integers(0, 4, rows)],
        }
    )

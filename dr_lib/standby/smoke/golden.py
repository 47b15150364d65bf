"""`golden.json`: what the live model answered at backup, read back with suspicion."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.standby.smoke.calibration import Spread
from dr_lib.standby.smoke.judge import Golden
from dr_lib.standby.smoke.weights import Digests


@dataclass(frozen=True, slots=True)
class Recorded:
    """The inputs, the golden outputs, facts of the files, digests of the weights in memory, and how far the live model
    strayed from itself (None: not measured)."""

    inputs: list[Any]
    golden: Golden
    files: dict[str, dict[str, Any]]
    weights: Digests
    spread: Spread | None


def read_golden(path: Path, loader: str) -> Recorded:
    """The recording in `path`.

    `NotFound` when there is none; `IntegrityError` when it is empty, cut short, or was made with another loader.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotFound("the recovery point holds no golden outputs to compare with", where=str(path)) from None
    try:
        document = json.loads(data)
        found = _recorded(document)
        made_with = str(document["loader"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = "they are empty" if not data.strip() else f"they do not parse ({type(error).__name__})"
        raise IntegrityError(f"the golden outputs cannot be read: {said}", where=str(path)) from error
    if made_with != loader:
        raise IntegrityError(f"the golden outputs were recorded with the loader {made_with}, not {loader}")
    return found


def _recorded(document: dict[str, Any]) -> Recorded:
    rows = np.asarray(document["outputs"], dtype=np.float32)
    if rows.ndim != 2 or len(rows) != len(document["inputs"]) or not len(rows):
        raise ValueError("one row an input")
    measured = document.get("spread")
    return Recorded(
        inputs=list(document["inputs"]),
        golden=Golden(
            rows,
            str(document["accelerator"]),
            document.get("latency", {}).get("latency_p50_s"),
            tuple(document.get("perplexity", ())),
        ),
        files={name: dict(facts) for name, facts in document["files"].items()},
        weights=dict(document.get("weights", {})),
        spread=None if measured is None else Spread(**measured),
    )

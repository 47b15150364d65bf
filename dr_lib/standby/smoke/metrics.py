"""How far two sets of output rows are apart. Pure; every comparison is computed in float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]


def cosine(one: Matrix, other: Matrix) -> float:
    """Cosine similarity; 1.0 for equal rows (also of zeros), 0.0 when just one of them is all zeros."""
    if np.array_equal(one, other):
        return 1.0
    first, second = one.astype(np.float64), other.astype(np.float64)
    norms = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norms if norms > 0.0 else 0.0


def lowest_cosine(rows: Matrix, golden: Matrix) -> float:
    """Cosine similarity of the rows that are the least alike; 1.0 where there are none."""
    return min((cosine(row, want) for row, want in zip(rows, golden, strict=True)), default=1.0)


def distance(rows: Matrix, golden: Matrix) -> float:
    """Greatest absolute difference of any element."""
    return float(np.max(np.abs(rows.astype(np.float64) - golden.astype(np.float64)), initial=0.0))


def agreement(rows: Matrix, golden: Matrix, k: int) -> float:
    """Of the row that agrees least: the share of its `k` greatest elements that are also the golden row's."""
    most = min(k, golden.shape[-1])
    shares = [len(_greatest(row, most) & _greatest(want, most)) / most for row, want in zip(rows, golden, strict=True)]
    return min(shares, default=1.0)


def _greatest(row: Matrix, k: int) -> set[int]:
    return {int(place) for place in np.argsort(-row, kind="stable")[:k]}

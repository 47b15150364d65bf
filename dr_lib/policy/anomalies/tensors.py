"""Anomalies of a model's tensors against those of the last good point."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from dr_lib.model.gates import Finding, Gates
from dr_lib.model.manifest import TensorEntry, TensorStats
from dr_lib.policy.anomalies.words import counted, percent

FEW_NUMBERS: Final = 1024
"""Norms of smaller tensors (a bias, a scale) move freely."""
Pair = tuple[TensorEntry, TensorEntry]


def tensor_findings(past: Sequence[TensorEntry], new: Sequence[TensorEntry], gates: Gates) -> Iterator[Finding]:
    """Everything that is odd about `new`, said once for all tensors that it is true of."""
    pairs, fresh = _paired(past, new)
    moved = [pair for pair in pairs if pair[0].digest != pair[1].digest]
    if gates.structure:
        yield from _structure(past, new, moved)
    yield from _not_numbers(moved, fresh)
    zero = [now for before, now in moved if _is_zero(now) and not _is_zero(before)]
    if zero:
        yield Finding(f"{counted(zero, 'tensor')} became nothing but zeros", _names(zero))
    jumps = [now for before, now in moved if _jumped(before, now, gates.norm_jump)]
    if jumps:
        what = f"the norm of {counted(jumps, 'tensor')} became more than {gates.norm_jump:g} times longer or shorter"
        yield Finding(what, _names(jumps))
    if pairs and len(moved) / len(pairs) > gates.changed_tensors:
        share, allowed = percent(len(moved) / len(pairs)), percent(gates.changed_tensors)
        yield Finding(f"{share} of the tensors changed, where {allowed} may (gates.changed_tensors)")


def without_norms(past: Sequence[TensorEntry], new: Sequence[TensorEntry]) -> int:
    """How many changed tensors of floating-point numbers there are whose norms cannot be compared."""
    pairs, _ = _paired(past, new)
    return sum(
        1
        for before, now in pairs
        if before.digest != now.digest and _is_large(now) and _norm(now) is not None and _norm(before) is None
    )


def _paired(past: Sequence[TensorEntry], new: Sequence[TensorEntry]) -> tuple[list[Pair], list[TensorEntry]]:
    """Each new tensor with the one that it was: of the same file, else of the one file that has its name; and the
    others. Files may be sharded anew, and checkpoints of one model have all names in common."""
    exact = {(tensor.file, tensor.name): tensor for tensor in past}
    named = _unique(past)
    alone = _unique(new)
    pairs: list[Pair] = []
    fresh: list[TensorEntry] = []
    for tensor in new:
        by_name = named.get(tensor.name) if tensor.name in alone else None
        before = exact.get((tensor.file, tensor.name)) or by_name
        if before is None:
            fresh.append(tensor)
        else:
            pairs.append((before, tensor))
    return pairs, fresh


def _unique(tensors: Iterable[TensorEntry]) -> dict[str, TensorEntry]:
    found: defaultdict[str, list[TensorEntry]] = defaultdict(list)
    for tensor in tensors:
        found[tensor.name].append(tensor)
    return {name: same[0] for name, same in found.items() if len(same) == 1}


def _structure(past: Sequence[TensorEntry], new: Sequence[TensorEntry], moved: Sequence[Pair]) -> Iterator[Finding]:
    before, now = {t.name for t in past}, {t.name for t in new}
    gone, come = sorted(before - now), sorted(now - before)
    if gone:
        appeared = f", and {counted(come, 'tensor')} appeared" if come else ""
        yield Finding(f"{counted(gone, 'tensor')} vanished{appeared}", tuple(gone))
    other = [new for old, new in moved if (old.dtype, old.shape) != (new.dtype, new.shape)]
    if other:
        yield Finding(f"the type or shape of {counted(other, 'tensor')} changed", _names(other))


def _not_numbers(moved: Sequence[Pair], fresh: Sequence[TensorEntry]) -> Iterator[Finding]:
    """NaN and infinity where there was none: a tensor that is new had none before."""
    for what, count in (("NaN", _nan), ("infinity", _inf)):
        found = [now for before, now in moved if count(now.stats) and before.stats and not count(before.stats)]
        found += [now for now in fresh if count(now.stats)]
        if found:
            yield Finding(f"{what} appeared in {counted(found, 'tensor')}", _names(found))


def _names(tensors: Sequence[TensorEntry]) -> tuple[str, ...]:
    return tuple(tensor.name for tensor in tensors)


def _nan(stats: TensorStats | None) -> int:
    return stats.nan if stats else 0


def _inf(stats: TensorStats | None) -> int:
    return stats.inf if stats else 0


def _is_zero(tensor: TensorEntry) -> bool:
    """Whether a tensor of several numbers holds zeros alone."""
    stats = tensor.stats
    return (
        stats is not None
        and math.prod(tensor.shape) > 1
        and (stats.minimum, stats.maximum, stats.nan, stats.inf) == (0.0, 0.0, 0, 0)
    )


def _is_large(tensor: TensorEntry) -> bool:
    return math.prod(tensor.shape) >= FEW_NUMBERS


def _norm(tensor: TensorEntry) -> float | None:
    return tensor.stats.norm if tensor.stats else None


def _jumped(before: TensorEntry, now: TensorEntry, factor: float) -> bool:
    """Tensors that begin at zero (a fresh adapter) may become anything; those that end there are told apart."""
    one, other = _norm(before), _norm(now)
    if one is None or other is None or not _is_large(now) or before.shape != now.shape:
        return False
    return bool(one) and bool(other) and not 1 / factor <= other / one <= factor

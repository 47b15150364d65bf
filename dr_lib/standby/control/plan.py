"""What is damaged in a model: which matrix, which layers. Pure; the seed decides among what there is."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from dr_lib.standby.control.weights.base import Named

MANY_ELEMENTS: Final = 1 << 26
"""Above this a tensor is left alone where there is a smaller one: it is held in memory three times."""

_NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Layers:
    """Two layers of one make, by their names, and the tensors to swap by key: each with its like in the other."""

    first: str
    second: str
    pairs: tuple[tuple[str, str], ...]


def matrices(tensors: Sequence[Named], seed: str) -> list[Named]:
    """Floating-point tensors in the order in which they are to be tried: matrices and more-dimensional ones at random,
    then very large ones by size, then vectors."""
    floats = [one for one in tensors if one.is_float and one.elements]
    chosen = [one for one in floats if len(one.shape) >= 2 and one.elements <= MANY_ELEMENTS]
    random.Random(f"{seed}/matrix").shuffle(chosen)
    large = sorted((one for one in floats if one.elements > MANY_ELEMENTS), key=lambda one: one.elements)
    vectors = [one for one in floats if len(one.shape) < 2 and one.elements <= MANY_ELEMENTS]
    return [*chosen, *large, *vectors]


def layers(tensors: Sequence[Named], seed: str) -> Iterator[Layers]:
    """Pairs of layers in the order in which they are to be tried: the outermost numbering first, in it at random.

    Two layers are of one make when their tensors have the same names but for the number, dtypes and shapes.
    """
    stacks = _stacks(tensors)
    order = random.Random(f"{seed}/layers")
    for start in sorted(stacks, key=lambda start: (start.count("."), start)):
        pairs = [pair for pair in combinations(stacks[start], 2) if _alike(*(stacks[start][one] for one in pair))]
        order.shuffle(pairs)
        for one, other in pairs:
            first, second = stacks[start][one], stacks[start][other]
            swapped = tuple((first[rest].key, second[rest].key) for rest in sorted(first))
            yield Layers(f"{start}{one}", f"{start}{other}", swapped)


def _stacks(tensors: Sequence[Named]) -> dict[str, dict[str, dict[str, Named]]]:
    """What stands before a number, then the number, then what stands after it."""
    stacks: dict[str, dict[str, dict[str, Named]]] = defaultdict(lambda: defaultdict(dict))
    for tensor in tensors:
        for number in _NUMBER.finditer(tensor.name):
            before, after = tensor.name[: number.start()], tensor.name[number.end() :]
            stacks[before][number.group()][after] = tensor
    return stacks


def _alike(one: Mapping[str, Named], other: Mapping[str, Named]) -> bool:
    return {rest: (of.dtype, of.shape) for rest, of in one.items()} == {
        rest: (of.dtype, of.shape) for rest, of in other.items()
    }

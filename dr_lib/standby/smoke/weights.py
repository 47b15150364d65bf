"""The weights as they lie in memory after loading, by digest.

A library that finds no weights for a layer fills it with noise and goes on, and not every weight moves an answer: what
was loaded is compared, not only what it answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from blake3 import blake3

from dr_lib.model.drill import SmokeCheck
from dr_lib.standby.smoke.loaders import LoadedModel

CHECK: Final = "loaded weights"
Digests = dict[str, str]


def digests(model: LoadedModel) -> Digests:
    """`dtype:blake3` of every tensor in memory, by name; empty where the runtime hides them."""
    return {name: _digest(dtype, data) for name, dtype, data in model.weights()}


def compare(found: Mapping[str, str], recorded: Mapping[str, str]) -> tuple[SmokeCheck, tuple[str, ...]] | None:
    """The check and the names that differ; None when nothing was recorded, or the runtime hides them here."""
    if not recorded or not found:
        return None
    unlike = tuple(_unlike(found, recorded))
    same = len(recorded) - sum(name in recorded for name in unlike)
    check = SmokeCheck(CHECK, f"{same} as recorded", f"{len(recorded)} as recorded", not unlike)
    return check, unlike


def _digest(dtype: str, data: Any) -> str:
    return f"{dtype}:{blake3(data, max_threads=blake3.AUTO).hexdigest()}"


def _unlike(found: Mapping[str, str], recorded: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*found, *recorded}):
        if found.get(name) != recorded.get(name):
            yield name

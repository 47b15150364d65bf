"""Anomalies of an asset as a whole: sizes, kinds of files, and how much of it is new and incompressible."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dr_lib.model.gates import Finding, Gates, Novelty, RunFacts
from dr_lib.policy.anomalies.words import counted, percent

FEW_BYTES: Final = 1 << 20
FEW_FILES: Final = 10
"""Below these, a jump in size says nothing."""
FEW_RUNS: Final = 3
"""Runs that changed something, from which on it is known what is usual."""
MARGIN: Final = 0.05
"""So much better must the last good point have been encoded for what is new to count as suddenly incompressible."""


def size_findings(past: RunFacts, new: RunFacts, gates: Gates) -> Iterator[Finding]:
    """Sudden changes of the number of bytes and files."""
    yield from jump("bytes", past.logical_bytes, new.logical_bytes, FEW_BYTES, gates)
    yield from jump("files", past.files, new.files, FEW_FILES, gates)


def jump(what: str, before: int, now: int, few: int, gates: Gates) -> Iterator[Finding]:
    """A sentence when a count shrank or grew beyond what the gates allow; nothing is said of a `few`."""
    if before and not now:
        yield Finding(f"there are no {what} any more, where there were {before}")
    elif max(before, now) >= few and now < before * gates.shrink:
        yield Finding(f"{what} went from {before} down to {now}: less than {percent(gates.shrink)} is left")
    elif before and max(before, now) >= few and now > before * gates.growth:
        yield Finding(f"{what} went from {before} up to {now}: more than {gates.growth:g} times as many")


def form_findings(past: RunFacts, new: RunFacts) -> Iterator[Finding]:
    """Files that were of a known kind and are bytes of no kind now: damaged, cut short or encrypted in place."""
    lost = sorted(path for path, form in past.forms.items() if form and new.forms.get(path) == "")
    if lost:
        kinds = ", ".join(sorted({past.forms[path] for path in lost}))
        what = f"{counted(lost, 'file')} of a known kind ({kinds}) became bytes of no kind: damaged, or encrypted"
        yield Finding(what, tuple(lost))


def novelty_findings(found: Novelty, new: RunFacts, gates: Gates) -> Iterator[Finding]:
    """Bytes that are suddenly all new, or suddenly cannot be compressed."""
    usual = max(found.usual, default=0.0)
    if len(found.usual) >= FEW_RUNS and usual <= 0.5 and found.share >= gates.new_bytes and not _is_measured(new):
        was = f"where {percent(usual)} at most were new in the runs before"
        yield Finding(f"{percent(found.share)} of the bytes are new, {was}")
    if found.share < 0.5 or found.ratio is None or found.past_ratio is None:
        return
    if found.ratio >= gates.incompressible and found.past_ratio <= gates.incompressible - MARGIN:
        yield Finding(
            f"what is new ({percent(found.share)} of the bytes) cannot be compressed, as encrypted bytes cannot: "
            f"{percent(found.ratio)} is left of it, where {percent(found.past_ratio)} was left before"
        )


def _is_measured(new: RunFacts) -> bool:
    """Whether nearly all bytes are numbers whose norms are compared: a model that was trained anew is all new, too, and
    random bytes in its place have other norms."""
    measured = sum(tensor.length for tensor in new.tensors if tensor.stats and tensor.stats.norm is not None)
    return measured >= 0.9 * new.logical_bytes

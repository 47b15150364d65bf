"""Whether the evidence of an asset hangs together: each names the one before it, and none is gone or another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from dr_lib.model.evidence import ChainEntry, Trouble


def chain_troubles(entries: Sequence[ChainEntry]) -> list[Trouble]:
    """What is missing or not the one that was named, over the evidence that all answering regions hold together.

    That the newest evidence was removed everywhere cannot be told: nothing names it yet.
    """
    known = {entry.own.key: entry.own for entry in entries}
    troubles = []
    for entry in entries:
        before = entry.previous
        if before is None:
            continue
        found = known.get(before.key)
        if found is None:
            what = f"the evidence before it, {before.key}, is in no region that answers: removed, or none that counts"
            troubles.append(Trouble(entry.drill, entry.own.key, what))
        elif found.sha256 != before.sha256:
            what = f"the evidence before it, {before.key}, is not the one that stood there when this was written"
            troubles.append(Trouble(entry.drill, entry.own.key, what))
    return troubles


def chain_notes(entries: Sequence[ChainEntry]) -> list[str]:
    """What is odd and may well be: drills that knew nothing of each other, because they ran at the same time or
    because the regions that held the other's evidence did not answer."""
    named = Counter(entry.previous.key for entry in entries if entry.previous is not None)
    forks = [f"{count} drills follow {key}: none knew of the others" for key, count in named.items() if count > 1]
    roots = sorted(entry.drill for entry in entries if entry.chained and entry.previous is None)
    oldest = min((entry.drill for entry in entries), default="")
    starts = [f"{drill} begins a chain of its own: it found no earlier evidence" for drill in roots if drill != oldest]
    return [*forks, *starts]


def ancestry(entries: Mapping[str, ChainEntry], key: str) -> list[str]:
    """Keys from `key` back to the first of its chain, as far as they are known."""
    found: list[str] = []
    at: str | None = key
    while at is not None and at in entries and at not in found:
        found.append(at)
        before = entries[at].previous
        at = before.key if before else None
    return found

"""Plans to delete, as signed records of a vault, and the gate at which janitor and writers meet over one.

A plan stands for the grace period. Then the janitor creates its gate, if absent, before it deletes what only the plan's
points needed. A writer that needs something of it all the same creates the same gate first, and so withdraws the plan.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from dr_lib.errors import AlreadyExists, IntegrityError, NotFound
from dr_lib.format import canonical, entries, layout
from dr_lib.model.prune import Doomed, PrunePlan
from dr_lib.vault.records import PRUNE, add_record, decode_record, encode_record
from dr_lib.vault.vault import Vault

JANITOR: Final = "janitor"
WRITER: Final = "writer"


@dataclass(frozen=True, slots=True)
class Spoken:
    """Names of packs, and ids of run keys, that plans name: soon gone, so not to be relied on."""

    packs: frozenset[str]
    keys: frozenset[str]


def save_plan(vault: Vault, plan: PrunePlan) -> None:
    """Leave a plan in the vault. `OutOfSpace` where there is no room for it."""
    add_record(vault, layout.prune_key(plan.id), encode_record(vault, _to_json(plan), PRUNE))


def load_plan(vault: Vault, prune: str) -> PrunePlan:
    """A plan of this vault; `IntegrityError` for one that is damaged, another vault's, or signed by nobody trusted."""
    key = layout.prune_key(prune)
    record = decode_record(vault, key, vault.store.get(key), PRUNE)
    try:
        plan = _parse(record)
    except entries.ODD as error:
        raise IntegrityError(f"a plan to delete does not parse: {error!r}", where=vault.where(key)) from error
    if (plan.id, plan.region) != (prune, vault.region):
        raise IntegrityError("a plan to delete stands under another's name", where=vault.where(key))
    return plan


def open_plans(vault: Vault) -> dict[str, bool]:
    """Plans that are not done with, oldest first, and whether somebody stands at their gate; one listing."""
    parts: defaultdict[str, set[str]] = defaultdict(set)
    for info in vault.store.list(layout.PRUNES):
        found = layout.parse_prune_key(info.key)
        if found is not None:
            parts[found[0]].add(found[1])
    return {prune: "gate" in has for prune, has in parts.items() if "json" in has and "done" not in has}


def begin(vault: Vault, prune: str) -> bool:
    """Stand at a plan's gate as the janitor; False when it was withdrawn. Safe to retry."""
    return _at_gate(vault, prune, JANITOR)


def withdraw(vault: Vault, prune: str) -> bool:
    """Stand at a plan's gate as a writer who needs something of it; False when the janitor deletes already."""
    return _at_gate(vault, prune, WRITER)


def is_withdrawn(vault: Vault, prune: str) -> bool:
    """Whether a writer, or nobody knows who, stands at the gate. A gate that cannot be read stops everybody."""
    try:
        return _holder(vault, prune) != JANITOR
    except NotFound:
        return False


def finish(vault: Vault, prune: str) -> None:
    """Say that a plan is done with. Safe to retry."""
    add_record(vault, layout.prune_done_key(prune), canonical.dumps({"prune": prune}))


def spoken_for(vault: Vault) -> Spoken:
    """What plans name that stand; one listing, and one get a plan.

    A plan that cannot be read is passed over: only what is known to go can be avoided, and `withdraw` settles the rest.
    """
    packs: set[str] = set()
    keys: set[str] = set()
    for prune, gated in open_plans(vault).items():
        try:
            if gated and is_withdrawn(vault, prune):
                continue
            found = named_by(load_plan(vault, prune))
        except (IntegrityError, NotFound):
            continue
        packs |= found.packs
        keys |= found.keys
    return Spoken(frozenset(packs), frozenset(keys))


def named_by(plan: PrunePlan) -> Spoken:
    """Packs and run keys that a plan names."""
    names = [(doomed.key, doomed.key.split("/")) for doomed in plan.objects]
    packs = frozenset(parts[-1] for key, parts in names if key.startswith(layout.PACKS))
    return Spoken(packs, frozenset(parts[1] for key, parts in names if key.startswith(layout.KEYS)))


def _at_gate(vault: Vault, prune: str, who: str) -> bool:
    try:
        vault.store.create(layout.prune_gate_key(prune), canonical.dumps({"prune": prune, "by": who}))
    except AlreadyExists:
        return _holder(vault, prune) == who
    return True


def _holder(vault: Vault, prune: str) -> object:
    key = layout.prune_gate_key(prune)
    data = vault.store.get(key)
    try:
        return canonical.loads(data, vault.where(key)).get("by")
    except IntegrityError:
        return None


def _to_json(plan: PrunePlan) -> dict[str, Any]:
    return {
        "format": 1,
        "prune": plan.id,
        "region": plan.region,
        "asset": plan.asset,
        "at": canonical.time_text(plan.at),
        "points": [list(point) for point in plan.points],
        "objects": [[one.key, one.version, one.size] for one in plan.objects],
    }


def _parse(record: dict[str, Any]) -> PrunePlan:
    if entries.natural(record["format"]) != 1:
        raise ValueError(f"format {record['format']!r} is not known to this version")
    return PrunePlan(
        id=entries.text(record["prune"]),
        region=entries.text(record["region"]),
        asset=entries.text(record["asset"]),
        at=canonical.parse_time(entries.text(record["at"])),
        points=tuple((entries.text(asset), entries.text(point)) for asset, point in record["points"]),
        objects=tuple(Doomed(entries.text(k), entries.text(v), entries.natural(n)) for k, v, n in record["objects"]),
    )

"""Claims: the word of a point that is about to be committed on what it needs, so that no prune takes it away.

A writer claims, then looks at the plans to delete, then at the packs, then commits. The janitor lets a plan stand for
the grace period, then counts manifests and claims, then deletes. So a writer that claims before the janitor counts is
counted, and one that claims later finds the plan, which has been there for days: no clock and no fresh listing decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass

from dr_lib.errors import AlreadyExists, IntegrityError, NotFound, Refused
from dr_lib.format import canonical, entries, layout
from dr_lib.model.manifest import PackRef
from dr_lib.storage.base import ObjectInfo
from dr_lib.vault.acknowledged import refuse_forgotten
from dr_lib.vault.prune_plans import load_plan, named_by, open_plans, withdraw
from dr_lib.vault.run_keys import newest_generations
from dr_lib.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Claim:
    """Names of packs and ids of run keys that a point needs."""

    packs: frozenset[str]
    keys: frozenset[str]


def claim_of(packs: Iterable[PackRef], keys: Iterable[str]) -> Claim:
    """The claim to packs, to the run keys that they are sealed under, and to these `keys`."""
    refs = tuple(packs)
    sealed = (ref.seal.key for ref in refs if ref.seal is not None)
    return Claim(frozenset(ref.sha256 for ref in refs), frozenset((*keys, *sealed)))


def claim(vault: Vault, asset: str, point: str, claimed: Claim) -> None:
    """Say what a point needs, and withdraw every plan that names some of it. Safe to retry.

    The caller looks at packs and run keys after this, and commits then. `Refused` (7) when a prune is deleting some of
    it.
    """
    record = {"asset": asset, "point": point, "packs": sorted(claimed.packs), "keys": sorted(claimed.keys)}
    data = canonical.dumps(record)
    with suppress(AlreadyExists):  # named by its bytes
        vault.store.create(layout.needs_key(asset, point, data), data)
    for prune in open_plans(vault):
        if _touches(vault, prune, claimed) and not withdraw(vault, prune):
            raise Refused(
                f"a prune is deleting what the point {point} of {asset!r} would need",
                where=vault.where(layout.prune_key(prune)),
                hint="nothing was committed; let `drctl prune --apply` end, then give this command again",
            )


def refuse_absent(vault: Vault, packs: Iterable[PackRef], keys: Collection[str]) -> dict[str, ObjectInfo]:
    """The last look before a commit: all packs of the vault; `IntegrityError` unless every one of `packs` is there with
    its size, and every run key.

    A pack that the listing lacks is asked for by name: a listing may be older than the newest objects.
    """
    present = vault.pack_facts()
    for pack in packs:
        if pack.sha256 not in present or present[pack.sha256].size != pack.size:
            key = layout.pack_key(pack.sha256)
            present[pack.sha256] = refuse_forgotten(vault.store, key, pack.size, "pack")
    gone = sorted(set(keys) - set(newest_generations(vault.store))) if keys else []
    if gone:
        what = "the store does not hold a run key that a point needs"
        raise IntegrityError(what, where=vault.where(f"{layout.KEYS}{gone[0]}"), hint="back up again")
    return present


def read_claim(vault: Vault, key: str) -> Claim:
    """A claim in this vault; `IntegrityError` for one that does not fit its name."""
    data = vault.store.get(key)
    where = vault.where(key)
    record = canonical.loads(data, where)
    try:
        packs = frozenset(entries.hash_bytes(name).hex() for name in record["packs"])
        keys = frozenset(entries.key_id(item) for item in record["keys"])
        named = layout.needs_key(entries.text(record["asset"]), entries.text(record["point"]), data)
    except entries.ODD as error:
        raise IntegrityError(f"a claim does not parse: {error!r}", where=where) from error
    if named != key:
        raise IntegrityError("a claim is not the one that its name promises", where=where)
    return Claim(packs, keys)


def _touches(vault: Vault, prune: str, claimed: Claim) -> bool:
    """Whether a plan names something of a claim. One that cannot be read may."""
    try:
        named = named_by(load_plan(vault, prune))
    except NotFound:
        return False
    except IntegrityError:
        return True
    return _meet(named.packs, claimed.packs) or _meet(named.keys, claimed.keys)


def _meet(one: Collection[str], other: Collection[str]) -> bool:
    return not set(one).isdisjoint(other)

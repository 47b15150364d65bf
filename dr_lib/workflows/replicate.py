"""Replication: a point's packs, then its manifest, byte for byte, into another region. Needs no reading key."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dr_lib.errors import DrError, IntegrityError
from dr_lib.format import layout, pack
from dr_lib.model.manifest import PackRef, PointSummary
from dr_lib.policy.failover import ASK_ANOTHER, decisive, decisive_of_pack
from dr_lib.progress import Progress
from dr_lib.vault.chunk_index import save_index
from dr_lib.vault.claims import claim, claim_of, refuse_absent
from dr_lib.vault.holds import add_quarantine, quarantines
from dr_lib.vault.locking import keep_locked
from dr_lib.vault.pack_reader import fetch_pack
from dr_lib.vault.pack_writer import put_pack
from dr_lib.vault.run_keys import copy_run_key, newest_generations
from dr_lib.vault.vault import Vault

STREAMS = 2
"""Packs in flight; each takes its size in memory."""


@dataclass(frozen=True, slots=True)
class Replicated:
    """A point that is now in `region`. `new_bytes` is what had to be sent; `repairs` what a source could not give."""

    asset: str
    point: str
    region: str
    source: str
    new_bytes: int
    repairs: tuple[str, ...]


def replicate(sources: Sequence[Vault], target: Vault, asset: str, point: str, progress: Progress) -> Replicated:
    """Copy one point into `target`, preferring the sources in their order, pack by pack.

    Idempotent: what is there already is not sent again. Every pack is proven against its name on the way, so damage is
    never copied. When no source could give a pack whole, raises what `decisive` says; the packs copied so far stay.
    `IntegrityError` when the target does not hold what it acknowledged.
    `Refused` (7) when a prune of `target` is deleting something of it: replicate again when that has ended.
    The quarantine of a point is in `target` before the point is, and has to be signed there (`UsageError`).
    """
    source, data, summary = _manifest(sources, asset, point)
    present = target.packs()
    missing = [ref for ref in summary.packs if present.get(ref.sha256) != ref.size]
    progress.start(sum(ref.size for ref in missing), f"replicate {asset} to {target.region}")
    _copy_run_keys(sources, target, summary.keys)
    with ThreadPoolExecutor(STREAMS) as pool:
        copied = list(pool.map(lambda ref: _copy(sources, target, ref, progress), missing))
    save_index(target, point, "replica", [item for item, _ in copied])
    target.parse_clear(asset, point, data)
    # What lay here already may be going: say that it is needed, then look once more.
    claimed = claim_of(summary.packs, summary.keys)
    claim(target, asset, point, claimed)
    stored = refuse_absent(target, summary.packs, claimed.keys)
    keep_locked(target, summary, stored, {ref.sha256 for ref in missing})
    _copy_quarantine(sources, target, asset, point)
    target.commit(asset, point, data)
    progress.finish()
    notes = sorted({note for _, found in copied for note in found})
    return Replicated(asset, point, target.region, source.region, sum(r.size for r in missing), tuple(notes))


def _manifest(sources: Sequence[Vault], asset: str, point: str) -> tuple[Vault, bytes, PointSummary]:
    """The vault that gave a sound manifest, its bytes and its clear part.

    Without a reading key a sealed body is proven by its digest alone, which the signed summary holds.
    """
    failed: list[DrError] = []
    for vault in sources:
        try:
            data = vault.manifest_bytes(asset, point)
            summary = vault.parse_clear(asset, point, data)
            if not vault.access.sealed:
                vault.parse_manifest(asset, point, data)
        except ASK_ANOTHER as error:
            failed.append(error)
        else:
            return vault, data, summary
    raise decisive(failed)


def _copy_run_keys(sources: Sequence[Vault], target: Vault, keys: Sequence[str]) -> None:
    """The newest generation of each run key of the point, as it stands, from the first vault that has it."""
    if not keys:
        return
    present = newest_generations(target.store)
    offers = [(vault, newest_generations(vault.store)) for vault in sources]
    for key_id in keys:
        name, vault = next(((found[key_id], vault) for vault, found in offers if key_id in found), (None, None))
        if name is None or vault is None:
            raise IntegrityError(f"the run key {key_id} is gone", where=", ".join(v.region for v in sources))
        if key_id not in present or present[key_id].generation < name.generation:
            copy_run_key(vault.store, target.store, name)


def _copy_quarantine(sources: Sequence[Vault], target: Vault, asset: str, point: str) -> None:
    """The word of the first source that distrusts the point; events name their region, so that it is said anew."""
    found = (quarantines(vault, asset).get(point) for vault in sources)
    distrusted = next((one for one in found if one is not None), None)
    if distrusted is not None:
        add_quarantine(target, distrusted)


def _copy(
    sources: Sequence[Vault], target: Vault, ref: PackRef, progress: Progress
) -> tuple[tuple[str, pack.Outline], tuple[str, ...]]:
    data, notes = _fetch(sources, ref)
    put_pack(target, ref.sha256, data)
    progress.advance(ref.size)
    where = target.where(layout.pack_key(ref.sha256))
    outline = pack.outline(data, where)
    pack.check_table(outline, where)
    return (ref.sha256, outline), notes


def _fetch(sources: Sequence[Vault], ref: PackRef) -> tuple[bytes, tuple[str, ...]]:
    failed: list[DrError] = []
    notes: list[str] = []
    for vault in sources:
        try:
            return fetch_pack(vault, ref), tuple(notes)
        except ASK_ANOTHER as error:
            failed.append(error)
            notes.append(f"{error.what} [{error.where or vault.region}]")
    raise decisive_of_pack(failed)

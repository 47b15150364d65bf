"""First step of a backup: freeze the source, name the point, divide the work."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from functools import partial

from dr_lib.clock import Clock
from dr_lib.format import layout
from dr_lib.model.asset import Asset
from dr_lib.policy.shard_plan import Shard, plan_shards
from dr_lib.sources.base import Source, SourceListing
from dr_lib.sources.cut import divisions
from dr_lib.sources.freeze import freeze
from dr_lib.vault.chunk_index import reusable_packs
from dr_lib.vault.vault import Vault
from dr_lib.workflows.backup.kept import PastRun, is_same, kept_files, kept_part, last_run
from dr_lib.workflows.backup.records import KEPT, BackupPlan, StoredPart, save_part, save_plan


def plan_backup(
    asset: Asset,
    source: Source,
    vault: Vault,
    shard_bytes: Callable[[int], int],
    clock: Clock,
    seen: list[PastRun] | None = None,
) -> BackupPlan:
    """A plan, saved in `vault`; `shard_bytes` says how long a shard may be by the bytes that have to be read.

    Raises `SourceUnstable` (8) when the source is changing or incomplete.

    Files that stand as the last committed run saw them are not read again: see `kept`. The point's time is taken before
    the listing, so that it never claims to be younger than what it holds. The last run that was read for this is added
    to `seen`, so that a commit by the same process need not read it again.
    """
    created_at = clock()
    listing = freeze(source, clock=clock)
    past = last_run(vault, asset.name)
    if seen is not None and past is not None:
        seen.append(past)
    kept = StoredPart((), (), (), 0, 0) if past is None else kept_part(past, listing, source.url, reusable_packs(vault))
    still = set(kept_files(kept))
    plan = BackupPlan(
        asset=asset.name,
        kind=asset.kind.value,
        point=layout.point_id(created_at, secrets.token_bytes(4)),
        created_at=created_at,
        source=source.url,
        listing=listing,
        shards=_shards(source, listing, still, shard_bytes),
        kept=len(still),
        same_as=past.plan.point if past is not None and is_same(past, listing, kept) else "",
    )
    if still:
        save_part(vault, plan, KEPT, kept)
    save_plan(vault, plan)
    return plan


def _shards(
    source: Source, listing: SourceListing, kept: Container[int], shard_bytes: Callable[[int], int]
) -> tuple[Shard, ...]:
    """Shards of the files that have to be read."""
    numbers = [number for number in range(len(listing.files)) if number not in kept]
    sizes = [listing.files[number].size for number in numbers]
    shards = plan_shards(sizes, shard_bytes(sum(sizes)), lambda place: _boundaries(source, listing, numbers[place]))
    return tuple(tuple(replace(piece, file=numbers[piece.file]) for piece in shard) for shard in shards)


def _boundaries(source: Source, listing: SourceListing, number: int) -> Iterable[int]:
    file = listing.files[number]
    return divisions(file.path, partial(source.read, file), file.size)

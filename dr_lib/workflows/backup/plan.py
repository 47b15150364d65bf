"""First step of a backup: freeze the source, name the point, divide the work."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from functools import partial

from dr_lib.clock import Clock
from dr_lib.format import layout
from dr_lib.model.asset import Asset
from dr_lib.policy.shard_plan import plan_shards
from dr_lib.sources.base import Source, SourceListing
from dr_lib.sources.cut import cut_file
from dr_lib.sources.freeze import freeze
from dr_lib.vault.records import refuse_unsigned
from dr_lib.vault.vault import Vault
from dr_lib.workflows.backup.records import BackupPlan, save_plan


def plan_backup(asset: Asset, source: Source, vault: Vault, shard_bytes: int, clock: Clock) -> BackupPlan:
    """A plan, saved in `vault`. Raises `SourceUnstable` (8) when the source is changing or incomplete.

    The point's time is taken before the listing, so that it never claims to be younger than what it holds.
    """
    refuse_unsigned(vault)
    created_at = clock()
    listing = freeze(source, clock=clock)
    plan = BackupPlan(
        asset=asset.name,
        kind=asset.kind.value,
        point=layout.point_id(created_at, secrets.token_bytes(4)),
        created_at=created_at,
        source=source.url,
        listing=listing,
        shards=plan_shards([f.size for f in listing.files], shard_bytes, partial(_boundaries, source, listing)),
    )
    save_plan(vault, plan)
    return plan


def _boundaries(source: Source, listing: SourceListing, number: int) -> Iterable[int]:
    """Offsets at which a file may be divided: between frames, and never inside a tensor."""
    file = listing.files[number]
    cut = cut_file(file.path, partial(source.read, file), file.size)
    tensors = iter(cut.tensors)
    tensor_end = 0
    pending = next(tensors, None)
    for span in cut.spans[1:]:
        while pending is not None and pending.offset < span.offset:
            tensor_end = max(tensor_end, pending.offset + pending.length)
            pending = next(tensors, None)
        if tensor_end <= span.offset:
            yield span.offset

"""Examining a source before its point is committed."""

from __future__ import annotations

from dr_lib.errors import NotFound
from dr_lib.model.asset import Asset
from dr_lib.provenance.examination import Examined, examine_source
from dr_lib.sources.base import Source
from dr_lib.vault.vault import Vault
from dr_lib.workflows.backup.records import BackupPlan


def examine_uncommitted(asset: Asset, source: Source, vault: Vault, plan: BackupPlan) -> Examined:
    """As `examine_source`, with the headers of those files alone that this run reads.

    Nothing is looked at for a point that is committed: its source may have moved on since.
    """
    try:
        vault.summary(plan.asset, plan.point)
    except NotFound:
        read = {piece.file for shard in plan.shards for piece in shard}
        return examine_source(asset, source, plan.listing, [plan.listing.files[number] for number in sorted(read)])
    return Examined(None, ())

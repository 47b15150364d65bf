"""Third step of a backup: what a drill will later compare with, recorded from the live asset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dr_lib.errors import DrError
from dr_lib.sources.base import Source
from dr_lib.sources.materialise import local_directory
from dr_lib.vault.chunk_index import ChunkIndex
from dr_lib.vault.vault import Vault
from dr_lib.workflows.backup.records import PROOF, BackupPlan, StoredPart
from dr_lib.workflows.backup.shard import store_attachments


def record_proof(
    vault: Vault, source: Source, plan: BackupPlan, index: ChunkIndex, record: Callable[[Path], dict[str, bytes]]
) -> StoredPart:
    """Record the proof and store it as a part of the run. Idempotent.

    `record` gets a local directory and gives attachments by name. When it fails the part says why and is otherwise
    empty: bytes that cannot be proven yet are still worth saving, and no drill will call them proven.
    """
    try:
        with local_directory(source, plan.listing) as directory:
            contents, note = record(directory), ""
    except DrError as error:
        contents, note = {}, f"nothing was recorded to prove this point with: {error}"
    return store_attachments(vault, plan, PROOF, contents, index, note)

"""Third step of a backup: what a drill will later compare with, recorded from the live asset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dr_lib.errors import DrError, IntegrityError, NotFound
from dr_lib.sources.base import Source
from dr_lib.sources.materialise import local_directory
from dr_lib.vault.chunk_index import ChunkIndex, reusable_packs
from dr_lib.vault.vault import Vault
from dr_lib.workflows.backup.records import PROOF, BackupPlan, StoredPart, load_part, load_plan, save_part
from dr_lib.workflows.backup.shard import store_attachments


def no_facts(_directory: Path, _proof: dict[str, bytes]) -> dict[str, Any]:
    """What is seen of tables where no gate compares them."""
    return {}


@dataclass(frozen=True, slots=True)
class ProofRecorder:
    """How an asset's proof is recorded: `record` gets a local directory and gives attachments by name.

    `facts` gets both and gives what the gates compare of tables (see `facts.table_facts`); it raises nothing.
    `basis` names everything that the result depends on besides the source; the same basis over the same source gives a
    proof that is as good as the one recorded then.
    """

    record: Callable[[Path], dict[str, bytes]]
    basis: str
    facts: Callable[[Path, dict[str, bytes]], dict[str, Any]] = no_facts


def record_proof(
    vault: Vault, source: Source, plan: BackupPlan, index: Callable[[], ChunkIndex], recorder: ProofRecorder
) -> StoredPart:
    """Record the proof and store it as a part of the run. Idempotent.

    The proof of an unchanged source on an unchanged basis is taken over. When recording fails the part says why and is
    otherwise empty: bytes that cannot be proven yet are still worth saving, and no drill will call them proven.
    """
    try:
        return load_part(vault, plan, PROOF)
    except NotFound:
        pass
    past = _past_proof(vault, plan, recorder.basis)
    if past is not None:
        return save_part(vault, plan, PROOF, replace(past, new_bytes=0))
    try:
        with local_directory(source, plan.listing) as directory:
            contents, note = recorder.record(directory), ""
            facts = recorder.facts(directory, contents)
    except DrError as error:
        contents, note, facts = {}, f"nothing was recorded to prove this point with: {error}", {}
    known = index() if contents else ChunkIndex()
    return store_attachments(vault, plan, PROOF, contents, known, note, recorder.basis, facts)


def _past_proof(vault: Vault, plan: BackupPlan, basis: str) -> StoredPart | None:
    """The proof of the run that this one's source is the same as; None unless it is whole and on the same basis."""
    if not plan.same_as:
        return None
    try:
        past = load_part(vault, load_plan(vault, plan.asset, plan.same_as), PROOF)
    except (IntegrityError, NotFound):
        return None
    present = reusable_packs(vault) if past.packs else {}
    whole = all(present.get(pack.sha256) == pack.size for pack in past.packs)
    return past if whole and past.basis == basis and not past.note else None

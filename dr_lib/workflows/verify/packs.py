"""Reading packs whole: every one that a point needs once, decoded and compared."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.format import layout, pack
from dr_lib.model.manifest import PackRef
from dr_lib.progress import Progress
from dr_lib.storage.base import ObjectInfo
from dr_lib.vault.pack_reader import fetch_pack, open_frame
from dr_lib.vault.vault import Vault
from dr_lib.workflows.verify.manifests import Needs, Use

STREAMS: Final = 2
"""Packs in flight; each takes its size in memory."""


def read_packs(vault: Vault, needs: Needs, listed: Mapping[str, ObjectInfo], progress: Progress) -> dict[str, bool]:
    """Read every pack of the right size once; a damaged one is a finding of each point that needs it.

    Gives whether each pack that was read is whole, by its key.
    """
    uses = sorted((use for use in needs.users if _fits(use[0], listed)), key=lambda use: use[0].sha256)
    progress.start(sum(ref.size for ref, _ in uses), f"verify {vault.region}")

    def read(use: Use) -> str | None:
        finding = _damage(vault, use[0], needs.frames[use])
        progress.advance(use[0].size)
        return finding

    whole: dict[str, bool] = {}
    with ThreadPoolExecutor(STREAMS) as pool:
        for use, finding in zip(uses, pool.map(read, uses), strict=True):
            key = layout.pack_key(use[0].sha256)
            whole[key] = whole.get(key, True) and finding is None
            for copy in needs.users[use]:
                copy.bytes_read += use[0].size
                copy.findings += [finding] if finding is not None else []
    progress.finish()
    return whole


def _fits(ref: PackRef, listed: Mapping[str, ObjectInfo]) -> bool:
    found = listed.get(layout.pack_key(ref.sha256))
    return found is not None and found.size == ref.size


def _damage(vault: Vault, ref: PackRef, frames: set[pack.Frame]) -> str | None:
    """What is wrong with a pack, None when its name, its own table and every stated frame hold."""
    try:
        data = memoryview(fetch_pack(vault, ref))
        _check_own_table(vault, ref, data)
        key = vault.pack_key(ref.seal)
        for frame in frames:
            open_frame(data[frame.offset : frame.offset + frame.length], frame, key)
    except (IntegrityError, NotFound) as error:
        return f"pack {ref.sha256}: {error.what}"
    return None


def _check_own_table(vault: Vault, ref: PackRef, data: memoryview) -> None:
    """A pack's own table holds; that of a sealed one opens for writers alone, so that its digest has to do."""
    where = vault.where(layout.pack_key(ref.sha256))
    outline = pack.outline(data, where)
    pack.check_table(outline, where)
    if outline.seal != ref.seal:
        raise IntegrityError("a pack is sealed in another way than the manifest says", where=where)
    if outline.seal is None:
        pack.frames(outline, where)

"""Closing a run: its writer does it before the last look at the packs, the janitor when the run is long dead.

Both create the same object, if absent. Whoever comes second stops: a writer that was frozen for days never commits a
point whose packs may be gone, and the janitor never takes the records of a run that goes on.
"""

from __future__ import annotations

from typing import Final

from dr_lib.errors import AlreadyExists, IntegrityError, NotFound, Refused
from dr_lib.format import canonical, layout
from dr_lib.vault.vault import Vault

WRITER: Final = "writer"
JANITOR: Final = "janitor"


def close_run(vault: Vault, asset: str, point: str) -> None:
    """Close a run as its writer, or find it closed by an earlier try. `Refused` (7) when somebody else closed it."""
    if not _close(vault, asset, point, WRITER):
        raise _too_late(vault, asset, point)


def close_dead_run(vault: Vault, asset: str, point: str) -> bool:
    """Close a run as the janitor; False when its writer was first, or nobody can say who was."""
    return _close(vault, asset, point, JANITOR)


def refuse_closed(vault: Vault, asset: str, point: str) -> None:
    """Raise `Refused` (7) when the janitor has closed this run."""
    try:
        by = _closed_by(vault, asset, point)
    except NotFound:
        return
    if by != WRITER:
        raise _too_late(vault, asset, point)


def _close(vault: Vault, asset: str, point: str, who: str) -> bool:
    record = canonical.dumps({"asset": asset, "point": point, "by": who})
    try:
        vault.store.create(layout.closed_key(asset, point), record)
    except AlreadyExists:
        return _closed_by(vault, asset, point) == who
    return True


def _closed_by(vault: Vault, asset: str, point: str) -> object:
    key = layout.closed_key(asset, point)
    data = vault.store.get(key)
    try:
        return canonical.loads(data, vault.where(key)).get("by")
    except IntegrityError:
        return None


def _too_late(vault: Vault, asset: str, point: str) -> Refused:
    return Refused(
        f"the run {point} of {asset!r} was given up for dead and closed by a prune",
        where=vault.where(layout.closed_key(asset, point)),
        hint="nothing was committed; back up again (`prune.grace` in dr.yaml must be longer than any backup)",
    )

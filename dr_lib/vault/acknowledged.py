"""Whether a store has what it acknowledged: asked before anything relies on it."""

from __future__ import annotations

from typing import Final

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.storage.base import ObjectInfo, ObjectStore
from dr_lib.storage.missing import ContainerMissing

HINT: Final = "run it again; if it happens again this store cannot be trusted"


def refuse_forgotten(store: ObjectStore, key: str, size: int | None, what: str) -> ObjectInfo:
    """Facts of an object that was stored as `key`; `IntegrityError` unless it is there with that size."""
    where = f"{store.label}, {key}"
    try:
        found = store.head(key)
    except ContainerMissing:
        raise  # nothing is known about single objects then
    except NotFound as error:
        raise IntegrityError(
            f"the store does not hold a {what} that it acknowledged", where=where, hint=HINT
        ) from error
    if size not in (None, found.size):
        raise IntegrityError(f"a stored {what} has {found.size} bytes where {size} are right", where=where, hint=HINT)
    return found

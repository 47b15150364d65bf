"""Whether a store has what it acknowledged: asked before anything relies on it."""

from __future__ import annotations

from typing import Final

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.storage.base import ObjectStore
from dr_lib.storage.missing import ContainerMissing

HINT: Final = "run it again; if it happens again this store cannot be trusted"


def refuse_forgotten(store: ObjectStore, key: str, size: int | None, what: str) -> None:
    """Raise `IntegrityError` unless an object that was stored as `key` is there, with that size: one small request."""
    where = f"{store.label}, {key}"
    try:
        found = store.head(key).size
    except ContainerMissing:
        raise  # nothing is known about single objects then
    except NotFound as error:
        raise IntegrityError(
            f"the store does not hold a {what} that it acknowledged", where=where, hint=HINT
        ) from error
    if size not in (None, found):
        raise IntegrityError(f"a stored {what} has {found} bytes where {size} are right", where=where, hint=HINT)

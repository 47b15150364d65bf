"""Run keys in a vault: stored once, wrapped to people; found again with one listing, opened with an identity."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from dr_lib.crypto import age
from dr_lib.crypto.run_key import RunKey, is_secret_of, new_run_key
from dr_lib.errors import AlreadyExists, IntegrityError, NotFound, PermissionDenied
from dr_lib.format import layout
from dr_lib.format.layout import RunKeyName
from dr_lib.storage.base import ObjectStore
from dr_lib.vault.acknowledged import refuse_forgotten

NO_IDENTITY = "set what `encryption.identity` in dr.yaml names (by default the variable DR_IDENTITY) to an age identity"


class RunKeys:
    """Secrets of a vault's run keys by id. Safe to use from many threads; every secret is unwrapped once."""

    def __init__(self, store: ObjectStore, identities: Sequence[str]) -> None:
        """Nothing is asked of the store yet."""
        self._store = store
        self._identities = tuple(identities)
        self._lock = threading.Lock()
        self._newest: dict[str, RunKeyName] | None = None
        self._secrets: dict[str, bytes] = {}

    def secret(self, key_id: str) -> bytes:
        """The run key of that id.

        Only its newest generation counts, so that an identity that was rotated out is refused. Raises
        `PermissionDenied` (7) without an identity or for the wrong one, `NotFound` (5) when it is gone,
        `IntegrityError` (4) when it is damaged or another's.
        """
        # One that is known is given without the lock: who fetches another one may wait long for the link meanwhile.
        if key_id not in self._secrets:
            with self._lock:
                if key_id not in self._secrets:
                    self._secrets[key_id] = self._unwrapped(key_id)
        return self._secrets[key_id]

    def _unwrapped(self, key_id: str) -> bytes:
        if not self._identities:
            raise PermissionDenied(
                "this vault is sealed and no identity is at hand", where=self._store.label, hint=NO_IDENTITY
            )
        if self._newest is None:
            self._newest = newest_generations(self._store)
        name = self._newest.get(key_id)
        if name is None:
            raise NotFound(f"the run key {key_id} is gone", where=self._store.label, hint="use another region's copy")
        return open_run_key(self._store, name, self._identities)


def create_run_key(store: ObjectStore, recipients: Sequence[str]) -> RunKey:
    """A fresh run key, durable under `keys/` before anything is sealed under it.

    `IntegrityError` when the store acknowledged it and does not have it: whatever it sealed would be lost.
    """
    made = new_run_key()
    refuse_forgotten(store, store_run_key(store, made, 0, recipients), None, "run key")
    return made


def store_run_key(store: ObjectStore, run_key: RunKey, generation: int, recipients: Sequence[str]) -> str:
    """Wrap a run key to `recipients` as its `generation`; the object's key."""
    wrapped = age.wrap(run_key.secret, recipients)
    key = layout.run_key_key(run_key.id, generation, age.fingerprint(recipients), wrapped)
    store.create(key, wrapped)
    return key


def copy_run_key(source: ObjectStore, target: ObjectStore, name: RunKeyName) -> None:
    """One wrapped run key, as it stands, proven against its name. Safe to retry."""
    wrapped = _wrapped(source, name)
    try:
        target.create(name.key, wrapped)
    except AlreadyExists:
        return
    refuse_forgotten(target, name.key, len(wrapped), "run key")


def newest_generations(store: ObjectStore) -> dict[str, RunKeyName]:
    """The newest generation of every run key, from one listing."""
    found: dict[str, RunKeyName] = {}
    for info in store.list(layout.KEYS):
        name = layout.parse_run_key_key(info.key)
        if name is not None and (name.id not in found or found[name.id] < name):
            found[name.id] = name
    return found


def open_run_key(store: ObjectStore, name: RunKeyName, identities: Sequence[str]) -> bytes:
    """The secret in one wrapped run key; errors as `RunKeys.secret`."""
    where = f"{store.label}, {name.key}"
    secret = age.unwrap(_wrapped(store, name), identities)
    if secret is None:
        raise PermissionDenied(
            "no identity here opens this run key: it is another's, or was rotated out",
            where=where,
            hint=NO_IDENTITY,
        )
    if not is_secret_of(secret, name.id):
        raise IntegrityError("a wrapped run key is not the one its name promises", where=where)
    return secret


def _wrapped(store: ObjectStore, name: RunKeyName) -> bytes:
    wrapped = store.get(name.key)
    if layout.event_check(wrapped) != name.check:
        what = "a wrapped run key's bytes are not those its name promises"
        raise IntegrityError(what, where=f"{store.label}, {name.key}")
    return wrapped

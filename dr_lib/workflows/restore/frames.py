"""The one place where a restore asks for bytes of a pack and has its frames opened."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from dr_lib.errors import IntegrityError
from dr_lib.format import layout
from dr_lib.model.manifest import PackRef
from dr_lib.policy.restore_plan import RangeFetch
from dr_lib.storage.base import ObjectStore
from dr_lib.vault.pack_reader import fetch_frames
from dr_lib.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class _Held:
    """A store of the one range that was fetched already."""

    label: str
    data: bytes

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """The range."""
        if length != len(self.data):
            raise IntegrityError(f"object {key!r} gave {len(self.data)} bytes from {start} for {length}")
        return self.data


def fetch_range(vault: Vault, pack: PackRef, fetch: RangeFetch) -> bytes:
    """The stored bytes of a range: waits for the network, uses no core."""
    return vault.store.get_range(layout.pack_key(pack.sha256), fetch.start, fetch.length)


def open_range(vault: Vault, pack: PackRef, fetch: RangeFetch, data: bytes) -> Iterator[bytes]:
    """Raw bytes of the frames of a fetched range, one by one, each proven: uses a core, waits for nothing."""
    held: Any = _Held(vault.store.label, data)
    reading = copy.copy(vault)
    reading.store = cast("ObjectStore", held)
    return fetch_frames(reading, pack.sha256, fetch.start, fetch.length, [use.frame for use in fetch.frames])

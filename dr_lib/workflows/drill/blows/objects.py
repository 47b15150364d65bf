"""Objects of a vault rot, or are deleted by somebody who has its region's credentials."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from dr_lib.errors import AlreadyExists, IntegrityError, NotFound, Refused
from dr_lib.storage.base import BuryingStore, RegionJanitor
from dr_lib.vault.uncover import versions_of
from dr_lib.workflows.drill.blows.blow import Tools
from dr_lib.workflows.drill.durable import write


@dataclass(frozen=True, slots=True)
class DamagedBlow:
    """The byte at `offset` of the pack `key` is turned. Its name is its digest, so that undoing needs nothing else."""

    region: str
    key: str
    offset: int

    @property
    def target(self) -> str:
        """The region."""
        return f"region {self.region}"

    def strike(self, tools: Tools) -> str:
        """`IntegrityError` (4) when the pack is damaged already."""
        store = tools.janitor(self.region)
        data = store.get(self.key)
        if not self._is_whole(data):
            raise IntegrityError("this pack is damaged already", where=f"region {self.region}, {self.key}")
        store.replace(self.key, self._turned(data), store.head(self.key).tag)
        return f"byte {self.offset} of {self.key} in {self.region} was turned"

    def undo(self, tools: Tools) -> str | None:
        """Take the damaged version away, or put the whole bytes on top where it is locked."""
        store = tools.janitor(self.region)
        data = store.get(self.key)
        if self._is_whole(data):
            return None
        whole = self._turned(data)
        if not self._is_whole(whole):
            hint = f"drctl verify --mode full --region {self.region}, then drctl heal"
            raise IntegrityError("this pack is damaged, and not by the drill", where=self.key, hint=hint)
        if not self._bared(store):
            store.replace(self.key, whole, store.head(self.key).tag)
        return None

    def _bared(self, store: RegionJanitor) -> bool:
        """Whether the whole version came to light by removing the one on top of it."""
        versions = versions_of(store, self.key)
        if len(versions) < 2:
            return False
        try:
            store.delete(self.key, versions[0].version)
        except Refused:
            return False
        return self._is_whole(store.get(self.key))

    def _turned(self, data: bytes) -> bytes:
        place = self.offset % len(data) if data else 0
        return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :] if data else data

    def _is_whole(self, data: bytes) -> bool:
        return hashlib.sha256(data).hexdigest() == self.key.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class DeletedBlow:
    """The objects `keys` are deleted; their bytes are kept on this machine before."""

    region: str
    keys: tuple[str, ...]

    @property
    def target(self) -> str:
        """The region."""
        return f"region {self.region}"

    def strike(self, tools: Tools) -> str:
        """All are kept, durably, before the first is deleted."""
        store = tools.janitor(self.region)
        if not isinstance(store, BuryingStore):
            raise Refused("drills delete nothing here", where=store.label)
        for number, key in enumerate(self.keys):
            write(self._kept(tools, number), store.get(key))
        for key in self.keys:
            store.bury(key)
        return f"{len(self.keys)} points were deleted in {self.region}"

    def undo(self, tools: Tools) -> str | None:
        """Remove delete markers; create anew what is gone for good."""
        store = tools.janitor(self.region)
        for number, key in enumerate(self.keys):
            kept = self._kept(tools, number)
            if kept.exists():
                _bring_back(store, key, kept.read_bytes())
        return None

    def _kept(self, tools: Tools, number: int) -> Path:
        return tools.kept / f"deleted-{number:06d}"


def _bring_back(store: RegionJanitor, key: str, data: bytes) -> None:
    if _has(store, key, data):
        return
    for version in versions_of(store, key):
        if not version.is_marker:
            break
        store.delete(key, version.version)
    if _has(store, key, data):
        return
    try:
        store.create(key, data)
    except AlreadyExists:
        what = "another object has taken the place of one that the drill deleted"
        raise IntegrityError(what, where=f"{store.label}, {key}", hint="`drctl uncover` as janitor") from None


def _has(store: RegionJanitor, key: str, data: bytes) -> bool:
    try:
        return store.get(key) == data
    except NotFound:
        return False

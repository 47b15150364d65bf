"""A vault: the objects of one region's store under their names. Every method is safe to retry."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dr_lib.crypto import sealing
from dr_lib.crypto.keyset import CLEAR, Keyset
from dr_lib.crypto.run_key import RunKey
from dr_lib.errors import AlreadyExists, IntegrityError, NotFound, Refused
from dr_lib.format import layout
from dr_lib.format import manifest as manifest_format
from dr_lib.format.access import Access
from dr_lib.model.manifest import Manifest, PackSeal, PointSummary
from dr_lib.model.region import LockPolicy
from dr_lib.storage.base import ObjectInfo, ObjectStore
from dr_lib.storage.missing import ContainerMissing
from dr_lib.vault.acknowledged import refuse_forgotten
from dr_lib.vault.run_keys import RunKeys, create_run_key

_SUMMARY_BYTES = 64 << 10


class Vault:
    """The repository in `store`. Make one with `open_vault` or `create_vault`.

    One `Vault` is one worker: all that it seals is under one run key, which it makes when it first needs it.
    """

    def __init__(
        self,
        region: str,
        store: ObjectStore,
        keys: Keyset = CLEAR,
        trusted: Sequence[str] = (),
        lock: LockPolicy | None = None,
    ) -> None:
        """`region` is the name that messages and copies use; `trusted` are those whose signatures count here; `lock` is
        how what is created here gets locked by the store itself, None where it is not."""
        self.region = region
        self.store = store
        self.keys = keys
        self.lock = lock
        self.run_keys = RunKeys(store, keys.identities)
        self.access = Access(tuple(trusted), keys.seals, self.run_keys.secret)
        self._making = threading.Lock()
        self._run_key: RunKey | None = None

    def run_key(self) -> RunKey | None:
        """The run key that this worker seals under, made and stored at the first call; None in a clear vault."""
        if not self.keys.seals:
            return None
        with self._making:
            if self._run_key is None:
                self._run_key = create_run_key(self.store, self.keys.recipients)
            return self._run_key

    def pack_key(self, seal: PackSeal | None) -> AESGCM | None:
        """What opens the frames of a pack; None for a clear one. Raises as `RunKeys.secret`."""
        if seal is None:
            return None
        return sealing.cipher(sealing.derive(self.run_keys.secret(seal.key), seal.salt, sealing.PACK))

    def points(self, asset: str | None = None) -> list[layout.PointName]:
        """Committed points, oldest first within an asset, from one listing. What is no manifest is left out."""
        prefix = layout.POINTS if asset is None else f"{layout.POINTS}{asset}/"
        names = (layout.parse_manifest_key(info.key) for info in self.store.list(prefix))
        return [name for name in names if name is not None]

    def pending(self, asset: str) -> list[layout.PointName]:
        """Runs that were planned, committed or not, oldest first."""
        names = (layout.parse_plan_key(info.key) for info in self.store.list(f"{layout.RUNS}{asset}/"))
        return [name for name in names if name is not None]

    def manifest_bytes(self, asset: str, point: str) -> bytes:
        """The manifest object as stored; `NotFound` (5) naming the point when it is not committed here."""
        try:
            return self.store.get(layout.manifest_key(asset, point))
        except ContainerMissing:
            raise  # nothing is known about single points then
        except NotFound as error:
            raise NotFound(
                f"asset {asset!r} has no point {point!r}",
                where=self.store.label,
                hint="`drctl points` lists what there is",
            ) from error

    def manifest(self, asset: str, point: str) -> Manifest:
        """The checked manifest of a point; `IntegrityError` when it is not sound or is another point's."""
        return self.parse_manifest(asset, point, self.manifest_bytes(asset, point))

    def parse_manifest(self, asset: str, point: str, data: bytes) -> Manifest:
        """The manifest in `data`, which was read from this vault under that name; errors as `manifest`."""
        manifest = manifest_format.load(data, self.where(layout.manifest_key(asset, point)), self.access)
        self._must_name(manifest.summary, asset, point)
        return manifest

    def parse_clear(self, asset: str, point: str, data: bytes) -> PointSummary:
        """The clear part of the manifest in `data`, proven as far as it can be without a reading key."""
        summary = manifest_format.load_clear(data, self.where(layout.manifest_key(asset, point)), self.access)
        self._must_name(summary, asset, point)
        return summary

    def parse_summary(self, asset: str, point: str, start: bytes) -> PointSummary:
        """The clear part in the `start` of a manifest, which ends anywhere after the envelope; errors as `manifest`."""
        summary = manifest_format.load_summary(start, self.where(layout.manifest_key(asset, point)), self.access)
        self._must_name(summary, asset, point)
        return summary

    def summary(self, asset: str, point: str) -> PointSummary:
        """The clear part of a manifest, fetched without the rest where it is short."""
        key = layout.manifest_key(asset, point)
        size = self.store.head(key).size
        head = self.store.get_range(key, 0, min(size, _SUMMARY_BYTES))
        try:
            summary = manifest_format.load_summary(head, self.where(key), self.access)
        except IntegrityError:
            if size <= _SUMMARY_BYTES:
                raise
            summary = manifest_format.load_summary(self.store.get(key), self.where(key), self.access)
        self._must_name(summary, asset, point)
        return summary

    def commit(self, asset: str, point: str, manifest: bytes) -> None:
        """Make a point visible: create its manifest. Committing the same bytes twice is one commit.

        The caller has made sure that every pack the manifest names is stored. Raises `Refused` when another
        manifest has this name, `IntegrityError` when the store acknowledged it and does not have it.
        """
        key = layout.manifest_key(asset, point)
        try:
            self.store.create(key, manifest)
        except AlreadyExists:
            if self.store.get(key) != manifest:
                raise Refused("another manifest has this point's name", where=self.where(key)) from None
        else:
            refuse_forgotten(self.store, key, len(manifest), "manifest")

    def packs(self) -> dict[str, int]:
        """Size of every pack by its name, from one listing; objects under other names are left out."""
        return {name: info.size for name, info in self.pack_facts().items()}

    def pack_facts(self) -> dict[str, ObjectInfo]:
        """As `packs`, with all that the listing tells of each."""
        found = {}
        for info in self.store.list(layout.PACKS):
            name = info.key.rpartition("/")[2]
            if info.key == layout.pack_key(name):
                found[name] = info
        return found

    def events(self, asset: str) -> Iterator[layout.EventName]:
        """Events of an asset in order of time, from one listing."""
        for info in self.store.list(f"{layout.EVENTS}{asset}/"):
            name = layout.parse_event_key(info.key)
            if name is not None:
                yield name

    def where(self, key: str) -> str:
        """How messages name an object of this vault."""
        return f"{self.store.label}, {key}"

    def _must_name(self, summary: PointSummary, asset: str, point: str) -> None:
        if (summary.asset, summary.point) != (asset, point):
            raise IntegrityError(
                f"this manifest is of {summary.asset}/{summary.point} and stands under another name",
                where=self.where(layout.manifest_key(asset, point)),
                hint="this copy was swapped; use another region's",
            )

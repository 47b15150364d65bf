"""A vault: the objects of one region's store under their names. Every method is safe to retry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dr_lib.errors import AlreadyExists, IntegrityError, NotFound, Refused, UsageError
from dr_lib.format import canonical, layout
from dr_lib.format import manifest as manifest_format
from dr_lib.model.manifest import Manifest, PointSummary
from dr_lib.storage.base import ObjectStore
from dr_lib.storage.missing import ContainerMissing

FORMAT = 1
_SUMMARY_BYTES = 64 << 10


class Vault:
    """The repository in `store`. Make one with `open_vault` or `create_vault`."""

    def __init__(self, region: str, store: ObjectStore) -> None:
        """`region` is the name that messages and copies use."""
        self.region = region
        self.store = store

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
        manifest = manifest_format.load(data, self.where(layout.manifest_key(asset, point)))
        self._must_name(manifest.summary, asset, point)
        return manifest

    def summary(self, asset: str, point: str) -> PointSummary:
        """The clear part of a manifest, fetched without the rest where it is short."""
        key = layout.manifest_key(asset, point)
        size = self.store.head(key).size
        head = self.store.get_range(key, 0, min(size, _SUMMARY_BYTES))
        try:
            summary = manifest_format.load_summary(head, self.where(key))
        except IntegrityError:
            if size <= _SUMMARY_BYTES:
                raise
            summary = manifest_format.load_summary(self.store.get(key), self.where(key))
        self._must_name(summary, asset, point)
        return summary

    def commit(self, asset: str, point: str, manifest: bytes) -> None:
        """Make a point visible: create its manifest. Committing the same bytes twice is one commit.

        The caller has made sure that every pack the manifest names is stored. Raises `Refused` when another
        manifest has this name.
        """
        key = layout.manifest_key(asset, point)
        try:
            self.store.create(key, manifest)
        except AlreadyExists:
            if self.store.get(key) != manifest:
                raise Refused("another manifest has this point's name", where=self.where(key)) from None

    def packs(self) -> dict[str, int]:
        """Size of every pack by its name, from one listing; objects under other names are left out."""
        sizes = {}
        for info in self.store.list(layout.PACKS):
            name = info.key.rpartition("/")[2]
            if info.key == layout.pack_key(name):
                sizes[name] = info.size
        return sizes

    def add_record(self, key: str, record: dict[str, Any]) -> None:
        """Store an immutable JSON record; the same record twice is one."""
        data = canonical.dumps(record)
        try:
            self.store.create(key, data)
        except AlreadyExists:
            if self.store.get(key) != data:
                raise

    def record(self, key: str) -> dict[str, Any]:
        """A JSON record."""
        return canonical.loads(self.store.get(key), self.where(key))

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


def open_vault(region: str, store: ObjectStore) -> Vault:
    """The vault in `store`, proven to answer and to be of a known format; within seconds, or an error that names it.

    `UsageError` (2) when it is another region's: one store under two names would count as two copies.
    """
    try:
        data = store.get(layout.VAULT_KEY)
    except NotFound:
        store.check()
        raise NotFound("this region holds no vault", where=store.label, hint="`drctl init` creates it") from None
    facts = canonical.loads(data, f"{store.label}, {layout.VAULT_KEY}")
    if type(facts.get("format")) is not int or facts["format"] != FORMAT:
        raise IntegrityError(f"a vault of format {facts.get('format')!r}", where=store.label, hint="use a newer drctl")
    if facts.get("region") != region:
        raise UsageError(
            f"this is the vault of region {facts.get('region')!r}",
            where=store.label,
            hint="two regions must not share a store: correct the url, or the region's name, in dr.yaml",
        )
    return Vault(region, store)


def create_vault(region: str, store: ObjectStore, facts: dict[str, Any]) -> Vault:
    """Turn an empty store into a vault. `Refused` (7) when anything is in it already; nothing is changed then."""
    refuse_occupied(store)
    record = {"format": FORMAT, "region": region, **facts}
    store.create(layout.VAULT_KEY, canonical.dumps(record))
    return Vault(region, store)


def refuse_occupied(store: ObjectStore) -> None:
    """Raise `Refused` when the store holds a vault, or anything else."""
    first = next(iter(store.list()), None)
    if first is None:
        return
    try:
        store.head(layout.VAULT_KEY)
    except NotFound:
        raise Refused(
            f"the store holds other things (first: {first.key!r})",
            where=store.label,
            hint="name an empty place for the vault",
        ) from None
    raise Refused("a vault is there already", where=store.label, hint="nothing to do; --region limits init to new ones")

"""Putting one object right: proven bytes first, the damaged one kept aside, then created or replaced."""

from __future__ import annotations

from dataclasses import dataclass

from dr_lib.errors import AlreadyExists, IntegrityError, Refused
from dr_lib.format import layout
from dr_lib.storage.base import JanitorStore, ObjectInfo
from dr_lib.vault.others import LARGEST
from dr_lib.workflows.heal.offers import Offers
from dr_lib.workflows.heal.wounds import Mended, Proof, Wound


@dataclass(frozen=True, slots=True)
class Mender:
    """Heals objects of one vault. `refusal` is why there is no janitor."""

    proof: Proof
    offers: Offers
    janitor: JanitorStore | None
    refusal: Refused | None

    def mend(self, wound: Wound) -> Mended | None:
        """The object whole again, or None when no offer is proven.

        Safe to retry, and to be killed in: an object is whole as it was, or whole as it should be. Raises `Refused`
        (7) when a damaged one would have to be replaced and nobody here may.
        """
        for origin, data in self.offers.of(wound.key):
            if self.proof.accepts(wound.key, data):
                self.put(wound, data)
                return Mended(wound.key, "missing" if wound.info is None else "damaged", origin)
        return None

    def put(self, wound: Wound, data: bytes) -> None:
        """Let `data`, which is proven, stand there; what stands there now is kept aside."""
        if wound.info is None:
            try:
                self.proof.vault.store.create(wound.key, data)
            except AlreadyExists:
                self._must_be_whole(wound.key)
            return
        janitor = self.janitor_or_refuse(wound.key)
        self.keep_aside(janitor, wound.info)
        try:
            janitor.replace(wound.key, data, wound.info.tag)
        except AlreadyExists:
            self._must_be_whole(wound.key)

    def janitor_or_refuse(self, key: str) -> JanitorStore:
        """The janitor, without whom nothing is replaced."""
        if self.janitor is None:
            why = self.refusal.what if self.refusal is not None else "nobody here may replace it"
            raise Refused(
                f"a damaged object has to be replaced: {why}",
                where=self.proof.vault.where(key),
                hint="give this region's `credentials` a `janitor` in dr.yaml, and heal from where it may be used",
            )
        return self.janitor

    def keep_aside(self, janitor: JanitorStore, info: ObjectInfo) -> None:
        """As the older version where the store keeps them, else as an object below `damaged/`. Twice is once."""
        versions = [one for one in janitor.versions(info.key) if one.key == info.key and not one.is_marker]
        if not all(one.version.endswith(one.tag) for one in versions):
            return  # only where there are no versions is one named by its tag
        if info.size > LARGEST:
            raise Refused(
                f"the damaged object has {info.size} bytes, too many to keep aside",
                where=self.proof.vault.where(info.key),
                hint="copy it away and remove it, then heal again",
            )
        store, key = self.proof.vault.store, layout.damaged_key(info.key, info.modified_at)
        data = store.get(info.key)
        try:
            store.create(key, data)
        except AlreadyExists:
            if store.get(key) != data:
                raise

    def _must_be_whole(self, key: str) -> None:
        """Somebody else was faster: fine, when it is whole now."""
        wound = self.proof.examine(key)
        if wound is not None:
            raise IntegrityError(
                f"an object changed while it was healed, and is damaged: {wound.why}",
                where=self.proof.vault.where(key),
                hint="run the command again",
            )

"""Where sound bytes of an object can be had: an older version of it, the other regions, or what makes it anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dr_lib.errors import DrError, IntegrityError, NotFound, PermissionDenied, StoreUnavailable
from dr_lib.storage.base import JanitorStore
from dr_lib.vault.vault import Vault

Offer = tuple[str, bytes]
"""Where bytes came from, in words, and the bytes; not proven yet."""
Remake = Callable[[str], bytes | None]
"""Makes the bytes of an object anew from what is live; None when it cannot."""
UNUSABLE = (IntegrityError, NotFound, StoreUnavailable, PermissionDenied)


@dataclass(frozen=True, slots=True)
class Offers:
    """The sources of one healing, in the order in which they are asked."""

    janitor: JanitorStore | None
    sources: Sequence[Vault]
    remake: Remake
    failed: list[DrError]

    def of(self, key: str) -> Iterator[Offer]:
        """Every offer for an object, the cheapest first. What cannot be had is left out, and noted in `failed`."""
        yield from self._versions(key)
        for vault in self.sources:
            try:
                yield f"region {vault.region}", vault.store.get(key)
            except UNUSABLE as error:
                self.failed.append(error)
        data = self.remake(key)
        if data is not None:
            yield "the source", data

    def _versions(self, key: str) -> Iterator[Offer]:
        if self.janitor is None:
            return
        for version in [v for v in self.janitor.versions(key) if v.key == key and not v.is_marker and not v.is_latest]:
            try:
                yield "an older version", self.janitor.get_version(key, version.version)
            except UNUSABLE as error:
                self.failed.append(error)

"""What is wrong with single objects of a vault, and the facts of healing one."""

from __future__ import annotations

from dataclasses import dataclass

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.format import layout
from dr_lib.storage.base import ObjectInfo
from dr_lib.storage.missing import ContainerMissing
from dr_lib.vault.object_check import check_object
from dr_lib.vault.others import LARGEST, CheckRecord
from dr_lib.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Wound:
    """An object that is not what its key promises. `info` is None when it is missing; `why` is for people."""

    key: str
    why: str
    info: ObjectInfo | None


@dataclass(frozen=True, slots=True)
class Mended:
    """An object that is whole again: whether it had been `missing` or `damaged`, and where its bytes came from."""

    key: str
    was: str
    origin: str


@dataclass(frozen=True, slots=True)
class Unhealed:
    """An object that could not be healed, and why. `needed`: a point needs it."""

    key: str
    why: str
    needed: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """What proves bytes of this vault."""

    vault: Vault
    check_record: CheckRecord | None

    def accepts(self, key: str, data: bytes) -> bool:
        """Whether these bytes may stand under `key`."""
        try:
            self.check(key, data)
        except IntegrityError:
            return False
        return True

    def check(self, key: str, data: bytes) -> None:
        """Raise `IntegrityError` unless they may."""
        if key.startswith(layout.RUNS) and self.check_record is not None:
            self.check_record(self.vault, key, data)
        check_object(self.vault, key, data)

    def examine(self, key: str) -> Wound | None:
        """Look at the object itself; None when it is whole."""
        try:
            info = self.vault.store.head(key)
        except ContainerMissing:
            raise
        except NotFound:
            return Wound(key, "it is gone", None)
        if info.size > LARGEST:
            return Wound(key, f"it has {info.size} bytes", info)
        try:
            self.check(key, self.vault.store.get_range(key, 0, info.size))
        except (IntegrityError, NotFound) as error:
            return Wound(key, error.what, info)
        return None

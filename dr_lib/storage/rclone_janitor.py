"""The rclone store as the janitor opens it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dr_lib.errors import AlreadyExists, NotFound
from dr_lib.storage.base import ObjectVersion
from dr_lib.storage.rclone import RcloneStore
from dr_lib.storage.unversioned import same_version, single_versions


class RcloneJanitorStore(RcloneStore):
    """An rclone remote, with one version an object.

    rclone knows no conditions: between the look at the object and its deletion or replacement another janitor may come.
    """

    def versions(self, prefix: str = "") -> Iterator[ObjectVersion]:
        """One version an object."""
        return single_versions(self.list(prefix))

    def get_version(self, key: str, version: str) -> bytes:
        """The object, when that is its version."""
        same_version(self.head(key), version, self.label)
        return self.get(key)

    def delete(self, key: str, version: str) -> None:
        """Remove the object when that is its version."""
        try:
            if self.head(key).tag == version:
                self._run("deletefile", self._path(key))
        except NotFound:
            self.check()

    def replace(self, key: str, data: bytes | bytearray | memoryview, tag: str) -> None:
        """Put `data` in the place of the object that has this tag; rclone compares checksums afterwards."""
        if self.head(key).tag != tag:
            raise AlreadyExists(f"object {key!r} has changed meanwhile", where=self.label)
        self._upload(key, data, "--ignore-times")

    def weaken(self, key: str, until: datetime) -> None:
        """Always `Refused`."""
        self.lock(key, until)

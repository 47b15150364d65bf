"""The S3 store as the janitor opens it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dr_lib.storage.base import ObjectVersion
from dr_lib.storage.s3 import S3Store


class S3JanitorStore(S3Store):
    """A bucket, and every version in it. What is locked is refused by the server, to the janitor too."""

    def versions(self, prefix: str = "") -> Iterator[ObjectVersion]:
        """Every version whose key starts with `prefix`, one request per 1,000; one a key without versions."""
        return self._control.versions(self._prefix, prefix)

    def get_version(self, key: str, version: str) -> bytes:
        """Whole content of one version."""
        return self._control.get_version(self._whole(key), version)

    def delete(self, key: str, version: str) -> None:
        """Remove exactly this version. Where there are versions, an older one below it comes to light."""
        self._control.delete(self._whole(key), version)

    def replace(self, key: str, data: bytes | bytearray | memoryview, tag: str) -> None:
        """Put `data` on top of the version that has this tag, or in its place where there are no versions."""
        self._control.replace(self._whole(key), data, tag)

    def bury(self, key: str) -> None:
        """Put a delete marker on top of the object, or delete it where there are no versions."""
        self._control.bury(self._whole(key))

    def weaken(self, key: str, until: datetime) -> None:
        """Ask the server for what it must refuse: that the lock of `key` ends earlier. Only a probe asks."""
        self._control.weaken(self._whole(key), until)

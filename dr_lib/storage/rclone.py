"""A store on any rclone remote (SFTP, HDFS, GCS, Azure, …), for vaults kept where neither S3 nor a mount reaches."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from dr_lib.errors import AlreadyExists, NotFound, OutOfSpace, Refused
from dr_lib.storage.base import ObjectInfo
from dr_lib.storage.keys import check_key, check_length, check_range, encoded
from dr_lib.storage.missing import container_missing, key_missing
from dr_lib.storage.rclone_command import MISSING_STATUS, failure, run

_STORED = "Copied (new)"
"""rclone's own words for an object that was not there before; it says nothing when it left one alone."""


class RcloneStore:
    """Objects below `target` (`remote:path`). Every call runs `rclone` once or twice.

    Weaker than the other stores in two ways. Create-if-absent is best effort between processes: rclone looks whether
    the object is there and then uploads, so of two processes that create one key within one upload both may be told
    that they won, or neither (equal contents do no harm). And a listing arrives in one piece: its memory grows with the
    number of objects below the last slash of the prefix. The credentials are those of rclone's own configuration.
    """

    def __init__(self, target: str, label: str) -> None:
        """Nothing is asked of the remote yet."""
        self.label = label
        self._target = target if target.endswith(":") else target.rstrip("/")
        self._container_seen = False
        self._turn = threading.Condition()
        self._creating: set[str] = set()

    def check(self) -> None:
        """List the top of the container, so that it and the permission to read are proven."""
        if self._run("lsf", self._target, "--max-depth 1") is None:
            raise container_missing(self.label, f"directory {self._target}")
        self._container_seen = True

    def ensure_container(self, *, lock_mode: str | None, lock_days: int | None) -> bool:
        """Make the directory or bucket; rclone sets no object lock, so asking for one is `Refused`."""
        if lock_mode is not None or lock_days is not None:
            raise Refused("rclone sets no object lock", where=self.label, hint="leave `lock` out for this region")
        created = self._run("lsf", self._target, "--max-depth 1") is None
        if created:
            self._run("mkdir", self._target)
        self._container_seen = True
        return created

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Store `data` unless the key is taken (best effort, see the class); rclone compares checksums afterwards."""
        if not self._container_seen:
            self.check()
        if _STORED not in self._upload(key, data, "--ignore-existing"):
            raise AlreadyExists(f"object {key!r} exists", where=self.label)

    def get(self, key: str) -> bytes:
        """Whole content of `key`."""
        return self._read(key, 0, self.head(key).size)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start`; `IntegrityError` when the object ends before that."""
        check_range(self.head(key).size, start, length, key=key, label=self.label)
        return self._read(key, start, length)

    def head(self, key: str) -> ObjectInfo:
        """Facts of one object."""
        answer = self._run("lsjson", self._path(key), "--stat")
        if answer is None:
            self.check()
            raise key_missing(self.label, key)
        facts = json.loads(answer)
        if facts["IsDir"]:
            raise key_missing(self.label, key)
        return _info(key, facts)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix`, in byte order of the keys; asked for at the first step."""
        directory = prefix[: prefix.rfind("/") + 1]
        answer = self._run("lsjson", self._below(directory), "-R", "--files-only", "--use-server-modtime")
        if answer is None:
            self.check()
        found = [_info(directory + facts["Path"], facts) for facts in json.loads(answer or "[]")]
        if len(found) == 1 and not self._exists(found[0].key):
            return
        yield from sorted((info for info in found if info.key.startswith(prefix)), key=lambda info: encoded(info.key))

    def locked_until(self, key: str) -> datetime | None:
        """Always None: rclone knows no object lock, and whatever the remote itself may have is not claimed."""
        self.head(key)
        return None

    def lock(self, key: str, until: datetime) -> None:  # noqa: ARG002 - the contract's signature
        """Always `Refused`."""
        raise Refused("rclone sets no object lock", where=self.label, hint="leave `lock` out for this region")

    def _exists(self, key: str) -> bool:
        # Asked to list `a/b/`, rclone takes an object `a/b` for a directory that holds one `b`.
        try:
            self.head(key)
        except NotFound:
            return False
        return True

    @contextlib.contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """One thread at a time creates a key."""
        with self._turn:
            self._turn.wait_for(lambda: key not in self._creating)
            self._creating.add(key)
        try:
            yield
        finally:
            with self._turn:
                self._creating.discard(key)
                self._turn.notify_all()

    def _read(self, key: str, start: int, length: int) -> bytes:
        # rclone reads a count of 0 as "to the end", and refuses an offset at the end.
        if length == 0:
            return b""
        data = self._run("cat", self._path(key), f"--offset {start}", f"--count {length}")
        if data is None:
            raise key_missing(self.label, key)
        return check_length(data, length, key=key, label=self.label)

    def _upload(self, key: str, data: bytes | bytearray | memoryview, flag: str) -> str:
        """What rclone said of the upload of `data` under `key`."""
        path = self._path(key)
        try:
            with self._alone(key), tempfile.TemporaryDirectory(prefix="dr-rclone-") as directory:
                source = Path(directory) / "object"
                source.write_bytes(data)
                # A write must not bring back a bucket that was deleted.
                flags = (flag, "--s3-no-check-bucket", "--gcs-no-check-bucket", "-v")
                status, _, said = run("copyto", str(source), path, flags=flags)
        except OSError as error:
            raise OutOfSpace(f"no temporary copy could be written: {error.strerror}", where=self.label) from error
        if status:
            raise failure(status, said, self.label)
        return said

    def _run(self, verb: str, path: str, *flags: str) -> bytes | None:
        """What rclone printed; None when it says that there is no such object or directory."""
        status, printed, said = run(verb, path, flags=flags)
        if status in MISSING_STATUS:
            return None
        if status:
            raise failure(status, said, self.label)
        return printed

    def _path(self, key: str) -> str:
        return self._below(check_key(key, self.label))

    def _below(self, path: str) -> str:
        separator = "" if self._target.endswith(":") or not path else "/"
        return f"{self._target}{separator}{path}"


def _info(key: str, facts: dict[str, Any]) -> ObjectInfo:
    modified = facts["ModTime"]
    return ObjectInfo(key, facts["Size"], datetime.fromisoformat(modified), f"{facts['Size']:x}-{modified}")

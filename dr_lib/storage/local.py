"""A store in a directory: local disks, and whatever the system mounts (NFS, CephFS, GlusterFS)."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from dr_lib.errors import (
    AlreadyExists,
    DrError,
    NotFound,
    OutOfSpace,
    PermissionDenied,
    Refused,
    StoreUnavailable,
)
from dr_lib.storage.base import ObjectInfo, ObjectVersion
from dr_lib.storage.keys import check_key, check_length, check_range, encoded
from dr_lib.storage.missing import ContainerMissing, container_missing, key_missing
from dr_lib.storage.unversioned import same_version, single_versions

INCOMING = ".dr-incoming"
"""Directory below the root where objects are written before they get their name; never listed, no key lies in it."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_UNFIT_NAME = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EILSEQ, errno.EINVAL)


class LocalStore:
    """Keys are paths below `root`.

    `create` writes and syncs a temporary file, links it under its name (which fails when the name is taken) and
    syncs the directories, so that a crash leaves the whole object or none. It never makes `root` itself: a file
    system that is not mounted must not be taken for an empty vault. An object cannot lie below another one's key.
    """

    def __init__(self, root: Path, label: str) -> None:
        """Nothing is touched yet. `root` is made absolute."""
        self.root = root.absolute()
        self.label = label

    def check(self) -> None:
        """`ContainerMissing` without the directory, `PermissionDenied` when it cannot be read and entered."""
        with self._errors_of("."):
            entries = os.scandir(self.root)
            entries.close()

    def ensure_container(self, *, lock_mode: str | None, lock_days: int | None) -> bool:
        """Make the directory; it has no object lock, so asking for one is `Refused`."""
        if lock_mode is not None or lock_days is not None:
            raise Refused("a directory has no object lock", where=self.label, hint="leave `lock` out for this region")
        try:
            self.root.mkdir(parents=True)
        except FileExistsError:
            self.check()
            return False
        except OSError as error:
            raise self._translated(error, ".") from error
        return True

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Store `data` durably under `key`; `AlreadyExists`, `OutOfSpace` (nothing is left behind) or as in `check`."""
        path = self._path(key)
        if path.is_dir():
            raise Refused(f"other objects lie below {key!r}", where=self.label)
        if path.exists():
            raise AlreadyExists(f"object {key!r} exists", where=self.label)
        with self._errors_of(key):
            _make_directory(self.root / INCOMING, self.root)
            temporary = self.root / INCOMING / uuid.uuid4().hex
            try:
                _write_durably(temporary, data)
                _make_directory(path.parent, self.root)
                os.link(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
            _sync_directory(path.parent)

    def get(self, key: str) -> bytes:
        """Whole content of `key`."""
        path = self._path(key)
        with self._errors_of(key), _open(path) as stream:
            return stream.read()

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start`; `IntegrityError` when the object ends before that."""
        path = self._path(key)
        with self._errors_of(key), _open(path) as stream:
            check_range(os.fstat(stream.fileno()).st_size, start, length, key=key, label=self.label)
            stream.seek(start)
            data = stream.read(length)
        return check_length(data, length, key=key, label=self.label)

    def head(self, key: str) -> ObjectInfo:
        """Facts of one object."""
        path = self._path(key)
        with self._errors_of(key):
            if not path.is_file():
                raise FileNotFoundError(errno.ENOENT, "no such object", str(path))
            return _info(key, path.stat())

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix`, in byte order of the keys, one directory at a time."""
        self.check()
        yield from self._walk("", prefix)

    def locked_until(self, key: str) -> datetime | None:
        """Always None: a directory has no object lock."""
        self.head(key)
        return None

    def lock(self, key: str, until: datetime) -> None:  # noqa: ARG002 - the contract's signature
        """Always `Refused`."""
        raise Refused("a directory has no object lock", where=self.label, hint="leave `lock` out for this region")

    def bury(self, key: str) -> None:
        """Remove the object, durably."""
        path = self._path(key)
        with self._errors_of(key):
            if path.is_file():
                path.unlink(missing_ok=True)
                _sync_directory(path.parent)

    def weaken(self, key: str, until: datetime) -> None:  # noqa: ARG002 - the contract's signature
        """Always `Refused`."""
        raise Refused("a directory has no object lock", where=self.label, hint="leave `lock` out for this region")

    def versions(self, prefix: str = "") -> Iterator[ObjectVersion]:
        """One version an object."""
        return single_versions(self.list(prefix))

    def get_version(self, key: str, version: str) -> bytes:
        """The object, when that is its version."""
        same_version(self.head(key), version, self.label)
        return self.get(key)

    def delete(self, key: str, version: str) -> None:
        """Remove the object when that is its version, durably. Nothing happens when it is gone, or goes meanwhile."""
        path = self._path(key)
        with self._errors_of(key):
            try:
                facts = path.stat()
            except FileNotFoundError:
                return
            if not stat.S_ISREG(facts.st_mode) or _info(key, facts).tag != version:
                return
            path.unlink(missing_ok=True)
            _sync_directory(path.parent)

    def replace(self, key: str, data: bytes | bytearray | memoryview, tag: str) -> None:
        """Put `data` durably in the place of the object that has this tag. Two janitors at once: the last one wins."""
        path = self._path(key)
        if self.head(key).tag != tag:
            raise AlreadyExists(f"object {key!r} has changed meanwhile", where=self.label)
        with self._errors_of(key):
            _make_directory(self.root / INCOMING, self.root)
            temporary = self.root / INCOMING / uuid.uuid4().hex
            try:
                _write_durably(temporary, data)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            _sync_directory(path.parent)

    def _walk(self, directory: str, prefix: str) -> Iterator[ObjectInfo]:
        for key in self._children(directory):
            if key.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(key, prefix)
            elif key.startswith(prefix) and (found := self._listed(key)) is not None:
                yield found

    def _listed(self, key: str) -> ObjectInfo | None:
        """None for what goes while it is listed: that is not there."""
        try:
            return self.head(key)
        except ContainerMissing:
            raise
        except NotFound:
            return None

    def _children(self, directory: str) -> tuple[str, ...]:
        # A directory sorts by its name and the slash, so that `a-b` comes before `a/…` as in a flat listing.
        with self._errors_of(directory), os.scandir(self.root / directory) as entries:
            names = [
                f"{directory}{entry.name}/" if entry.is_dir(follow_symlinks=False) else f"{directory}{entry.name}"
                for entry in entries
                if (directory or entry.name != INCOMING) and (entry.is_file() or entry.is_dir(follow_symlinks=False))
            ]
        return tuple(sorted(names, key=encoded))

    def _path(self, key: str) -> Path:
        if check_key(key, self.label).split("/")[0] == INCOMING:
            raise Refused(f"not a key: {key!r}", where=self.label)
        return self.root / key

    @contextlib.contextmanager
    def _errors_of(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._translated(error, key) from error

    def _translated(self, error: OSError, key: str) -> DrError:
        if isinstance(error, FileExistsError):
            return AlreadyExists(f"object {key!r} exists", where=self.label)
        if not self.root.is_dir():
            return container_missing(self.label, f"directory {self.root}")
        if isinstance(error, FileNotFoundError):
            return key_missing(self.label, key)
        reason = f"{error.strerror or error} (object {key!r})"
        if error.errno in _FULL:
            return OutOfSpace(reason, where=self.label, hint="free some space and run it again")
        if error.errno in _FORBIDDEN:
            return PermissionDenied(reason, where=self.label, hint=f"check the owner and mode of {self.root}")
        if error.errno in _UNFIT_NAME:
            return Refused(reason, where=self.label)
        return StoreUnavailable(reason, where=self.label, hint="check the disk or the mount")


def _info(key: str, facts: os.stat_result) -> ObjectInfo:
    modified = datetime.fromtimestamp(facts.st_mtime, UTC)
    return ObjectInfo(key, facts.st_size, modified, f"{facts.st_size:x}-{facts.st_mtime_ns:x}-{facts.st_ino:x}")


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except (IsADirectoryError, NotADirectoryError) as error:
        # An object store has no directories: such a key is simply not there.
        raise FileNotFoundError(errno.ENOENT, "no such object", str(path)) from error


def _write_durably(path: Path, data: bytes | bytearray | memoryview) -> None:
    with path.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _make_directory(path: Path, root: Path) -> None:
    """Make `path` below `root`, whose parts are synced into their parents; `root` must exist."""
    if path == root or path.is_dir():
        return
    _make_directory(path.parent, root)
    try:
        path.mkdir()
    except FileExistsError:
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "an object lies where a directory is needed", str(path)) from None
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

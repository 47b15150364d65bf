"""The objects below a prefix as a source: keys are files, their parts are directories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from dr_lib.errors import IntegrityError, NotFound, Refused, SourceUnstable
from dr_lib.model.manifest import DirectoryEntry
from dr_lib.sources.base import SourceFile, SourceListing
from dr_lib.sources.offenders import unstable
from dr_lib.storage.base import ObjectInfo, ObjectStore
from dr_lib.storage.keys import check_key, encoded

FILE_MODE = 0o644
DIRECTORY_MODE = 0o755
DIRECTORY_MTIME_NS = 0
"""A prefix has no time of its own, and one taken from its objects would say that it changed when only they did."""
LONGEST_NAME = 255
"""Bytes of one part of a path, on every file system that a restore is likely to meet (NAME_MAX)."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BucketSource:
    """Everything in `store`, whose root is the asset's prefix; `url` names it for people.

    Files come with mode 0644 and the time of their last change, directories with mode 0755 and time 0; there are no
    links. A key that ends in `/` and holds no byte is a directory, an empty one unless other keys lie below it.
    """

    def __init__(self, store: ObjectStore, url: str) -> None:
        """Nothing is asked of the store until it is needed."""
        self._store = store
        self._url = url

    @property
    def url(self) -> str:
        """As given."""
        return self._url

    def listing(self) -> SourceListing:
        """As in `Source`; `NotFound` when nothing lies below the prefix. Raises what the store raises, too.

        `SourceUnstable` names the keys that cannot become files: empty parts, `.` or `..`, over-long names, bytes in
        a key that ends in `/`, an object of the name of a directory, and what `check_key` refuses besides.
        """
        objects = list(self._store.list())
        if not objects:
            hint = "check the bucket and the prefix in the asset's `source`"
            raise NotFound("the source holds no object", where=self._url, hint=hint)
        self._refuse_misfits(objects)
        files = (_file(info) for info in objects if not _is_marker(info))
        directories = (DirectoryEntry(path, DIRECTORY_MODE, DIRECTORY_MTIME_NS) for path in _directories(objects))
        return SourceListing(
            tuple(sorted(files, key=lambda file: file.path)),
            tuple(sorted(directories, key=lambda directory: directory.path)),
            (),
        )

    def read(self, file: SourceFile, offset: int, length: int) -> bytes:
        """As in `Source`, for an object that is gone or shorter; raises what the store raises, too.

        One that was overwritten with at least as many bytes is not noticed here: its tag differs in the listing that
        is taken again before a point is committed, and that refuses the point. No bytes are asked of no store.
        """
        if length == 0:
            return b""
        try:
            return self._store.get_range(file.path, offset, length)
        except (NotFound, IntegrityError) as error:
            hint = "let the writer finish, then back up again"
            what = f"{file.path!r} cannot be read as it was listed: {error.what}"
            raise SourceUnstable(what, where=self._url, hint=hint) from error

    def _refuse_misfits(self, objects: list[ObjectInfo]) -> None:
        misfits = [repr(info.key) for info in objects if not _fits(info, self._store.label)]
        directories = _directories(objects)
        misfits += [f"{info.key!r} and keys below it" for info in objects if info.key in directories]
        if misfits:
            hint = "rename or remove these objects"
            raise unstable("there are keys that cannot become files", misfits, url=self._url, hint=hint)


def _is_marker(info: ObjectInfo) -> bool:
    """Consoles and connectors make a directory as an object; the one of the prefix itself has an empty key."""
    return info.size == 0 and (not info.key or info.key.endswith("/"))


def _file(info: ObjectInfo) -> SourceFile:
    mtime_ns = (info.modified_at - EPOCH) // timedelta(microseconds=1) * 1000
    return SourceFile(info.key, FILE_MODE, mtime_ns, info.size, info.tag)


def _directories(objects: Iterable[ObjectInfo]) -> set[str]:
    return {".", *(above for info in objects for above in _above(info.key))}


def _above(key: str) -> Iterator[str]:
    """The directories that a key implies: `a` and `a/b` for `a/b/c` and for `a/b/`."""
    parts = key.split("/")[:-1]
    return ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))


def _fits(info: ObjectInfo, label: str) -> bool:
    key = info.key.removesuffix("/") if _is_marker(info) else info.key
    if not key and _is_marker(info):
        return info.key == ""
    try:
        check_key(key, label)
    except Refused:
        return False
    return all(len(encoded(part)) <= LONGEST_NAME for part in key.split("/"))

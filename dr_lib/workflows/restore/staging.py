"""The staging directory: a restored tree appears in its target's place whole, or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dr_lib.errors import DrError, OutOfSpace, PermissionDenied, Refused

NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
UNFIT: Final = (errno.ENOTDIR, errno.ENAMETOOLONG, errno.EBUSY, errno.EEXIST, errno.EILSEQ, errno.ELOOP)


class Staging:
    """A private directory beside `target`, on the same file system. A context manager.

    Entering refuses (7) a target that is not empty, is no directory, or is being restored into by another live
    process; what a killed restore left there is removed. Leaving without `publish()` removes everything, so that
    nothing stands in the target's place. An `OSError` inside comes out as this program's own (`disk_error`).
    """

    def __init__(self, target: Path) -> None:
        """`target` need not exist; its missing parents are made."""
        self.target = target
        self.root = target.parent / f".{target.name}.restoring"
        self._lock = target.parent / f".{target.name}.restoring.lock"
        self._descriptor = -1

    def publish(self) -> None:
        """Rename the tree into the target's place: atomic, and refused when something appeared there meanwhile.

        Survives the death of this process at any moment. Nothing is synced: after a power cut soon afterwards restore
        again.
        """
        try:
            self.root.rename(self.target)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise _occupied(self.target) from error
            raise

    def __enter__(self) -> Self:
        """Take the lock and make the directory."""
        refuse_occupied(self.target)
        with disk_errors(self.target):
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            try:
                _remove_tree(self.root)
                self.root.mkdir(mode=0o700)
            except OSError:
                self._release()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was not published and give the lock back."""
        try:
            _remove_tree(self.root)
        finally:
            self._release()
        if isinstance(error, OSError):
            raise disk_error(error, self.target) from error

    def _release(self) -> None:
        self._lock.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _take_lock(self) -> None:
        self._descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._descriptor)
            raise self._taken() from error
        if not self._lock.exists() or not os.path.samestat(os.fstat(self._descriptor), self._lock.stat()):
            os.close(self._descriptor)  # its holder removed the file between our open and our lock
            raise self._taken()

    def _taken(self) -> Refused:
        return Refused(
            "another restore into this target is running", where=str(self.target), hint="wait for it, or name another"
        )


def refuse_occupied(target: Path) -> None:
    """Raise `Refused` unless the target is missing or an empty directory that a rename can replace."""
    with disk_errors(target):
        if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
            raise _occupied(target)
        if target.is_mount():
            raise Refused(
                "the target is a mount point, which nothing can be renamed over",
                where=str(target),
                hint="name a directory inside it with --to; nothing was touched",
            )


def refuse_full(target: Path, needed: int) -> None:
    """Raise `OutOfSpace` when the target's file system has less than `needed` bytes free: before a byte is fetched."""
    with disk_errors(target):
        place = next(parent for parent in (target, *target.parents) if parent.exists())
        free = shutil.disk_usage(place).free
    if free < needed:
        raise OutOfSpace(
            f"{needed:,} bytes are to be restored and {free:,} are free",
            where=str(place),
            hint="free some space, or name another --to",
        )


def _occupied(target: Path) -> Refused:
    return Refused(
        "the target is not an empty directory",
        where=str(target),
        hint="name a new directory with --to; nothing was touched",
    )


def _remove_tree(root: Path) -> None:
    """Remove a staging tree whose directories may have been left without permissions. A link is never followed."""
    if root.is_symlink():
        root.unlink()
    if not root.exists():
        return
    root.chmod(0o700)
    for folder, folders, _ in os.walk(root):
        for path in (Path(folder) / name for name in folders):
            if not path.is_symlink():
                path.chmod(0o700)  # before the walk enters it
    shutil.rmtree(root)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns an `OSError` of the block into `disk_error`."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path) from error


def disk_error(error: OSError, target: Path) -> DrError:
    """A failed access to the file system that is restored to, in this program's words."""
    where = str(target)
    if error.errno in NO_SPACE:
        what = "the disk filled up; nothing was left in the target's place"
        return OutOfSpace(what, where=where, hint="free some space and run it again")
    reason = f"{error.strerror} ({error.filename})" if error.filename else f"{error.strerror}"
    if error.errno in FORBIDDEN:
        return PermissionDenied(f"the target cannot be written: {reason}", where=where, hint="name another with --to")
    if error.errno in UNFIT:
        return Refused(f"no tree can be made there: {reason}", where=where, hint="name another with --to")
    return DrError(f"writing failed: {reason}", where=where, hint="check the file system, then run it again")

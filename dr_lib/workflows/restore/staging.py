"""The staging directory: a restored tree appears in its target's place whole, or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dr_lib.errors import OutOfSpace, Refused

NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Staging:
    """A private directory beside `target`, on the same file system. A context manager.

    Entering refuses (7) a target that is not empty, is no directory, or is being restored into by another live
    process; what a killed restore left there is removed. Leaving without `publish()` removes everything, so that
    nothing stands in the target's place.
    """

    def __init__(self, target: Path) -> None:
        """`target` need not exist; its missing parents are made."""
        self.target = target
        self.root = target.parent / f".{target.name}.restoring"
        self._lock = target.parent / f".{target.name}.restoring.lock"
        self._descriptor = -1

    def publish(self) -> None:
        """Rename the tree into the target's place: atomic, and refused when something appeared there meanwhile."""
        try:
            self.root.rename(self.target)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise _occupied(self.target) from error
            raise

    def __enter__(self) -> Self:
        """Take the lock and make the directory."""
        refuse_occupied(self.target)
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        _remove_tree(self.root)
        self.root.mkdir(mode=0o700)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was not published and give the lock back."""
        _remove_tree(self.root)
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
    """Raise `Refused` unless the target is missing or an empty directory."""
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise _occupied(target)


def refuse_full(target: Path, needed: int) -> None:
    """Raise `OutOfSpace` when the target's file system has less than `needed` bytes free: before a byte is fetched."""
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
    """Remove a staging tree whose directories may have been left without write permission."""
    if not root.exists():
        return
    for folder, _, _ in os.walk(root):
        Path(folder).chmod(0o700)
    shutil.rmtree(root)

"""The staging directory: a restored tree appears in its target's place whole, or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dr_lib.errors import DrError, OutOfSpace, PermissionDenied, Refused, StoreUnavailable
from dr_lib.workflows.restore.journal import Journal

NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
UNFIT: Final = (errno.ENOTDIR, errno.ENAMETOOLONG, errno.EBUSY, errno.EEXIST, errno.EILSEQ, errno.ELOOP)
Kinds = Mapping[str, int]
"""What may stand in a staging directory: `stat.S_IFREG` and the like by relative path."""


class Staging:
    """A private directory beside `target`, on the same file system. A context manager.

    Entering refuses (7) a target that is not empty, is no directory, or is being restored into by another live
    process. What a killed restore of the same `identity` left there is taken over, and `done` says which of its ranges
    were written; anything else is removed. Leaving without `publish()` removes everything, so that nothing stands in
    the target's place; but after `StoreUnavailable` or an interruption what was written stays for the next try. An
    `OSError` inside comes out as this program's own (`disk_error`).
    """

    def __init__(self, target: Path, identity: str = "", kinds: Kinds | None = None) -> None:
        """`target` need not exist; its missing parents are made. Without an `identity` nothing is taken over or kept.

        `kinds` is everything that a restore of this identity may have made.
        """
        self.target = target
        self.root = _root(target)
        self.done: set[int] = set()
        self._identity = identity
        self._kinds = kinds or {}
        self._published = False
        self._journal = Journal(target.parent / f".{target.name}.restoring.journal", target)

    def written(self, number: int) -> None:
        """Range `number` is in its files: the next try need not fetch it. Called by several threads."""
        self._journal.note(number)
        self.done.add(number)

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
        self._published = True

    def __enter__(self) -> Self:
        """Take the lock, and the directory over or make it."""
        refuse_occupied(self.target)
        with disk_errors(self.target):
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self._journal.open()
            try:
                self._take_over_or_begin()
            except BaseException:
                self._journal.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was neither published nor is to be gone on with, and give the lock back."""
        try:
            if not self._goes_on(error):
                if not self._published:
                    self._journal.clear()
                    _remove_tree(self.root)
                self._journal.remove()
        finally:
            self._journal.close()
        if isinstance(error, OSError):
            raise disk_error(error, self.target) from error
        if isinstance(error, StoreUnavailable) and self._goes_on(error):
            hint = f"run it again: it goes on with what is in {self.root}; remove that to begin afresh"
            raise StoreUnavailable(error.what, where=error.where, hint=hint) from error

    def _goes_on(self, error: BaseException | None) -> bool:
        interrupted = isinstance(error, StoreUnavailable) or (error is not None and not isinstance(error, Exception))
        return bool(self._identity and self.done and interrupted and not self._published)

    def _take_over_or_begin(self) -> None:
        done = self._journal.done(self._identity) if self._identity else None
        if done and _unlocked(self.root, self._kinds):
            self.done = done
            return
        self._journal.clear()
        _remove_tree(self.root)
        self.root.mkdir(mode=0o700)
        self._journal.begin(self._identity)


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
    """Raise `OutOfSpace` when the target's file system has less than `needed` bytes free: before a byte is fetched.

    What an interrupted restore left beside the target counts as free: it is taken over or removed.
    """
    with disk_errors(target):
        place = next(parent for parent in (target, *target.parents) if parent.exists())
        free = shutil.disk_usage(place).free + _allocated(_root(target))
    if free < needed:
        raise OutOfSpace(
            f"{needed:,} bytes are to be restored and {free:,} are free",
            where=str(place),
            hint="free some space, or name another --to",
        )


def _root(target: Path) -> Path:
    return target.parent / f".{target.name}.restoring"


def _allocated(root: Path) -> int:
    if root.is_symlink() or not root.is_dir():
        return 0
    found = (Path(folder) / name for folder, _, names in os.walk(root) for name in names)
    return sum(path.lstat().st_blocks * 512 for path in found)


def _unlocked(root: Path, kinds: Kinds) -> bool:
    """Make everything below `root` ours to change again; False when something stands there that we did not make."""
    if root.is_symlink() or not root.is_dir() or root.stat().st_uid != os.geteuid():
        return False
    root.chmod(0o700)
    for folder, folders, names in os.walk(root):
        for path in (Path(folder) / name for name in (*folders, *names)):
            kind = stat.S_IFMT(path.lstat().st_mode)
            if kinds.get(str(path.relative_to(root))) != kind:
                return False
            if kind != stat.S_IFLNK:
                path.chmod(0o700 if kind == stat.S_IFDIR else 0o600)  # a directory before the walk enters it
    return True


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

"""The journal of a restore: which ranges are written, so that the next try fetches only the others. Also its lock.

A line with the identity of what is restored, then the number of each range that is written, a line each. It is not
synced: after a power cut it may name ranges that the disk lost, which the digests of their files then tell.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from dr_lib.errors import Refused


class Journal:
    """The file at `path`, locked from `open` until `close` against every other process."""

    def __init__(self, path: Path, target: Path) -> None:
        """Nothing is touched yet; `target` is what messages name."""
        self._path = path
        self._target = target
        self._descriptor = -1

    def open(self) -> None:
        """Take the lock, making the file; `Refused` (7) when another process has it."""
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise self._taken() from error
        if not self._path.exists() or not os.path.samestat(os.fstat(self._descriptor), self._path.stat()):
            self.close()  # its holder removed the file between our open and our lock
            raise self._taken()

    def done(self, identity: str) -> set[int] | None:
        """Numbers of the ranges that a restore of this identity wrote; None when there was none.

        What was being noted when that restore died is cut off.
        """
        text = os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)
        whole = text[: text.rfind(b"\n") + 1]
        head, *numbers = whole.splitlines() or [b""]
        if head != identity.encode() or not all(number.isdigit() for number in numbers):
            return None
        os.ftruncate(self._descriptor, len(whole))
        os.lseek(self._descriptor, 0, os.SEEK_END)
        return {int(number) for number in numbers}

    def begin(self, identity: str) -> None:
        """Nothing is written yet of what has this identity."""
        os.write(self._descriptor, f"{identity}\n".encode())

    def note(self, number: int) -> None:
        """Range `number` is written. Called by several threads."""
        os.write(self._descriptor, f"{number}\n".encode())

    def clear(self) -> None:
        """Forget everything: from now on nothing in the staging directory counts."""
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)

    def remove(self) -> None:
        """Unlink the file; the lock lasts until `close`."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)

    def _taken(self) -> Refused:
        return Refused(
            "another restore into this target is running", where=str(self._target), hint="wait for it, or name another"
        )

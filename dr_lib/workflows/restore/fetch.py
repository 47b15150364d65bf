"""Fetching: every planned range once, from the first region whose bytes hold, written at their final offsets."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dr_lib.errors import DrError, IntegrityError, NotFound, OutOfSpace, StoreUnavailable
from dr_lib.model.manifest import FileEntry, PackRef
from dr_lib.policy.restore_plan import FrameUse, RangeFetch, plan_fetches
from dr_lib.progress import Progress
from dr_lib.vault.pack_reader import fetch_frames
from dr_lib.vault.vault import Vault
from dr_lib.workflows.restore.staging import NO_SPACE

STREAMS: Final = 8


@dataclass(slots=True)
class Repairs:
    """What had to be taken from another region than the first, in plain words. Written to from several threads."""

    notes: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, text: str) -> None:
        """Add one note; equal ones count once."""
        with self._lock:
            self.notes.add(text)


def fetch_files(
    vaults: Sequence[Vault], packs: Sequence[PackRef], files: Sequence[FileEntry], root: Path, progress: Progress
) -> Repairs:
    """Write the bytes of `files` below `root`, whose directories exist.

    Memory: `STREAMS` ranges and their decoded frames. Raises the last region's error when no region's bytes hold;
    `OutOfSpace` when the disk is full.
    """
    for file in files:
        _reserve(root / file.path, file.size)
    repairs = Repairs()
    work = _Work(vaults, packs, [root / file.path for file in files], repairs, progress)
    with ThreadPoolExecutor(STREAMS) as pool:
        jobs = [pool.submit(work.do, fetch) for fetch in plan_fetches(files)]
        done, _ = wait(jobs, return_when=FIRST_EXCEPTION)
        if any(job.exception() for job in done):
            pool.shutdown(cancel_futures=True)
        for job in done:
            job.result()
    return repairs


@dataclass(frozen=True, slots=True)
class _Work:
    vaults: Sequence[Vault]
    packs: Sequence[PackRef]
    paths: Sequence[Path]
    repairs: Repairs
    progress: Progress

    def do(self, fetch: RangeFetch) -> None:
        """One range: from the first vault that has it whole. Rewriting a frame that was written before is harmless."""
        failed: DrError | None = None
        for vault in self.vaults:
            try:
                self._write(vault, fetch)
            except (IntegrityError, NotFound, StoreUnavailable) as error:
                self.repairs.note(f"{error.what} [{error.where or vault.region}]")
                failed = error
            else:
                return
        raise _lasting(failed)

    def _write(self, vault: Vault, fetch: RangeFetch) -> None:
        frames = [use.frame for use in fetch.frames]
        raws = fetch_frames(vault, self.packs[fetch.pack].sha256, fetch.start, fetch.length, frames)
        for use, raw in zip(fetch.frames, raws, strict=True):
            self._place(use, raw)

    def _place(self, use: FrameUse, raw: bytes) -> None:
        self.progress.advance(len(raw) * len(use.writes))
        if not raw.strip(b"\0"):
            return  # the file was made at full length: a hole reads as these zeros and takes no space
        for write in use.writes:
            _pwrite(self.paths[write.file], write.offset, raw)


def _lasting(error: DrError | None) -> DrError:
    """A pack that its manifest needs and that the store does not have is damage, not a question of what exists."""
    if isinstance(error, NotFound):
        return IntegrityError(
            f"a pack that this point needs is gone: {error.what}",
            where=error.where,
            hint="restore from another --region",
        )
    assert error is not None, "there is at least one vault"
    return error


def _reserve(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, size)
    except OSError as error:
        raise disk_error(error, path) from error
    finally:
        os.close(descriptor)


def _pwrite(path: Path, offset: int, raw: bytes) -> None:
    view = memoryview(raw)
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        while view:
            written = os.pwrite(descriptor, view, offset)
            view, offset = view[written:], offset + written
    except OSError as error:
        raise disk_error(error, path) from error
    finally:
        os.close(descriptor)


def disk_error(error: OSError, path: Path) -> DrError:
    """A failed write in this program's words."""
    if error.errno in NO_SPACE:
        return OutOfSpace(
            "the disk filled up; nothing was left in the target's place",
            where=str(path.parent),
            hint="free some space and run it again",
        )
    return DrError(
        f"writing failed: {error.strerror}", where=str(path), hint="check the file system, then run it again"
    )

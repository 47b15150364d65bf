"""Fetching: every planned range once, from the first region whose bytes hold, written at their final offsets."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dr_lib.errors import DrError
from dr_lib.model.manifest import FileEntry, PackRef
from dr_lib.policy.failover import ASK_ANOTHER, decisive_of_pack
from dr_lib.policy.restore_plan import FrameUse, RangeFetch, plan_fetches
from dr_lib.progress import Progress
from dr_lib.vault.pack_reader import fetch_frames
from dr_lib.vault.vault import Vault

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

    Memory: `STREAMS` ranges and their decoded frames. Raises what `decisive` says when no region's bytes hold, and
    `OSError` when the disk refuses; then no thread is left behind, and what was not begun is not begun any more.
    """
    for file in files:
        _reserve(root / file.path, file.size)
    repairs = Repairs()
    work = _Work(vaults, packs, [root / file.path for file in files], repairs, progress)
    with ThreadPoolExecutor(STREAMS) as pool:
        jobs = [pool.submit(work.do, fetch) for fetch in plan_fetches(files)]
        try:
            for job in as_completed(jobs):
                job.result()
        finally:
            pool.shutdown(cancel_futures=True)
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
        failed: list[DrError] = []
        for vault in self.vaults:
            try:
                self._write(vault, fetch)
            except ASK_ANOTHER as error:
                self.repairs.note(f"{error.what} [{error.where or vault.region}]")
                failed.append(error)
            else:
                self.progress.advance(sum(use.frame.raw * len(use.writes) for use in fetch.frames))
                return
        raise decisive_of_pack(failed)

    def _write(self, vault: Vault, fetch: RangeFetch) -> None:
        frames = [use.frame for use in fetch.frames]
        raws = fetch_frames(vault, self.packs[fetch.pack], fetch.start, fetch.length, frames)
        for use, raw in zip(fetch.frames, raws, strict=True):
            self._place(use, raw)

    def _place(self, use: FrameUse, raw: bytes) -> None:
        if not raw.strip(b"\0"):
            return  # the file was made at full length: a hole reads as these zeros and takes no space
        for write in use.writes:
            _pwrite(self.paths[write.file], write.offset, raw)


def _reserve(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, size)
    finally:
        os.close(descriptor)


def _pwrite(path: Path, offset: int, raw: bytes) -> None:
    view = memoryview(raw)
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        while view:
            written = os.pwrite(descriptor, view, offset)
            view, offset = view[written:], offset + written
    finally:
        os.close(descriptor)

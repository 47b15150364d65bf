"""Fetching: every planned range once, from the first region whose bytes hold, handed on frame by frame."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Protocol

from dr_lib.errors import DrError
from dr_lib.model.manifest import PackRef
from dr_lib.policy.failover import ASK_ANOTHER, decisive_of_pack
from dr_lib.policy.restore_plan import RangeFetch
from dr_lib.policy.streams import MOST
from dr_lib.process_memory import keep_freed_memory
from dr_lib.vault.pack_reader import fetch_range, open_frames
from dr_lib.vault.vault import Vault
from dr_lib.workflows.restore.flow import MEMORY, Bound, ByteBudget, Streams


class Sink(Protocol):
    """Where the frames of a range go."""

    def take(self, fetch: RangeFetch, raws: Iterator[bytes]) -> None:
        """Place every frame of a range. May end in the middle and be called again for the same range, from its start.

        Called by several threads, for different ranges; at most one a core at a time.
        """
        ...


@dataclass(slots=True)
class Repairs:
    """What had to be taken from another region than the first, in plain words. Written to from several threads."""

    notes: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, text: str) -> None:
        """Add one note; equal ones count once."""
        with self._lock:
            self.notes.add(text)


def fetch_all(
    vaults: Sequence[Vault],
    packs: Sequence[PackRef],
    fetches: Sequence[RangeFetch],
    sink: Sink,
    done: Callable[[RangeFetch], None],
    memory: int = MEMORY,
    bound: Bound | None = None,
) -> Repairs:
    """Give the frames of `fetches` to `sink`; `done` is called when all of a range were taken. `bound` measures.

    Memory: ranges of `memory` bytes, and 16 MiB a core to decode. Raises what `decisive_of_pack` says when no region's
    bytes hold, and whatever the sink raises; then no thread is left behind, and what was not begun is not begun any
    more.
    """
    keep_freed_memory()
    told = bound or Bound(cores())
    slots = threading.Semaphore(cores())
    work = _Work(vaults, packs, sink, done, Repairs(), Streams(), ByteBudget(memory), slots, told)
    with ThreadPoolExecutor(min(MOST + cores(), max(len(fetches), 1)), "dr-restore") as pool:
        jobs = [pool.submit(work.do, fetch) for fetch in fetches]
        try:
            for job in as_completed(jobs):
                job.result()
        finally:
            pool.shutdown(cancel_futures=True)
    return work.repairs


@dataclass(frozen=True, slots=True)
class _Work:
    vaults: Sequence[Vault]
    packs: Sequence[PackRef]
    sink: Sink
    done: Callable[[RangeFetch], None]
    repairs: Repairs
    streams: Streams
    budget: ByteBudget
    cores: threading.Semaphore
    bound: Bound

    def do(self, fetch: RangeFetch) -> None:
        """One range: from the first vault that has it whole."""
        failed: list[DrError] = []
        for vault in self.vaults:
            try:
                self._move(vault, fetch)
            except ASK_ANOTHER as error:
                self.repairs.note(f"{error.what} [{error.where or vault.region}]")
                failed.append(error)
            else:
                self.done(fetch)
                return
        raise decisive_of_pack(failed)

    def _move(self, vault: Vault, fetch: RangeFetch) -> None:
        pack = self.packs[fetch.pack]
        # A range counts as in flight until it is written: where decoding is the slow part, more requests bring nothing,
        # and their bytes would only wait.
        with self.budget.hold(fetch.length), self.streams.one(fetch.length):
            with self.bound.fetching():
                # Else the first one to decode asks for it, and behind a slow link waits there for all other ranges.
                vault.pack_key(pack.seal)
                data = fetch_range(vault, pack, fetch.start, fetch.length)
            with self.cores, self.bound.decoding():
                frames = [use.frame for use in fetch.frames]
                self.sink.take(fetch, open_frames(vault, pack, fetch.start, data, frames))


def cores() -> int:
    """How many ranges are decoded at a time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

"""A wrapper that asks a second time when a read stalls, and waits for no read for ever."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, TypeVar

from dr_lib.clock import monotonic
from dr_lib.errors import StoreUnavailable
from dr_lib.policy.patience import Patience
from dr_lib.storage.base import ContainerStore, ObjectInfo

T = TypeVar("T")
Answers = queue.SimpleQueue[tuple[T | None, BaseException | None]]
REMEMBERED: Final = 64
SPARES: Final = 2
"""Second requests at a time: where every answer is slow, asking for all of them twice would make it worse."""
LARGEST: Final = 64 << 20
"""What an object of unknown size may need time for."""


class HedgedStore:
    """`inner`, whose reads are asked for again when they stall: the first answer wins.

    A request that has no answer after `Patience.stalls_after` is made once more; after `Patience.lost_after` it is
    `StoreUnavailable`, whatever `inner` does. Requests run in daemon threads, so that one that hangs delays neither the
    caller nor the end of the process; what it brings late is dropped. `create` and `list` are passed on as they are.
    """

    def __init__(
        self, inner: ContainerStore, patience: Patience | None = None, now: Callable[[], float] = monotonic
    ) -> None:
        """`now` gives seconds of which only differences count."""
        self._inner = inner
        self._patience = patience or Patience()
        self._now = now
        self._spares = threading.Semaphore(SPARES)
        self._answered: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def label(self) -> str:
        """As `inner` is called."""
        return self._inner.label

    def check(self) -> None:
        """See `ObjectStore.check`."""
        self._first(self._inner.check, 0)

    def ensure_container(self, *, lock_mode: str | None, lock_days: int | None) -> bool:
        """See `ContainerStore.ensure_container`."""
        return self._inner.ensure_container(lock_mode=lock_mode, lock_days=lock_days)

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """See `ObjectStore.create`."""
        self._inner.create(key, data)

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        return self._first(lambda: self._inner.get(key), LARGEST)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """See `ObjectStore.get_range`."""
        began = self._now()
        data = self._first(lambda: self._inner.get_range(key, start, length), length)
        self._answered.append(self._now() - began)
        return data

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        return self._first(lambda: self._inner.head(key), 0)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        return self._inner.list(prefix)

    def locked_until(self, key: str) -> datetime | None:
        """See `LockingStore.locked_until`."""
        return self._first(lambda: self._inner.locked_until(key), 0)

    def lock(self, key: str, until: datetime) -> None:
        """See `LockingStore.lock`."""
        self._inner.lock(key, until)

    def _first(self, ask: Callable[[], T], length: int) -> T:
        """The first answer to one or two requests; an error only when no request is left that could do better."""
        answers: Answers[T] = queue.SimpleQueue()
        lost = self._patience.lost_after(length)
        stalls = min(self._patience.stalls_after(list(self._answered)), lost)
        _ask(ask, answers)
        try:
            return _taken(answers.get(timeout=stalls))
        except queue.Empty:
            pass
        if not self._spares.acquire(blocking=False):
            return self._best(answers, 1, lost - stalls)
        try:
            _ask(ask, answers)
            return self._best(answers, 2, lost - stalls)
        finally:
            self._spares.release()

    def _best(self, answers: Answers[T], asked: int, seconds: float) -> T:
        ends = self._now() + seconds
        for left in reversed(range(asked)):
            try:
                return _taken(answers.get(timeout=max(ends - self._now(), 0.0)))
            except queue.Empty:
                break
            except StoreUnavailable:
                if left == 0:
                    raise
        hint = "check that the server runs and can be reached, then run it again"
        raise StoreUnavailable("a request got no answer", where=self.label, hint=hint)


def _ask(ask: Callable[[], T], answers: Answers[T]) -> None:
    def run() -> None:
        try:
            answers.put((ask(), None))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for it
            answers.put((None, error))

    threading.Thread(target=run, name="dr-request", daemon=True).start()


def _taken(answer: tuple[T | None, BaseException | None]) -> T:
    value, error = answer
    if error is not None:
        raise error
    return value  # type: ignore[return-value]  # a request without an error gave a T, which may be None

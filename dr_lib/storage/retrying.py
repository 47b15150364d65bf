"""A wrapper that tries again what may succeed when tried again, and knows which answers such a retry can get."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from typing import Generic, TypeVar

from dr_lib.clock import monotonic
from dr_lib.errors import AlreadyExists, StoreUnavailable
from dr_lib.storage.base import ContainerStore, ObjectInfo
from dr_lib.storage.keys import K, encoded

T = TypeVar("T")

ATTEMPTS = 3
SECONDS = 5.0
"""No new attempt begins this long after the first began."""


class RetryingStore:
    """`inner`, with `StoreUnavailable` retried a few times within seconds; every other error passes at once."""

    def __init__(self, inner: ContainerStore, *, attempts: int = ATTEMPTS, seconds: float = SECONDS) -> None:
        """At most `attempts` tries per call (per page of a listing), none begun after `seconds`."""
        self._inner = inner
        self._attempts = attempts
        self._seconds = seconds

    @property
    def label(self) -> str:
        """As `inner` is called."""
        return self._inner.label

    def check(self) -> None:
        """See `ObjectStore.check`."""
        self._call(self._inner.check)

    def ensure_container(self, *, lock_mode: str | None, lock_days: int | None) -> bool:
        """See `ContainerStore.ensure_container`; after a retry, False may mean that the first try created it."""
        return self._call(lambda: self._inner.ensure_container(lock_mode=lock_mode, lock_days=lock_days))

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """See `ObjectStore.create`.

        A try whose answer was lost may have stored the object. When a later try meets an object of equal content, that
        is success; with other content it is `AlreadyExists`.
        """
        tries = count()

        def store() -> None:
            is_first = next(tries) == 0
            try:
                self._inner.create(key, data)
            except AlreadyExists:
                if is_first or self._inner.get(key) != data:
                    raise

        self._call(store)

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        return self._call(lambda: self._inner.get(key))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """See `ObjectStore.get_range`."""
        return self._call(lambda: self._inner.get_range(key, start, length))

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        return self._call(lambda: self._inner.head(key))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`. A listing that broke off begins anew and goes on behind the last key it gave."""
        yield from self._steps(Position(lambda: self._inner.list(prefix), lambda _: ""))

    def locked_until(self, key: str) -> datetime | None:
        """See `LockingStore.locked_until`."""
        return self._call(lambda: self._inner.locked_until(key))

    def lock(self, key: str, until: datetime) -> None:
        """See `LockingStore.lock`."""
        self._call(lambda: self._inner.lock(key, until))

    def _steps(self, position: Position[K]) -> Iterator[K]:
        while (found := self._call(position.step)) is not None:
            yield found

    def _call(self, action: Callable[[], T]) -> T:
        began = monotonic()
        try:
            return action()
        except StoreUnavailable as error:
            return self._again(action, error, self._seconds - (monotonic() - began))

    def _again(self, action: Callable[[], T], failure: StoreUnavailable, seconds: float) -> T:
        """What `action`, whose first try ended with `failure`, gives in a later one, begun within `seconds`.

        tenacity, slow to import and seldom needed, is told of the first try as if it had made it.
        """
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay
        from tenacity.wait import wait_exponential_jitter

        tries = count()

        def attempt() -> T:
            if next(tries) == 0:
                raise failure
            return action()

        retrying = Retrying(
            retry=retry_if_exception_type(StoreUnavailable),
            stop=stop_after_attempt(self._attempts) | stop_after_delay(seconds),
            wait=wait_exponential_jitter(multiplier=0.1, max=1.0, jitter=0.1),
            reraise=True,
        )
        return retrying(attempt)


class Position(Generic[K]):
    """A place in an ordered listing that survives the listing's failure."""

    def __init__(self, begin: Callable[[], Iterator[K]], name: Callable[[K], str]) -> None:
        """`begin` starts the listing, in key order; `name` tells entries of one key apart."""
        self._begin = begin
        self._name = name
        self._key = b""
        self._names: set[str] = set()
        self._rest: Iterator[K] | None = None

    def step(self) -> K | None:
        """The next entry, None at the end."""
        if self._rest is None:
            self._rest = self._begin()
        try:
            found = next((entry for entry in self._rest if self._is_new(entry)), None)
        except StoreUnavailable:
            self._rest = None
            raise
        if found is not None:
            self._note(found)
        return found

    def _is_new(self, entry: K) -> bool:
        key = encoded(entry.key)
        return key > self._key or (key == self._key and self._name(entry) not in self._names)

    def _note(self, entry: K) -> None:
        key = encoded(entry.key)
        if key != self._key:
            self._key, self._names = key, set()
        self._names.add(self._name(entry))

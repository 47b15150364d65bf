"""A store with faults around any other store: to see what happens when the ground gives way."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

from dr_lib.storage.base import ContainerStore, ObjectInfo, ObjectVersion, RegionJanitor
from dr_lib.testing.faults import Call, Fault


class FaultNeverFired(AssertionError):
    """A test armed a fault that never happened: it would have passed without it, and so proves nothing."""


class FaultyStore(AbstractContextManager["FaultyStore"]):
    """`inner`, with faults. Several that strike one call happen one inside the other, the first given outermost.

    with FaultyStore(MemoryStore(), error(on=("create",), prefix="packs/", when=nth(3))) as store:
        back_up_into(store)

    Leaving the context raises `FaultNeverFired` unless each fault struck at least once (an exception that passes
    through is left alone). With no fault it keeps every promise that `inner` keeps. Safe to use from many threads.
    """

    def __init__(self, inner: ContainerStore, *faults: Fault) -> None:
        """Nothing is asked of `inner` yet."""
        self._inner = inner
        self._faults = faults
        self._lock = threading.Lock()
        self._matched: Counter[int] = Counter()
        self._struck: Counter[int] = Counter()
        self._created: list[str] = []
        self.calls = 0
        """How often anything was asked of this store."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.assert_all_fired()

    def assert_all_fired(self) -> None:
        """Raise `FaultNeverFired`, naming each fault that did not strike."""
        idle = [_name(fault) for number, fault in enumerate(self._faults) if not self._struck[number]]
        if idle:
            raise FaultNeverFired(f"never fired: {'; '.join(idle)}")

    @property
    def label(self) -> str:
        """As `inner` is called."""
        return self._inner.label

    def check(self) -> None:
        """See `ObjectStore.check`."""
        self._call("check", "", self._inner.check)

    def ensure_container(self, *, lock_mode: str | None, lock_days: int | None) -> bool:
        """See `ContainerStore.ensure_container`."""
        made = partial(self._inner.ensure_container, lock_mode=lock_mode, lock_days=lock_days)
        return bool(self._call("ensure_container", "", made))

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """See `ObjectStore.create`."""

        def create() -> None:
            self._inner.create(key, data)
            self._created.append(key)

        self._call("create", key, create)

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        return bytes(self._call("get", key, lambda: self._inner.get(key)))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """See `ObjectStore.get_range`."""
        return bytes(self._call("get_range", key, lambda: self._inner.get_range(key, start, length)))

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        found: ObjectInfo = self._call("head", key, lambda: self._inner.head(key))
        return found

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`; the call happens at the first step."""
        yield from self._call("list", prefix, lambda: self._inner.list(prefix))

    def locked_until(self, key: str) -> datetime | None:
        """See `LockingStore.locked_until`."""
        found: datetime | None = self._call("locked_until", key, lambda: self._inner.locked_until(key))
        return found

    def lock(self, key: str, until: datetime) -> None:
        """See `LockingStore.lock`."""
        self._call("lock", key, lambda: self._inner.lock(key, until))

    def _call(self, method: str, key: str, action: Callable[[], Any]) -> Any:
        for number in self._due(method, key):
            strike = partial(self._strike, number)
            action = partial(self._faults[number].effect, Call(method, key, self._created, action, strike))
        return action()

    def _due(self, method: str, key: str) -> Sequence[int]:
        """Numbers of the faults that strike this call, the innermost first."""
        due: Sequence[int] = []
        with self._lock:
            self.calls += 1
            for number, fault in enumerate(self._faults):
                if fault.concerns(method, key):
                    self._matched[number] += 1
                    due = [*due, number] if fault.when(self._matched[number]) else due
        return due[::-1]

    def _strike(self, number: int) -> None:
        with self._lock:
            self._struck[number] += 1


class FaultyJanitorStore(FaultyStore):
    """A `FaultyStore` around a store that also deletes and replaces."""

    def __init__(self, inner: RegionJanitor, *faults: Fault) -> None:
        """Nothing is asked of `inner` yet."""
        super().__init__(inner, *faults)
        self._whole = inner

    def versions(self, prefix: str = "") -> Iterator[ObjectVersion]:
        """See `JanitorStore.versions`; the call happens at the first step."""
        yield from self._call("versions", prefix, lambda: self._whole.versions(prefix))

    def get_version(self, key: str, version: str) -> bytes:
        """See `JanitorStore.get_version`."""
        return bytes(self._call("get_version", key, lambda: self._whole.get_version(key, version)))

    def delete(self, key: str, version: str) -> None:
        """See `JanitorStore.delete`."""
        self._call("delete", key, lambda: self._whole.delete(key, version))

    def replace(self, key: str, data: bytes | bytearray | memoryview, tag: str) -> None:
        """See `JanitorStore.replace`."""
        self._call("replace", key, lambda: self._whole.replace(key, data, tag))

    def weaken(self, key: str, until: datetime) -> None:
        """See `RegionJanitor.weaken`."""
        self._call("weaken", key, lambda: self._whole.weaken(key, until))


def _name(fault: Fault) -> str:
    return f"{fault.name} on {'/'.join(fault.on)} of {fault.prefix or 'every'} key"

from datetime import timedelta

import pytest

from dr_lib.errors import AlreadyExists, Refused
from dr_lib.storage.counting import CountingStore
from dr_lib.storage.hedged import HedgedStore
from dr_lib.storage.memory import MemoryStore
from dr_lib.storage.readonly import ReadOnlyStore
from dr_lib.storage.retrying import RetryingStore
from dr_lib.storage.retrying_janitor import RetryingJanitor
from dr_lib.storage.throttled import Pace, ThrottledStore
from dr_lib.testing.worm_store import WormStore


def test_a_read_only_store_reads_and_refuses_to_create() -> None:
    inner = MemoryStore("region eu-west")
    inner.create("key", b"content")
    store = ReadOnlyStore(inner)
    store.check()
    assert (store.get("key"), store.get_range("key", 0, 3), store.head("key").size) == (b"content", b"con", 7)
    assert [info.key for info in store.list()] == ["key"]
    with pytest.raises(Refused, match="region eu-west"):
        store.create("other", b"x")
    assert [info.key for info in inner.list()] == ["key"]


def test_calls_and_bytes_are_counted() -> None:
    store = CountingStore(MemoryStore())
    store.create("key", memoryview(b"content"))
    with pytest.raises(AlreadyExists):
        store.create("key", b"other")
    store.get("key")
    store.get_range("key", 1, 2)
    store.head("key")
    store.check()
    assert len(list(store.list())) == 1
    assert dict(store.calls) == {"create": 2, "get": 1, "get_range": 1, "head": 1, "check": 1, "list": 1}
    assert (store.bytes_written, store.bytes_read) == (7, 9)


WRAPPERS = {
    "retrying": RetryingStore,
    "retrying, as janitor": RetryingJanitor,
    "hedged": HedgedStore,
    "throttled": lambda inner: ThrottledStore(inner, upload=Pace(lambda: None), download=Pace(lambda: None)),
    "counting": CountingStore,
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_lock_reaches_through_the_wrappers(wrapper: str) -> None:
    inner = WormStore(MemoryStore(), days=1)
    store = WRAPPERS[wrapper](inner)
    store.create("key", b"content")
    given = store.locked_until("key")
    store.lock("key", given + timedelta(days=9))
    assert store.locked_until("key") == inner.locked_until("key") == given + timedelta(days=9)


def test_a_read_only_store_tells_of_locks_and_refuses_to_lock() -> None:
    inner = WormStore(MemoryStore(), days=1)
    inner.create("key", b"content")
    given = inner.locked_until("key")
    store = ReadOnlyStore(inner)
    assert store.locked_until("key") == given
    with pytest.raises(Refused):
        store.lock("key", given + timedelta(days=9))
    assert inner.locked_until("key") == given

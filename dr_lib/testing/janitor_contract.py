"""The promises of `LockingStore` and `JanitorStore` as tests, for a store as its janitor opens it.

class TestMyJanitor(JanitorContract):
    keeps_versions = True                     # whether what is replaced stays below
    @pytest.fixture
    def store(self): return MyJanitor(...)    # a fresh, existing, empty container without locks

class TestMyLocks(LockingContract):
    @pytest.fixture
    def store(self): return MyJanitor(...)    # the same, locking what is created for some days
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from dr_lib.errors import AlreadyExists, NotFound, Refused
from dr_lib.storage.base import JanitorStore, ObjectVersion

GONE = "no such version"


def only_version(store: JanitorStore, key: str) -> ObjectVersion:
    """The one version of an object that has one."""
    (version,) = (one for one in store.versions(key) if one.key == key)
    return version


class JanitorContract:
    """Override `store`; set `keeps_versions`."""

    keeps_versions: ClassVar[bool] = False

    @pytest.fixture
    def store(self) -> JanitorStore:
        """A fresh store without locks: its container exists and is empty."""
        raise NotImplementedError("override the fixture `store` with a fresh janitor's store of yours")

    def test_a_created_object_is_one_version(self, store: JanitorStore) -> None:
        store.create("packs/ab/abcd", b"content")
        version = only_version(store, "packs/ab/abcd")
        facts = store.head("packs/ab/abcd")
        assert (version.size, version.tag) == (facts.size, facts.tag)
        assert (version.is_latest, version.is_marker) == (True, False)
        assert store.get_version("packs/ab/abcd", version.version) == b"content"

    def test_versions_come_in_key_order_and_keep_to_the_prefix(self, store: JanitorStore) -> None:
        for key in ("a/b", "a-b", "a.b/x", "ab", "b/c"):
            store.create(key, b"x")
        assert [one.key for one in store.versions()] == ["a-b", "a.b/x", "a/b", "ab", "b/c"]
        assert [one.key for one in store.versions("a/")] == ["a/b"]
        assert [one.key for one in store.versions("a")] == ["a-b", "a.b/x", "a/b", "ab"]
        assert list(store.versions("c")) == []

    def test_a_deleted_version_is_gone_and_its_name_is_free(self, store: JanitorStore) -> None:
        store.create("key", b"first")
        version = only_version(store, "key").version
        store.delete("key", version)
        assert list(store.versions()) == []
        with pytest.raises(NotFound):
            store.get("key")
        with pytest.raises(NotFound):
            store.get_version("key", version)
        store.create("key", b"second")
        assert store.get("key") == b"second"

    def test_deleting_again_harms_nobody(self, store: JanitorStore) -> None:
        store.create("key", b"first")
        version = only_version(store, "key").version
        store.delete("key", version)
        store.delete("key", version)
        store.create("key", b"second, and longer")
        store.delete("key", version)
        assert store.get("key") == b"second, and longer"

    def test_a_version_that_never_was_is_not_deleted(self, store: JanitorStore) -> None:
        store.create("key", b"content")
        store.delete("key", GONE)
        store.delete("another", GONE)
        assert store.get("key") == b"content"
        with pytest.raises(NotFound):
            store.get_version("key", GONE)

    def test_replace_puts_other_bytes_under_the_name(self, store: JanitorStore) -> None:
        store.create("key", b"damaged")
        store.replace("key", b"sound", store.head("key").tag)
        assert store.get("key") == b"sound"
        assert [info.size for info in store.list()] == [5]

    def test_what_was_replaced_stays_below_where_there_are_versions(self, store: JanitorStore) -> None:
        store.create("key", b"damaged")
        below = only_version(store, "key").version
        store.replace("key", b"sound", store.head("key").tag)
        found = list(store.versions("key"))
        assert [one.is_latest for one in found] == ([True, False] if self.keeps_versions else [True])
        assert found[0].version != below
        if self.keeps_versions:
            assert store.get_version("key", found[1].version) == b"damaged"
            store.delete("key", below)
            assert store.get("key") == b"sound"

    def test_replace_leaves_alone_what_changed_meanwhile(self, store: JanitorStore) -> None:
        store.create("key", b"damaged")
        judged = store.head("key").tag
        store.replace("key", b"healed by another", judged)
        with pytest.raises(AlreadyExists):
            store.replace("key", b"late", judged)
        assert store.get("key") == b"healed by another"

    def test_replacing_what_is_gone_is_not_found(self, store: JanitorStore) -> None:
        with pytest.raises(NotFound):
            store.replace("key", b"sound", "whatever it was")
        with pytest.raises(NotFound):
            store.get("key")

    def test_nothing_is_locked(self, store: JanitorStore) -> None:
        store.create("key", b"content")
        assert store.locked_until("key") is None

    def test_the_lock_of_an_absent_key_is_not_found(self, store: JanitorStore) -> None:
        with pytest.raises(NotFound):
            store.locked_until("nothing")

    def test_locking_is_refused_where_there_are_no_locks(self, store: JanitorStore) -> None:
        store.create("key", b"content")
        with pytest.raises(Refused):
            store.lock("key", datetime.now(UTC) + timedelta(days=1))  # noqa: TID251 - the server's own clock counts
        store.delete("key", only_version(store, "key").version)


class LockingContract:
    """Override `store`: what is created there is locked for at least a day."""

    @pytest.fixture
    def store(self) -> JanitorStore:
        """A fresh store that locks: its container exists and is empty."""
        raise NotImplementedError("override the fixture `store` with a fresh store of yours that locks")

    def test_an_object_is_locked_from_its_creation(self, store: JanitorStore) -> None:
        store.create("key", b"content")
        until = store.locked_until("key")
        assert until is not None
        assert until.tzinfo is not None
        # A server counts the day from when the request came, and dates the object when its bytes were there.
        assert until >= store.head("key").modified_at + timedelta(days=1) - timedelta(minutes=1)

    def test_a_locked_version_is_not_deleted(self, store: JanitorStore) -> None:
        store.create("key", b"content")
        version = only_version(store, "key").version
        with pytest.raises(Refused) as refusal:
            store.delete("key", version)
        assert store.label in str(refusal.value)
        assert store.get_version("key", version) == b"content"
        assert store.get("key") == b"content"

    def test_a_lock_is_extended_to_at_least_the_moment(self, store: JanitorStore) -> None:
        store.create("key", b"content")
        first = store.locked_until("key")
        assert first is not None
        wanted = first + timedelta(days=2, microseconds=1)
        store.lock("key", wanted)
        store.lock("key", wanted)
        extended = store.locked_until("key")
        assert extended is not None
        assert wanted <= extended <= wanted + timedelta(seconds=1)

    def test_a_lock_is_never_shortened(self, store: JanitorStore) -> None:
        store.create("key", b"content")
        until = store.locked_until("key")
        assert until is not None
        store.lock("key", until - timedelta(hours=12))
        assert store.locked_until("key") == until

    def test_locking_an_absent_key_is_not_found(self, store: JanitorStore) -> None:
        with pytest.raises(NotFound):
            store.lock("nothing", datetime.now(UTC) + timedelta(days=1))  # noqa: TID251 - the server's own clock counts

    def test_what_is_replaced_stays_and_stays_locked(self, store: JanitorStore) -> None:
        store.create("key", b"damaged")
        below = only_version(store, "key").version
        store.replace("key", b"sound", store.head("key").tag)
        assert store.get("key") == b"sound"
        for one in list(store.versions("key")):
            with pytest.raises(Refused):
                store.delete("key", one.version)
        assert store.get_version("key", below) == b"damaged"

"""The promises of `ObjectStore` as tests. A store passes them all before a vault may live in it.

class TestMyStore(StoreContract):
    @pytest.fixture
    def store(self): return MyStore(...)      # a fresh, existing, empty container
"""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC

import pytest

from dr_lib.errors import AlreadyExists, IntegrityError, NotFound, Refused
from dr_lib.storage.base import ContainerStore, ObjectStore
from dr_lib.storage.missing import ContainerMissing

MIB = 1 << 20
WRITERS = 8

ODD_KEYS = (
    "plain",
    "a b/with space",
    "a-b",
    "a.b/x",
    "a/b",
    "a/b c/d",
    "a0",
    "-leading-dash",
    "übung/日本語",
    "percent%20and+plus",
    "quote'\"`$(x)",
    "hash#question?star*[x]",
    "tilde~under_score,semi;at@equal=amp&",
    "UPPER/lower",
)
"""Keys that a URL, a shell or a tree of directories is likely to mistake."""

NOT_KEYS = ("", "/a", "a/", "a//b", "..", "../a", "a/../../b", "./a", "a\nb", "k" * 901)


class StoreContract:
    """Override `store` and `absent`. What is asked of one store object here, threads and retries may rely on."""

    @pytest.fixture
    def store(self) -> ObjectStore:
        """A fresh store: its container exists and is empty."""
        raise NotImplementedError("override the fixture `store` with a fresh store of yours")

    @pytest.fixture
    def absent(self) -> ContainerStore:
        """A store whose container does not exist."""
        raise NotImplementedError("override the fixture `absent` with a store that has no container")

    def test_a_stored_object_comes_back(self, store: ObjectStore) -> None:
        store.create("packs/ab/abcd", b"content")
        assert store.get("packs/ab/abcd") == b"content"

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_any_buffer_is_stored(self, store: ObjectStore, kind: type) -> None:
        store.create("key", kind(b"\x00\xff\r\n"))
        assert store.get("key") == b"\x00\xff\r\n"

    def test_create_never_overwrites(self, store: ObjectStore) -> None:
        store.create("key", b"first")
        with pytest.raises(AlreadyExists) as refusal:
            store.create("key", b"other")
        assert store.label in str(refusal.value)
        assert store.get("key") == b"first"

    def test_creating_the_same_content_again_is_told_too(self, store: ObjectStore) -> None:
        store.create("key", b"first")
        with pytest.raises(AlreadyExists):
            store.create("key", b"first")

    def test_one_of_many_concurrent_writers_wins(self, store: ObjectStore) -> None:
        start = threading.Barrier(WRITERS)

        def write(writer: int) -> bytes | None:
            content = f"writer {writer}".encode()
            start.wait()
            try:
                store.create("contended", content)
            except AlreadyExists:
                return None
            return content

        with ThreadPoolExecutor(WRITERS) as pool:
            winners = [content for content in pool.map(write, range(WRITERS)) if content is not None]
        assert store.get("contended") in winners
        assert len(winners) == 1

    def test_an_empty_object(self, store: ObjectStore) -> None:
        store.create("empty", b"")
        assert store.get("empty") == b""
        assert store.head("empty").size == 0
        assert store.get_range("empty", 0, 0) == b""
        assert [info.size for info in store.list()] == [0]

    def test_an_object_of_nine_mebibytes(self, store: ObjectStore) -> None:
        content = bytes(range(251)) * (9 * MIB // 251) + b"end"
        store.create("large", content)
        assert store.head("large").size == len(content)
        assert store.get_range("large", 5 * MIB - 1, 3) == content[5 * MIB - 1 : 5 * MIB + 2]
        assert store.get("large") == content

    def test_ranges_within_the_object(self, store: ObjectStore) -> None:
        store.create("digits", b"0123456789")
        for start, length in ((0, 10), (0, 1), (3, 4), (9, 1), (4, 0), (10, 0)):
            assert store.get_range("digits", start, length) == b"0123456789"[start : start + length]

    def test_a_range_past_the_end_is_never_shortened(self, store: ObjectStore) -> None:
        store.create("digits", b"0123456789")
        for start, length in ((0, 11), (9, 2), (10, 1), (50, 5), (11, 0)):
            with pytest.raises(IntegrityError) as damage:
                store.get_range("digits", start, length)
            assert store.label in str(damage.value)

    def test_an_absent_key_is_not_found(self, store: ObjectStore) -> None:
        store.create("a/b", b"x")
        calls = (
            store.get,
            lambda key: store.get_range(key, 0, 1),
            lambda key: store.get_range(key, 0, 0),
            store.head,
        )
        for call, key in itertools.product(calls, ("nothing", "a", "a/b/c", "a/c")):
            with pytest.raises(NotFound) as absence:
                call(key)
            assert not isinstance(absence.value, ContainerMissing)
            assert store.label in str(absence.value)

    def test_head_agrees_with_the_listing(self, store: ObjectStore) -> None:
        store.create("a/b", b"12345")
        (listed,) = store.list()
        facts = store.head("a/b")
        assert (facts.key, facts.size, listed.key, listed.size) == ("a/b", 5, "a/b", 5)
        assert facts.modified_at.tzinfo is not None
        assert facts.modified_at.astimezone(UTC).year > 2000

    def test_tags_tell_contents_apart_and_hold_still(self, store: ObjectStore) -> None:
        store.create("a", b"one")
        store.create("b", b"other")
        first, second = ({info.key: info.tag for info in store.list()} for _ in range(2))
        assert first == second
        assert first["a"] != first["b"]

    def test_odd_keys_come_back_in_byte_order(self, store: ObjectStore) -> None:
        for key in ODD_KEYS:
            store.create(key, key.encode())
        assert [info.key for info in store.list()] == sorted(ODD_KEYS, key=lambda key: key.encode())
        assert {key: store.get(key).decode() for key in ODD_KEYS} == {key: key for key in ODD_KEYS}

    def test_a_prefix_need_not_end_at_a_slash(self, store: ObjectStore) -> None:
        for key in ODD_KEYS:
            store.create(key, b"")
        for prefix in ("a", "a/", "a/b", "a-", "ü", "a/b c/", "A", "a/b/", "a b/with space", "zzz/", "plain/"):
            expected = sorted((key for key in ODD_KEYS if key.startswith(prefix)), key=lambda key: key.encode())
            assert [info.key for info in store.list(prefix)] == expected

    def test_an_empty_container_lists_nothing(self, store: ObjectStore) -> None:
        assert list(store.list()) == []
        assert list(store.list("points/")) == []

    def test_the_longest_key(self, store: ObjectStore) -> None:
        key = "/".join(["k" * 99] * 9)
        assert len(key) == 899
        store.create(key, b"x")
        assert [info.key for info in store.list("k")] == [key]

    @pytest.mark.parametrize("key", NOT_KEYS)
    def test_what_is_not_a_key_is_refused_everywhere(self, store: ObjectStore, key: str) -> None:
        calls = (
            lambda: store.create(key, b""),
            lambda: store.get(key),
            lambda: store.get_range(key, 0, 1),
            lambda: store.head(key),
        )
        for call in calls:
            with pytest.raises(Refused):
                call()

    def test_check_passes(self, store: ObjectStore) -> None:
        store.check()

    def test_a_missing_container_is_told_from_a_missing_object(self, absent: ContainerStore) -> None:
        calls = (
            absent.check,
            lambda: absent.create("key", b""),
            lambda: absent.get("key"),
            lambda: absent.get_range("key", 0, 1),
            lambda: absent.head("key"),
            lambda: list(absent.list()),
        )
        for call in calls:
            with pytest.raises(ContainerMissing) as absence:
                call()
            assert absent.label in str(absence.value)
            assert "drctl init" in str(absence.value)

    def test_a_container_is_made_once(self, absent: ContainerStore) -> None:
        assert absent.ensure_container(lock_mode=None, lock_days=None)
        absent.create("key", b"x")
        assert not absent.ensure_container(lock_mode=None, lock_days=None)
        assert absent.get("key") == b"x"

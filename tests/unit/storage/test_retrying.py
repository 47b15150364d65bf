from collections.abc import Iterator

import pytest

from dr_lib.errors import AlreadyExists, NotFound, StoreUnavailable
from dr_lib.storage.base import ObjectInfo
from dr_lib.storage.memory import MemoryStore
from dr_lib.storage.retrying import RetryingStore


class FailingStore(MemoryStore):
    """Raises `StoreUnavailable` `failures` times, before or (`late`) after doing what was asked."""

    def __init__(self, failures: int, *, late: bool = False) -> None:
        super().__init__("region flaky")
        self.failures = failures
        self.late = late
        self.tries = 0

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        self._fail(late=False)
        super().create(key, data)
        self._fail(late=True)

    def get(self, key: str) -> bytes:
        self._fail(late=False)
        return super().get(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        for given, info in enumerate(super().list(prefix)):
            if given == 2:
                self._fail(late=False)
            yield info

    def _fail(self, *, late: bool) -> None:
        if late is self.late:
            self.tries += 1
            if self.failures:
                self.failures -= 1
                raise StoreUnavailable("no answer", where=self.label)


def test_a_passing_failure_is_not_seen() -> None:
    inner = FailingStore(failures=2)
    RetryingStore(inner).create("key", b"x")
    assert inner.tries == 3
    inner.failures = 2
    assert RetryingStore(inner).get("key") == b"x"


def test_a_lasting_failure_is_raised_after_few_tries() -> None:
    inner = FailingStore(failures=99)
    with pytest.raises(StoreUnavailable, match="region flaky"):
        RetryingStore(inner, attempts=3).get("key")
    assert inner.tries == 3


def test_no_try_begins_after_the_time_is_over() -> None:
    inner = FailingStore(failures=99)
    with pytest.raises(StoreUnavailable):
        RetryingStore(inner, attempts=99, seconds=0).get("key")
    assert inner.tries == 1


def test_other_errors_pass_at_once() -> None:
    inner = FailingStore(failures=0)
    with pytest.raises(NotFound):
        RetryingStore(inner).get("nothing")
    assert inner.tries == 1


def test_an_object_that_was_stored_before_the_answer_was_lost_is_a_success() -> None:
    inner = FailingStore(failures=1, late=True)
    RetryingStore(inner).create("key", memoryview(b"content"))
    assert inner.get("key") == b"content"


def test_another_writers_object_is_never_taken_for_ones_own() -> None:
    inner = FailingStore(failures=0)
    inner.create("key", b"of somebody else")
    inner.failures = 1
    with pytest.raises(AlreadyExists):
        RetryingStore(inner).create("key", b"content")


def test_the_first_answer_that_the_key_is_taken_stands() -> None:
    inner = FailingStore(failures=0)
    inner.create("key", b"content")
    with pytest.raises(AlreadyExists):
        RetryingStore(inner).create("key", b"content")


def test_a_broken_listing_goes_on_without_gap_or_repetition() -> None:
    inner = FailingStore(failures=0)
    for key in "abcdef":
        inner.create(key, b"")
    inner.failures, inner.tries = 1, 0
    assert [info.key for info in RetryingStore(inner).list()] == list("abcdef")
    assert inner.failures == 0


def test_a_listing_that_stays_broken_is_an_error_and_not_an_end() -> None:
    inner = FailingStore(failures=0)
    for key in "abcdef":
        inner.create(key, b"")
    inner.failures = 99
    listing = RetryingStore(inner).list()
    assert [next(listing).key, next(listing).key] == ["a", "b"]
    with pytest.raises(StoreUnavailable):
        next(listing)

import pytest

from dr_lib.storage.hedged import HedgedStore
from dr_lib.storage.memory import MemoryStore
from dr_lib.storage.retrying import RetryingStore
from dr_lib.storage.throttled import Pace, ThrottledStore
from dr_lib.testing.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore("region memory")

    @pytest.fixture
    def absent(self) -> MemoryStore:
        return MemoryStore("region memory", created=False)


class TestRetryingStore(StoreContract):
    @pytest.fixture
    def store(self) -> RetryingStore:
        return RetryingStore(MemoryStore("region memory"))

    @pytest.fixture
    def absent(self) -> RetryingStore:
        return RetryingStore(MemoryStore("region memory", created=False))


class TestHedgedStore(StoreContract):
    @pytest.fixture
    def store(self) -> HedgedStore:
        return HedgedStore(MemoryStore("region memory"))

    @pytest.fixture
    def absent(self) -> HedgedStore:
        return HedgedStore(MemoryStore("region memory", created=False))


class TestThrottledStore(StoreContract):
    @pytest.fixture
    def store(self) -> ThrottledStore:
        return ThrottledStore(MemoryStore("region memory"), upload=Pace(lambda: 1e12), download=Pace(lambda: 1e12))

    @pytest.fixture
    def absent(self) -> ThrottledStore:
        missing = MemoryStore("region memory", created=False)
        return ThrottledStore(missing, upload=Pace(lambda: 1e12), download=Pace(lambda: 1e12))

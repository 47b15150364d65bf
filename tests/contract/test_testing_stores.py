"""The stores of the test kit keep every promise while no fault is armed and no lock stands in the way."""

import pytest

from dr_lib.storage.memory import MemoryStore
from dr_lib.testing.faulty_store import FaultyJanitorStore, FaultyStore
from dr_lib.testing.janitor_contract import JanitorContract, LockingContract
from dr_lib.testing.store_contract import StoreContract
from dr_lib.testing.worm_store import WormStore


class TestFaultyStore(StoreContract):
    @pytest.fixture
    def store(self) -> FaultyStore:
        return FaultyStore(MemoryStore("region memory"))

    @pytest.fixture
    def absent(self) -> FaultyStore:
        return FaultyStore(MemoryStore("region memory", created=False))


class TestWormStore(StoreContract):
    @pytest.fixture
    def store(self) -> WormStore:
        return WormStore(MemoryStore("region memory"), days=30)

    @pytest.fixture
    def absent(self) -> WormStore:
        return WormStore(MemoryStore("region memory", created=False))


class TestFaultyJanitorStore(JanitorContract):
    @pytest.fixture
    def store(self) -> FaultyJanitorStore:
        return FaultyJanitorStore(MemoryStore("region memory"))


class TestLocksOfTheWormStore(LockingContract):
    @pytest.fixture
    def store(self) -> FaultyJanitorStore:
        return FaultyJanitorStore(WormStore(MemoryStore("region memory"), days=30))


class TestJanitorOfTheWormStore(JanitorContract):
    keeps_versions = True

    @pytest.fixture
    def store(self) -> WormStore:
        return WormStore(MemoryStore("region memory"))

    test_locking_is_refused_where_there_are_no_locks = None  # this one always can lock


class TestFaultyWormStore(StoreContract):
    @pytest.fixture
    def store(self) -> FaultyJanitorStore:
        return FaultyJanitorStore(WormStore(MemoryStore("region memory"), days=30))

    @pytest.fixture
    def absent(self) -> FaultyJanitorStore:
        return FaultyJanitorStore(WormStore(MemoryStore("region memory", created=False)))

from pathlib import Path

import pytest

from dr_lib.storage.local import LocalStore
from dr_lib.testing.store_contract import StoreContract


class TestLocalStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalStore:
        return LocalStore(tmp_path, "region nas")

    @pytest.fixture
    def absent(self, tmp_path: Path) -> LocalStore:
        return LocalStore(tmp_path / "not mounted" / "vault", "region nas")

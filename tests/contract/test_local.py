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


def test_what_another_takes_away_meanwhile_is_gone_and_no_error(tmp_path, monkeypatch):
    """Two janitors at once: the other one is faster between a look and the next step."""
    store = LocalStore(tmp_path / "store", "region test")
    store.ensure_container(lock_mode=None, lock_days=None)
    for key in ("a/one", "a/two"):
        store.create(key, b"x")
    version = store.head("a/one").tag
    stat = Path.stat

    def gone(self, **how):
        if self.name == "one":
            self.unlink(missing_ok=True)
        return stat(self, **how)

    monkeypatch.setattr(Path, "stat", gone)
    store.delete("a/one", version)
    store.delete("a/one", version)
    monkeypatch.setattr(Path, "stat", stat)
    store.create("a/one", b"x")
    head = LocalStore.head

    def goes(self, key):
        if key == "a/one":
            (tmp_path / "store" / "a" / "one").unlink(missing_ok=True)
        return head(self, key)

    monkeypatch.setattr(LocalStore, "head", goes)
    assert [info.key for info in store.list("a/")] == ["a/two"]

from pathlib import Path

import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.storage.rclone import RcloneStore
from dr_lib.testing.store_contract import StoreContract
from tests.conftest import fresh_name


def define_remote(monkeypatch: pytest.MonkeyPatch, name: str, **settings: str) -> None:
    for setting, value in settings.items():
        monkeypatch.setenv(f"RCLONE_CONFIG_{name.upper()}_{setting.upper()}", value)


class TestRcloneOnADirectory(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RcloneStore:
        define_remote(monkeypatch, "nas", type="alias", remote=str(tmp_path))
        return RcloneStore("nas:", "region archive")

    @pytest.fixture
    def absent(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RcloneStore:
        define_remote(monkeypatch, "nas", type="alias", remote=str(tmp_path))
        return RcloneStore("nas:not yet/there", "region archive")


class TestRcloneOnS3(StoreContract):
    @pytest.fixture
    def absent(self, seaweed: SeaweedRegion, monkeypatch: pytest.MonkeyPatch) -> RcloneStore:
        define_remote(
            monkeypatch,
            "bucket",
            type="s3",
            provider="SeaweedFS",
            endpoint=seaweed.endpoint,
            access_key_id=seaweed.access_key,
            secret_access_key=seaweed.secret_key,
            region="us-east-1",
        )
        return RcloneStore(f"bucket:{fresh_name()}", "region archive")

    @pytest.fixture
    def store(self, absent: RcloneStore) -> RcloneStore:
        absent.ensure_container(lock_mode=None, lock_days=None)
        return absent

"""Every store as its janitor opens it."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import boto3
import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.errors import Refused
from dr_lib.storage import s3_versions
from dr_lib.storage.base import JanitorStore, RegionJanitor
from dr_lib.storage.credentials import Credentials
from dr_lib.storage.local import LocalStore
from dr_lib.storage.memory import MemoryStore
from dr_lib.storage.rclone_janitor import RcloneJanitorStore
from dr_lib.storage.retrying_janitor import RetryingJanitor
from dr_lib.storage.s3_clients import Bucket
from dr_lib.storage.s3_janitor import S3JanitorStore
from dr_lib.testing.janitor_contract import JanitorContract, LockingContract, only_version
from dr_lib.testing.worm_store import WormStore
from tests.conftest import fresh_name


@pytest.fixture
def bucket(seaweed: SeaweedRegion) -> Bucket:
    return Bucket(fresh_name(), seaweed.endpoint, Credentials(seaweed.access_key, seaweed.secret_key))


def enable_versions(seaweed: SeaweedRegion, bucket: str) -> None:
    keys = {"aws_access_key_id": seaweed.access_key, "aws_secret_access_key": seaweed.secret_key}
    client = boto3.client("s3", endpoint_url=seaweed.endpoint, region_name="us-east-1", **keys)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


class TestMemory(JanitorContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore("region memory")


class TestRetrying(JanitorContract):
    @pytest.fixture
    def store(self) -> RetryingJanitor:
        return RetryingJanitor(MemoryStore("region memory"))


class TestWormStore(JanitorContract):
    keeps_versions: ClassVar[bool] = True

    @pytest.fixture
    def store(self) -> WormStore:
        return WormStore(MemoryStore("region memory"))

    def test_locking_is_refused_where_there_are_no_locks(self, store: JanitorStore) -> None:
        """It can lock all the same."""
        store.create("key", b"content")
        store.lock("key", store.head("key").modified_at + timedelta(days=1))
        with pytest.raises(Refused):
            store.delete("key", only_version(store, "key").version)


class TestLockedWormStore(LockingContract):
    @pytest.fixture
    def store(self) -> RetryingJanitor:
        return RetryingJanitor(WormStore(MemoryStore("region memory"), days=30))


class TestDirectory(JanitorContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalStore:
        return LocalStore(tmp_path, "region nas")


class TestRclone(JanitorContract):
    @pytest.fixture
    def store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RcloneJanitorStore:
        monkeypatch.setenv("RCLONE_CONFIG_NAS_TYPE", "alias")
        monkeypatch.setenv("RCLONE_CONFIG_NAS_REMOTE", str(tmp_path))
        return RcloneJanitorStore("nas:", "region archive")


class TestBucketWithoutVersions(JanitorContract):
    @pytest.fixture
    def store(self, bucket: Bucket) -> RegionJanitor:
        store = S3JanitorStore(bucket, "region us-east", prefix="team a/", lock_mode="governance")
        store.ensure_container(lock_mode=None, lock_days=None)
        return RetryingJanitor(store)


class TestBucketWithVersions(JanitorContract):
    keeps_versions: ClassVar[bool] = True

    @pytest.fixture
    def store(self, seaweed: SeaweedRegion, bucket: Bucket) -> S3JanitorStore:
        store = S3JanitorStore(bucket, "region us-east", prefix="team a/", lock_mode="governance")
        store.ensure_container(lock_mode=None, lock_days=None)
        enable_versions(seaweed, bucket.name)
        return store

    def test_no_version_is_left_out_of_a_listing_of_many_pages(
        self, store: S3JanitorStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(s3_versions, "PAGE", 5)
        kinds, assets = ("events", "packs", "points"), ("m", "m-v2", "m.v3", "mm")
        keys = [f"{kind}/{asset}/{number}" for kind in kinds for asset in assets for number in range(3)]
        for key in keys:
            store.create(key, b"older")
            store.replace(key, b"newer", store.head(key).tag)
        for prefix in ("", "points/", "points/m", "points/m/"):
            expected = sorted(key for key in keys if key.startswith(prefix) for _ in range(2))
            assert [one.key for one in store.versions(prefix)] == expected

    def test_an_older_object_stays_when_the_one_above_it_goes(self, store: S3JanitorStore) -> None:
        store.create("key", b"older")
        store.replace("key", b"newer", store.head("key").tag)
        newer, older = store.versions("key")
        store.delete("key", newer.version)
        assert store.get("key") == b"older"
        store.delete("key", newer.version)
        assert only_version(store, "key").version == older.version
        assert store.get("key") == b"older"


@pytest.mark.parametrize("mode", ["governance", "compliance"])
class TestLockedBucket(LockingContract):
    @pytest.fixture
    def store(self, bucket: Bucket, mode: str) -> S3JanitorStore:
        store = S3JanitorStore(bucket, "region us-east", prefix="team a/", lock_mode=mode)
        store.ensure_container(lock_mode=mode, lock_days=1)
        return store

    def test_the_server_refuses_to_shorten(self, store: S3JanitorStore) -> None:
        store.create("key", b"content")
        until = store.locked_until("key")
        with pytest.raises(Refused):
            store.weaken("key", store.head("key").modified_at)
        assert store.locked_until("key") == until

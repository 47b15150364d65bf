"""Every store as its janitor opens it."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import boto3
import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.errors import Refused
from dr_lib.storage.base import RegionJanitor
from dr_lib.storage.credentials import Credentials
from dr_lib.storage.local import LocalStore
from dr_lib.storage.memory import MemoryStore
from dr_lib.storage.rclone_janitor import RcloneJanitorStore
from dr_lib.storage.retrying_janitor import RetryingJanitor
from dr_lib.storage.s3_clients import Bucket
from dr_lib.storage.s3_janitor import S3JanitorStore
from dr_lib.testing.janitor_contract import JanitorContract, LockingContract, only_version
from tests.conftest import fresh_name

BelowAPrefix = Callable[[str], S3JanitorStore]


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

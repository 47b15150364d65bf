import uuid
from dataclasses import replace

import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.storage.credentials import Credentials
from dr_lib.storage.s3 import S3Store
from dr_lib.storage.s3_clients import Bucket
from dr_lib.testing.store_contract import StoreContract
from tests.conftest import fresh_name


@pytest.fixture(scope="class")
def bucket(seaweed: SeaweedRegion) -> Bucket:
    bucket = Bucket(fresh_name(), seaweed.endpoint, Credentials(seaweed.access_key, seaweed.secret_key))
    S3Store(bucket, "set-up").ensure_container(lock_mode=None, lock_days=None)
    return bucket


class TestS3Store(StoreContract):
    @pytest.fixture
    def absent(self, bucket: Bucket) -> S3Store:
        return S3Store(replace(bucket, name=fresh_name()), "region us-east")

    @pytest.fixture
    def store(self, absent: S3Store) -> S3Store:
        absent.ensure_container(lock_mode=None, lock_days=None)
        return absent


class TestS3StoreOfForeignKeys(TestS3Store):
    @pytest.fixture
    def absent(self, bucket: Bucket) -> S3Store:
        return S3Store(replace(bucket, name=fresh_name()), "source", foreign=True)


class TestS3StoreBelowAPrefix(TestS3Store):
    @pytest.fixture
    def store(self, bucket: Bucket) -> S3Store:
        return S3Store(bucket, "region us-east", prefix=f"team a/{uuid.uuid4().hex}/")

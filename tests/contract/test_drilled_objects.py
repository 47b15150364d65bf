"""What a drill does to objects of a region, and its undoing, in every kind of store that it may meet."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.errors import NotFound, Refused
from dr_lib.storage.base import RegionJanitor
from dr_lib.storage.credentials import Credentials
from dr_lib.storage.local import LocalStore
from dr_lib.storage.memory import MemoryStore
from dr_lib.storage.retrying_janitor import RetryingJanitor
from dr_lib.storage.s3_clients import Bucket
from dr_lib.storage.s3_janitor import S3JanitorStore
from dr_lib.workflows.drill.blows.blow import Tools
from dr_lib.workflows.drill.blows.objects import DamagedBlow, DeletedBlow
from tests.conftest import fresh_name

PACK = b"tensors" * 500
KEY = f"packs/ab/{hashlib.sha256(PACK).hexdigest()}"
POINT = "points/thing/p.manifest"
KINDS = ["directory", "plain", "versions", "governance", "compliance"]


@pytest.fixture(params=KINDS)
def store(request, tmp_path: Path, seaweed: SeaweedRegion) -> RegionJanitor:
    if request.param == "directory":
        (tmp_path / "vault").mkdir()
        return RetryingJanitor(LocalStore(tmp_path / "vault", "region nas"))
    bucket = Bucket(fresh_name(), seaweed.endpoint, Credentials(seaweed.access_key, seaweed.secret_key))
    lock = request.param if request.param in ("governance", "compliance") else None
    found = S3JanitorStore(bucket, "region east", prefix="vault/", lock_mode=lock)
    found.ensure_container(lock_mode=lock, lock_days=1 if lock else None)
    if request.param == "versions":
        enable_versions(seaweed, bucket.name)
    return RetryingJanitor(found)


def enable_versions(seaweed: SeaweedRegion, bucket: str) -> None:
    keys = {"aws_access_key_id": seaweed.access_key, "aws_secret_access_key": seaweed.secret_key}
    client = boto3.client("s3", endpoint_url=seaweed.endpoint, region_name="us-east-1", **keys)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


@pytest.fixture
def tools(store: RegionJanitor, tmp_path: Path) -> Tools:
    (tmp_path / "kept").mkdir()
    give: Callable[[str], RegionJanitor] = lambda _: store  # noqa: E731 - typed
    return Tools(give, {}, tmp_path, tmp_path / "kept")


def listed(store: RegionJanitor) -> list[str]:
    return [info.key for info in store.list()]


def test_a_damaged_pack_is_whole_again(store: RegionJanitor, tools: Tools):
    store.create(KEY, PACK)
    blow = DamagedBlow("east", KEY, 1000)
    blow.strike(tools)
    assert store.get(KEY) != PACK
    for _ in range(2):
        blow.undo(tools)
        assert store.get(KEY) == PACK
    assert listed(store) == [KEY]


def test_a_deleted_point_is_back(store: RegionJanitor, tools: Tools):
    store.create(POINT, b"a manifest")
    blow = DeletedBlow("east", (POINT,))
    for _ in range(2):
        blow.strike(tools)
        assert listed(store) == []
        with pytest.raises(NotFound):
            store.get(POINT)
        for _ in range(2):
            blow.undo(tools)
            assert store.get(POINT) == b"a manifest"
            assert listed(store) == [POINT]


def test_burying_what_is_gone_is_nothing(store: RegionJanitor):
    store.bury("points/never/was")
    assert listed(store) == []


def test_a_store_in_which_nothing_is_to_be_buried_refuses(tools: Tools):
    store = RetryingJanitor(MemoryStore("region memory"))
    store.create(POINT, b"a manifest")
    with pytest.raises(Refused):
        store.bury(POINT)
    assert store.get(POINT) == b"a manifest"

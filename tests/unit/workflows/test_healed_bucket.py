"""Healing on a real server under object lock: the older version is the nearest sound one, and stays as evidence."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from tests.conftest import environment_of, fresh_name
from tests.keys import keys
from tests.world import ASSET, World, flip, make_world, tree


@pytest.fixture
def s3(seaweed: SeaweedRegion) -> Any:
    """A client of the server's administrator."""
    pair = {"aws_access_key_id": seaweed.access_key, "aws_secret_access_key": seaweed.secret_key}
    return boto3.client("s3", endpoint_url=seaweed.endpoint, region_name="us-east-1", **pair)


@pytest.fixture
def bucket() -> str:
    return fresh_name()


@pytest.fixture
def world(tmp_path: Path, seaweed: SeaweedRegion, bucket: str) -> World:
    """A point in a locked bucket, and nowhere else."""
    store = {"url": f"s3://{bucket}", "endpoint": seaweed.endpoint, "credentials": "env:DR_TEST"}
    regions = {"regions": {"one": {**store, "lock": {"mode": "governance", "days": 1}}}}
    environ = keys().all() | environment_of(seaweed)
    world = make_world(tmp_path / "w", ("one",), environ=environ, **keys().config(), **regions)
    (world.source / "file").write_bytes(os.urandom(5_000))
    world.runtime.backup(ASSET)
    assert world.runtime.verify(ASSET)["ok"]
    (world.source / "file").rename(world.source / "renamed")
    return world


def spoil(s3: Any, bucket: str, prefix: str, edit: Callable[[bytes], bytes]) -> str:
    """Put other bytes over the first object below `prefix`; its key."""
    key = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"][0]["Key"]
    data = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=key, Body=edit(data))
    return str(key)


@pytest.mark.parametrize("how", ["put over", "deleted"])
@pytest.mark.parametrize("prefix", ["packs/", "points/", "keys/", "vault.json"])
def test_what_was_put_over_or_deleted_comes_back_from_the_version_below(
    world: World, s3: Any, bucket: str, prefix: str, how: str
):
    key = spoil(s3, bucket, prefix, flip)
    if how == "deleted":
        s3.delete_object(Bucket=bucket, Key=key)
    before = {v["VersionId"] for v in s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]}
    if prefix != "vault.json":
        assert not world.runtime.verify(ASSET)["ok"]
    done = world.runtime.heal(region="one")
    assert [(one["key"], one["from"]) for one in done["healed"]] == [(key, "an older version")]
    assert done["ok"]
    assert world.runtime.verify(ASSET)["ok"]
    after = {v["VersionId"] for v in s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]}
    assert before < after
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="damaged/")
    world.runtime.restore(ASSET, str(world.folder / "out"))
    assert set(tree(world.folder / "out")) == {".", "file"}

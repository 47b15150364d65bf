"""An asset in an S3 prefix goes into a bucket, a directory and an rclone remote, and comes back from each."""

import json
import os
from pathlib import Path

import boto3
import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from tests.conftest import fresh_name
from tests.walkthrough.command_line import Drctl
from tests.world import weights

FILES = {"config.json": b"{}", "weights/part 1.bin": os.urandom(5 << 20), "weights/ünï.txt": b"", "empty": b""}


@pytest.fixture
def lake(seaweed: SeaweedRegion, tmp_path: Path) -> dict[str, str]:
    """A source in a bucket of the running region; other objects lie beside its prefix."""
    weights(tmp_path / "model.safetensors")
    keys = {"aws_access_key_id": seaweed.access_key, "aws_secret_access_key": seaweed.secret_key}
    s3 = boto3.client("s3", endpoint_url=seaweed.endpoint, region_name="us-east-1", **keys)
    bucket = fresh_name()
    s3.create_bucket(Bucket=bucket)
    for path, content in (FILES | {"model.safetensors": (tmp_path / "model.safetensors").read_bytes()}).items():
        s3.put_object(Bucket=bucket, Key=f"models/live/{path}", Body=content)
    s3.put_object(Bucket=bucket, Key="models/live-not-mine/other", Body=b"x")
    return {"url": f"s3://{bucket}/models/live", "endpoint": seaweed.endpoint, "credentials": "env:LAKE"}


@pytest.fixture
def drctl(tmp_path: Path, seaweed: SeaweedRegion, lake: dict[str, str]) -> Drctl:
    """Three regions of three kinds and one asset."""
    bucket = {"url": f"s3://{fresh_name()}", "endpoint": seaweed.endpoint, "credentials": "env:LAKE"}
    regions = {"bucket": bucket, "nas": {"url": f"file://{tmp_path}/nas vault"}, "far": {"url": "rclone:archive:dr"}}
    asset = {"kind": "model", "source": lake, "regions": list(regions)}
    config = {"encryption": "none", "regions": regions, "assets": {"model": asset}, "limits": {"shard": "2MiB"}}
    (tmp_path / "dr.yaml").write_text(json.dumps(config))
    command_line = Drctl(tmp_path)
    command_line.credentials("LAKE", seaweed)
    command_line.environ["RCLONE_CONFIG_ARCHIVE_TYPE"] = "alias"
    command_line.environ["RCLONE_CONFIG_ARCHIVE_REMOTE"] = str(tmp_path / "archive")
    return command_line


def test_every_kind_of_store_takes_the_asset_and_gives_it_back(tmp_path: Path, drctl: Drctl):
    assert drctl("init")[0] == 0
    code, done = drctl("backup", "model")
    assert (code, done["copies"]) == (0, {"bucket": "complete", "nas": "complete", "far": "complete"})
    code, verified = drctl("verify", "model")
    assert (code, [r["ok"] for r in verified["results"]]) == (0, [True] * 3)
    for region in ("bucket", "nas", "far"):
        target = tmp_path / f"from {region}"
        assert drctl("restore", "model", "--to", str(target), "--region", region)[0] == 0
        found = {str(p.relative_to(target)): p.read_bytes() for p in target.rglob("*") if p.is_file()}
        assert found == FILES | {"model.safetensors": (tmp_path / "model.safetensors").read_bytes()}


def test_an_unchanged_bucket_is_not_stored_again(drctl: Drctl):
    drctl("init")
    drctl("backup", "model")
    assert drctl("backup", "model")[1]["new_bytes"] == 0

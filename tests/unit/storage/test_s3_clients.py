"""Whom an S3 store asks for its region and credentials, and what that costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.errors import UsageError
from dr_lib.storage.credentials import Credentials
from dr_lib.storage.s3_clients import Bucket, object_store
from tests.conftest import PREFIX, environment_of, fresh_name, open_bucket

USED = f"""
import os, sys
from dr_lib.model.region import StoreRef
from dr_lib.storage.opening import open_store
store = open_store(StoreRef(sys.argv[1], sys.argv[2], "env:{PREFIX}"), "region x", environ=os.environ)
store.create("a/key", b"x")
assert (store.get("a/key"), store.head("a/key").size, len(list(store.list("a/")))) == (b"x", 1, 1)
print([name for name in ("boto3", "botocore") if name in sys.modules])
"""
KEYS = Credentials("key", "secret")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def region_of(bucket: Bucket) -> object:
    return object_store(bucket, "region x").config["region"]


def test_a_store_with_keys_at_hand_does_its_work_without_boto3(seaweed: SeaweedRegion):
    name = fresh_name()
    open_bucket(seaweed, name).ensure_container(lock_mode=None, lock_days=None)
    command = [sys.executable, "-c", USED, f"s3://{name}", seaweed.endpoint]
    environment = {**os.environ, **environment_of(seaweed)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_region_is_the_usual_one_where_nothing_names_another(monkeypatch: pytest.MonkeyPatch):
    assert region_of(Bucket("bucket", None, KEYS)) == "us-east-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    assert region_of(Bucket("bucket", None, KEYS)) == "eu-west-3"


def test_the_region_of_the_sdks_own_settings_counts(tmp_path: Path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\nregion = ap-south-1\n")
    assert region_of(Bucket("bucket", None, KEYS)) == "ap-south-1"


def test_a_profile_is_looked_up_by_the_sdk(tmp_path: Path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("[dr]\naws_access_key_id = a\naws_secret_access_key = b\n")
    (tmp_path / ".aws" / "config").write_text("[profile dr]\nregion = sa-east-1\n")
    assert region_of(Bucket("bucket", None, Credentials(profile="dr"))) == "sa-east-1"
    with pytest.raises(UsageError, match="region x"):
        object_store(Bucket("bucket", None, Credentials(profile="unknown")), "region x")

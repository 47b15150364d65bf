"""A ransomware drill: the source is encrypted in place and backed up, then stolen credentials turn on the vault."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dr_lib.errors import DrError, Refused
from dr_lib.model.region import Role
from tests.roles import ASSET, REGION, LockedWorld, start_world
from tests.world import tree, weights

BUCKET = "vault-bucket"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LockedWorld]:
    world = start_world(tmp_path / "world", BUCKET)
    try:
        world.make_bucket()
        world.runtime().initialize()
        weights(world.source / "model.safetensors")
        (world.source / "config.json").write_text("{}")
        yield world
    finally:
        world.server.stop()


def encrypt_in_place(folder: Path) -> None:
    for path in (path for path in folder.rglob("*") if path.is_file()):
        path.write_bytes(os.urandom(path.stat().st_size))


def destroy(s3: Any) -> int:
    """All that a thief can think of, on every object and every version; how often the server let him."""
    page = s3.list_object_versions(Bucket=BUCKET)
    assert not page["IsTruncated"]
    done = 0
    for found in page["Versions"]:
        named = {"Bucket": BUCKET, "Key": found["Key"]}
        done += went_through(s3.delete_object, **named, VersionId=found["VersionId"], BypassGovernanceRetention=True)
        done += went_through(s3.put_object, **named, Body=b"pay")
        done += went_through(s3.delete_object, **named)
    return done


def went_through(call: Any, **request: Any) -> bool:
    try:
        call(**request)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
            raise
        return False
    return True


@pytest.mark.parametrize("thief", [Role.WRITER.value, Role.JANITOR.value, "admin"])
def test_nothing_is_lost(world: LockedWorld, thief: str) -> None:
    runtime = world.runtime()
    before, good = tree(world.source), runtime.backup(ASSET)["point"]
    encrypt_in_place(world.source)
    runtime.backup(ASSET)
    assert destroy(world.client(thief)) > 0
    with pytest.raises(DrError):
        runtime.restore(ASSET, str(world.folder / "too early"), good)
    assert not (world.folder / "too early").exists()
    with pytest.raises(Refused):
        runtime.initialize()

    uncovered = runtime.uncover(REGION)["uncovered"]

    assert {"vault.json", f"points/{ASSET}/{good}.manifest"} < set(uncovered)
    assert runtime.verify(ASSET)["results"]
    assert all(result["ok"] for result in runtime.verify(ASSET)["results"])
    runtime.restore(ASSET, str(world.folder / "restored"), good)
    assert tree(world.folder / "restored") == before
    assert runtime.uncover(REGION)["uncovered"] == []


def test_a_vault_that_nobody_touched_has_nothing_buried(world: LockedWorld) -> None:
    runtime = world.runtime()
    runtime.backup(ASSET)
    assert runtime.uncover(REGION) == {"region": REGION, "uncovered": []}


def test_what_was_healed_once_is_not_taken_for_buried(world: LockedWorld) -> None:
    content = b"a pack, as far as its name tells"
    name = hashlib.sha256(content).hexdigest()
    key = f"packs/{name[:2]}/{name}"
    for stored in (b"damaged from the start", content):
        world.admin.put_object(Bucket=BUCKET, Key=key, Body=stored)
    assert world.runtime().uncover(REGION)["uncovered"] == []
    destroy(world.client(Role.WRITER.value))
    assert key in world.runtime().uncover(REGION)["uncovered"]
    assert world.admin.get_object(Bucket=BUCKET, Key=key)["Body"].read() == content


def test_garbage_that_was_stored_twice_under_a_name_of_its_own_is_in_nobodys_way(world: LockedWorld) -> None:
    runtime = world.runtime()
    point = runtime.backup(ASSET)["point"]
    thief = world.client(Role.WRITER.value)
    for key in ("packs/00/" + "0" * 64, f"points/{ASSET}/{point[:-8]}00000000.manifest"):
        for content in (b"one", b"other"):
            thief.put_object(Bucket=BUCKET, Key=key, Body=content)
    with pytest.raises(DrError, match="2 have no whole version"):
        runtime.uncover(REGION)
    assert runtime.restore(ASSET, str(world.folder / "restored"), point)["point"] == point

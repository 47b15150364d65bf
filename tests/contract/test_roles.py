"""The policies of docs/iam on a real server: what the server itself refuses to a thief of each role's credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dr_lib.model.region import Role
from tests.roles import POLICIES, LockedWorld, start_world

BUCKET, KEY = "vault-bucket", "packs/ab/victim"
CONTENT = b"what must not be lost"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LockedWorld]:
    world = start_world(tmp_path_factory.mktemp("roles"), BUCKET)
    world.make_bucket()
    yield world
    world.server.stop()


@pytest.fixture(scope="module")
def victim(world: LockedWorld) -> str:
    """Version of a locked object."""
    return str(world.admin.put_object(Bucket=BUCKET, Key=KEY, Body=CONTENT)["VersionId"])


Attack = Callable[[Any, str], object]
ATTACKS: dict[str, Attack] = {
    "delete the version": lambda s3, version: s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version),
    "delete it past governance": lambda s3, version: s3.delete_object(
        Bucket=BUCKET, Key=KEY, VersionId=version, BypassGovernanceRetention=True
    ),
    "hide it below a delete marker": lambda s3, _: s3.delete_object(Bucket=BUCKET, Key=KEY),
    "shorten the lock": lambda s3, version: s3.put_object_retention(
        Bucket=BUCKET, Key=KEY, VersionId=version, Retention=retention("COMPLIANCE", hours=1)
    ),
    "weaken the lock": lambda s3, version: s3.put_object_retention(
        Bucket=BUCKET, Key=KEY, VersionId=version, Retention=retention("GOVERNANCE", hours=48)
    ),
    "take the default lock away": lambda s3, _: s3.put_object_lock_configuration(
        Bucket=BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
    ),
    "suspend versions": lambda s3, _: s3.put_bucket_versioning(
        Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}
    ),
    "let everything expire": lambda s3, _: s3.put_bucket_lifecycle_configuration(
        Bucket=BUCKET, LifecycleConfiguration={"Rules": [EXPIRES]}
    ),
    "give the bucket another policy": lambda s3, _: s3.put_bucket_policy(
        Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": []})
    ),
    "delete the bucket": lambda s3, _: s3.delete_bucket(Bucket=BUCKET),
}
EXPIRES = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
OVERWRITE: Attack = lambda s3, _: s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"garbage")  # noqa: E731


def retention(mode: str, hours: int) -> dict[str, Any]:
    """A retention that ends so many hours from now; the server's clock is this machine's."""
    return {"Mode": mode, "RetainUntilDate": datetime.now(UTC) + timedelta(hours=hours)}  # noqa: TID251


def refused(attack: Attack, s3: Any, version: str) -> int:
    """The status with which the server refuses an attack; fails when it does not."""
    with pytest.raises(ClientError) as refusal:
        attack(s3, version)
    return int(refusal.value.response["ResponseMetadata"]["HTTPStatusCode"])


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_server_refuses_every_role(world: LockedWorld, victim: str, role: Role, attack: str) -> None:
    assert refused(ATTACKS[attack], world.client(role.value), victim) == 403
    assert world.admin.get_object(Bucket=BUCKET, Key=KEY, VersionId=victim)["Body"].read() == CONTENT


@pytest.mark.parametrize("role", list(Role))
def test_nobody_here_overrides_a_lock_in_governance_mode(world: LockedWorld, role: Role) -> None:
    version = world.admin.put_object(
        Bucket=BUCKET,
        Key=KEY,
        Body=CONTENT,
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=retention("GOVERNANCE", hours=48)["RetainUntilDate"],
    )["VersionId"]
    past_governance = ATTACKS["delete it past governance"]
    assert refused(past_governance, world.client(role.value), version) == 403
    assert refused(ATTACKS["delete the version"], world.admin, version) == 403
    past_governance(world.admin, version)
    with pytest.raises(ClientError, match="NoSuchVersion"):
        world.admin.get_object(Bucket=BUCKET, Key=KEY, VersionId=version)


@pytest.mark.parametrize("role", [Role.READER, Role.VERIFIER])
def test_who_reads_cannot_put_anything_over_an_object(world: LockedWorld, victim: str, role: Role) -> None:
    assert refused(OVERWRITE, world.client(role.value), victim) == 403
    assert world.admin.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == CONTENT


@pytest.mark.parametrize("attack", ["delete the version", "delete it past governance", "shorten the lock"])
def test_under_compliance_the_administrator_is_refused_too(world: LockedWorld, victim: str, attack: str) -> None:
    assert refused(ATTACKS[attack], world.admin, victim) == 403


def test_what_is_put_over_a_locked_object_leaves_it_below(world: LockedWorld) -> None:
    s3 = world.client(Role.WRITER.value)
    version = s3.put_object(Bucket=BUCKET, Key="packs/ab/other", Body=CONTENT)["VersionId"]
    s3.put_object(Bucket=BUCKET, Key="packs/ab/other", Body=b"garbage")
    assert s3.get_object(Bucket=BUCKET, Key="packs/ab/other", VersionId=version)["Body"].read() == CONTENT


def test_a_verifier_tells_what_it_found_and_stores_nothing_else(world: LockedWorld, victim: str) -> None:
    s3 = world.client(Role.VERIFIER.value)
    s3.put_object(Bucket=BUCKET, Key="events/a/x.json", Body=b"{}", IfNoneMatch="*")
    s3.put_object(Bucket=BUCKET, Key="evidence/a/x.json", Body=b"{}", IfNoneMatch="*")
    create: Attack = lambda s3, _: s3.put_object(Bucket=BUCKET, Key="packs/ab/x", Body=b"{}", IfNoneMatch="*")  # noqa: E731
    assert refused(create, s3, victim) == 403


def test_only_the_janitor_deletes_what_is_not_locked_and_only_by_version(tmp_path: Path) -> None:
    world = start_world(tmp_path, BUCKET, mode=None)
    try:
        world.make_bucket()
        world.admin.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        version = world.admin.put_object(Bucket=BUCKET, Key=KEY, Body=CONTENT)["VersionId"]
        for role in (Role.READER, Role.WRITER, Role.VERIFIER):
            assert refused(ATTACKS["delete the version"], world.client(role.value), version) == 403
        janitor = world.client(Role.JANITOR.value)
        assert refused(ATTACKS["hide it below a delete marker"], janitor, version) == 403
        janitor.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version)
        assert "Versions" not in world.admin.list_object_versions(Bucket=BUCKET)
    finally:
        world.server.stop()


def allowed(server: str, role: str) -> set[str]:
    """What a policy allows and does not deny."""
    statements = json.loads((POLICIES.parent / server / f"{role}.json").read_text())["Statement"]
    by_effect: dict[str, set[str]] = {"Allow": set(), "Deny": set()}
    for one in statements:
        if "Condition" not in one:
            by_effect[one["Effect"]] |= set(one["Action"])
    return by_effect["Allow"] - by_effect["Deny"]


@pytest.mark.parametrize("role", [role.value for role in Role])
@pytest.mark.parametrize("server", ["aws", "minio"])
def test_the_policies_for_other_servers_allow_the_same(server: str, role: str) -> None:
    assert allowed(server, role) == allowed("seaweedfs", role) != set()


@pytest.mark.parametrize("role", ["writer", "verifier"])
def test_on_aws_who_creates_cannot_put_anything_over_an_object(role: str) -> None:
    statements = json.loads((POLICIES.parent / "aws" / f"{role}.json").read_text())["Statement"]
    (only,) = (one for one in statements if "Condition" in one)
    assert (only["Effect"], only["Action"], only["Resource"]) == ("Deny", ["s3:PutObject"], "arn:aws:s3:::BUCKET/*")
    assert only["Condition"] == {"Null": {"s3:if-none-match": "true"}}

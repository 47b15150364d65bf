"""A real region whose roles have credentials of their own, under the policies that docs/iam gives away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from dr_lib.clock import Clock, utc_now
from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.model.region import Role
from dr_lib.runtime import Runtime

POLICIES = Path(__file__).parents[1] / "docs" / "iam" / "seaweedfs"
REGION = "locked"
ASSET = "thing"


def access_key(role: str) -> str:
    return f"{role}-key"


def secret_key(role: str) -> str:
    return f"{role}-secret"


def identities(bucket: str) -> dict[str, Any]:
    """SeaweedFS's own file: an administrator, and each role under its policy for `bucket`."""
    roles = [role.value for role in Role]
    return {
        "identities": [
            {"name": "admin", "credentials": [_keys("admin")], "actions": ["Admin"]},
            *({"name": role, "credentials": [_keys(role)], "policyNames": [role]} for role in roles),
        ],
        "policies": [
            {"name": role, "content": (POLICIES / f"{role}.json").read_text().replace("BUCKET", bucket)}
            for role in roles
        ],
    }


def _keys(role: str) -> dict[str, str]:
    return {"accessKey": access_key(role), "secretKey": secret_key(role)}


@dataclass
class LockedWorld:
    """A bucket under object lock on a server that knows the roles, a source, and a configuration over both."""

    folder: Path
    server: SeaweedRegion
    bucket: str
    mode: str | None

    def client(self, role: str) -> Any:
        """A plain S3 client with a role's credentials, or the administrator's: what a thief would use."""
        return boto3.client(
            "s3",
            endpoint_url=self.server.endpoint,
            aws_access_key_id=access_key(role),
            aws_secret_access_key=secret_key(role),
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    @property
    def source(self) -> Path:
        """The live asset."""
        return self.folder / "source"

    def environ(self, *roles: Role) -> dict[str, str]:
        """The credentials of these roles (of all, without any)."""
        found = {}
        for role in roles or tuple(Role):
            found[f"DR_{role.name}_ACCESS_KEY_ID"] = access_key(role.value)
            found[f"DR_{role.name}_SECRET_ACCESS_KEY"] = secret_key(role.value)
        return found

    def runtime(self, *roles: Role, clock: Clock = utc_now, more: Mapping[str, Any] = {}, **region: Any) -> Runtime:
        """A runtime on a machine that has the credentials of these roles alone; `region` changes its fields, and `more`
        are other regions."""
        place = {
            "url": f"s3://{self.bucket}",
            "endpoint": self.server.endpoint,
            "credentials": {role.value: f"env:DR_{role.name}" for role in roles or tuple(Role)},
        } | ({"lock": {"mode": self.mode, "days": 1}} if self.mode else {})
        config = {
            "version": 1,
            "encryption": "none",
            "regions": {REGION: place | region} | more,
            "assets": {ASSET: {"kind": "model", "source": str(self.source), "regions": [REGION, *more]}},
        }
        path = self.folder / "dr.yaml"
        path.write_text(json.dumps(config))
        return Runtime.load(path, environ=self.environ(*roles), clock=clock)

    @cached_property
    def admin(self) -> Any:
        """The administrator's client."""
        return self.client("admin")

    def make_bucket(self, days: int = 1) -> None:
        """What a region's owner does once: a bucket whose default retention locks every upload."""
        self.admin.create_bucket(Bucket=self.bucket, ObjectLockEnabledForBucket=self.mode is not None)
        if self.mode is not None:
            self.set_default(days)

    def set_default(self, days: int | None) -> None:
        """The bucket's default retention; None takes it away."""
        rule = {"Rule": {"DefaultRetention": {"Mode": str(self.mode).upper(), "Days": days}}} if days else {}
        configuration = {"ObjectLockEnabled": "Enabled"} | rule
        self.admin.put_object_lock_configuration(Bucket=self.bucket, ObjectLockConfiguration=configuration)


def start_world(folder: Path, bucket: str, mode: str | None = "compliance") -> LockedWorld:
    """A running server with an empty bucket; end it with `world.server.stop()`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "identities.json"
    path.write_text(json.dumps(identities(bucket)))
    server = SeaweedRegion(folder / "server", access_key("admin"), secret_key("admin"), identities=path)
    server.start()
    world = LockedWorld(folder, server, bucket, mode)
    world.source.mkdir(exist_ok=True)
    return world

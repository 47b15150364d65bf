"""Making a bucket with its object lock, and judging the lock of one that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dr_lib.errors import PermissionDenied, Refused, UsageError
from dr_lib.storage import s3_locks

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def ensure(client: S3Client, bucket: str, lock_mode: str | None, lock_days: int | None, label: str) -> bool:
    """Create `bucket` when it is missing; True when it was created.

    With a mode (`governance`, `compliance`) and days, every new object is locked for so long. A bucket that has
    object lock but no rule yet (an earlier attempt was cut short) gets the rule. Raises `Refused` when the bucket
    exists without object lock or with a weaker rule. Lets botocore's errors through.
    """
    if (lock_mode is None) != (lock_days is None):
        raise UsageError("a lock needs both a mode and a number of days", where=label)
    created = not _exists(client, bucket)
    if created:
        _create(client, bucket, label, locked=lock_mode is not None)
    if lock_mode is not None and lock_days is not None:
        _ensure_rule(client, bucket, lock_mode, lock_days, label)
    return created


def _exists(client: S3Client, bucket: str) -> bool:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def _create(client: S3Client, bucket: str, label: str, *, locked: bool) -> None:
    request: dict[str, Any] = {"Bucket": bucket}
    if locked:
        request["ObjectLockEnabledForBucket"] = True
    if client.meta.region_name != "us-east-1":
        request["CreateBucketConfiguration"] = {"LocationConstraint": client.meta.region_name}
    try:
        client.create_bucket(**request)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
            raise
        hint = (
            "have its owner make it, with object lock where dr.yaml says so (docs/iam/README.md); then init adopts it"
        )
        raise PermissionDenied(
            f"the bucket {bucket!r} is missing, and these credentials may not make it", where=label, hint=hint
        ) from error


def _ensure_rule(client: S3Client, bucket: str, mode: str, days: int, label: str) -> None:
    found = s3_locks.configuration(client, bucket)
    if found is None:
        hint = "object lock can be had only from a bucket's creation: name another bucket, or leave `lock` out"
        raise Refused(f"the bucket {bucket!r} exists without object lock", where=label, hint=hint)
    rule = found.get("Rule", {}).get("DefaultRetention")
    if rule is None:
        retention = {"Mode": mode.upper(), "Days": days}
        configuration: Any = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
        client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=configuration)
    elif not _at_least(rule, mode, days):
        have = f"{rule['Mode'].lower()}, {_days(rule)} days"
        raise Refused(
            f"the bucket {bucket!r} exists with a weaker lock ({have})",
            where=label,
            hint=f"have its owner set {mode}, {days} days, or ask for less in dr.yaml",
        )


def _at_least(rule: dict[str, Any], mode: str, days: int) -> bool:
    return s3_locks.STRENGTH[rule["Mode"].lower()] >= s3_locks.STRENGTH[mode] and _days(rule) >= days


def _days(rule: dict[str, Any]) -> int:
    return int(rule.get("Days") or 365 * rule["Years"])

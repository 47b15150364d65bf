"""Object lock of single objects: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from dr_lib.errors import Refused

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

STRENGTH: Final = {"governance": 1, "compliance": 2}
_UNLOCKED: Final = frozenset({"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"})


def retention(client: S3Client, bucket: str, key: str, version: str | None = None) -> tuple[str, datetime] | None:
    """Mode (`governance`, `compliance`) and end of the lock of an object's newest version, or of that one.

    None for an object without a lock, and for any name in a bucket without object lock. Lets botocore's errors through.
    """
    request: dict[str, Any] = {"Bucket": bucket, "Key": key} | ({"VersionId": version} if version else {})
    try:
        found = client.get_object_retention(**request)["Retention"]
    except ClientError as error:
        code = error.response["Error"].get("Code")
        if code in _UNLOCKED or (code == "InvalidRequest" and not has_lock(client, bucket)):
            return None
        raise
    if "RetainUntilDate" not in found:
        return None
    return found["Mode"].lower(), found["RetainUntilDate"].astimezone(UTC)


def extend(client: S3Client, bucket: str, key: str, until: datetime, mode: str | None, label: str) -> None:
    """Lock the newest version of `key` at least until then; what is locked for longer stays as it is.

    The mode is the stronger one of `mode` and the object's own. `Refused` when neither is known, or where the bucket
    has no object lock. Lets botocore's errors through. Safe to repeat.
    """
    found = retention(client, bucket, key)
    if found is not None and found[1] >= until:
        return
    modes = [one for one in (mode, found[0] if found else None) if one is not None]
    if found is None:
        _refuse_unlocked(client, bucket, label)
    if not modes:
        hint = "name a `lock` for this region in dr.yaml"
        raise Refused(f"nothing says how object {key!r} should be locked", where=label, hint=hint)
    strongest = max(modes, key=STRENGTH.__getitem__)
    client.put_object_retention(Bucket=bucket, Key=key, Retention=_retention(strongest, until))


def weaken(client: S3Client, bucket: str, key: str, until: datetime) -> None:
    """Ask the server to end the lock of `key` earlier. Lets its refusal through."""
    found = retention(client, bucket, key)
    mode = found[0] if found else "compliance"
    client.put_object_retention(Bucket=bucket, Key=key, Retention=_retention(mode, until))


def _retention(mode: str, until: datetime) -> Any:
    # Servers keep whole seconds: rounded up, so that no lock ends before what was asked for.
    whole = until.astimezone(UTC)
    rounded = whole if whole.microsecond == 0 else whole.replace(microsecond=0) + timedelta(seconds=1)
    return {"Mode": mode.upper(), "RetainUntilDate": rounded}


def _refuse_unlocked(client: S3Client, bucket: str, label: str) -> None:
    """Raise `Refused` in a bucket without object lock; SeaweedFS would take the request and promise nothing."""
    if not has_lock(client, bucket):
        hint = "object lock can be had only from a bucket's creation: make the region anew in another bucket"
        raise Refused(f"the bucket {bucket!r} has no object lock", where=label, hint=hint)


def has_lock(client: S3Client, bucket: str) -> bool:
    """Whether the bucket has object lock. Lets botocore's errors through."""
    return configuration(client, bucket) is not None


def configuration(client: S3Client, bucket: str) -> dict[str, Any] | None:
    """The bucket's object lock and its default, None without object lock. Lets botocore's errors through."""
    try:
        answer: Any = client.get_object_lock_configuration(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in _UNLOCKED:
            return None
        raise
    return dict(answer["ObjectLockConfiguration"])

"""What obstore cannot do: buckets, locks, versions, and keys that no path of obstore's can stand for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dr_lib.errors import AlreadyExists, PermissionDenied, Refused
from dr_lib.storage import s3_bucket, s3_locks, s3_versions
from dr_lib.storage.base import ObjectInfo, ObjectVersion
from dr_lib.storage.missing import key_missing
from dr_lib.storage.s3_clients import READ_SECONDS, Bucket
from dr_lib.storage.s3_errors import boto_answer, translated
from dr_lib.storage.s3_session import control_client, open_session

PAGE = 1000
"""Keys of one listing request."""


class S3Control:
    """boto3 on one bucket. Safe to use from many threads."""

    def __init__(self, bucket: Bucket, label: str) -> None:
        """Asks nothing of the server. `UsageError` when the credentials cannot be had."""
        self._bucket = bucket
        self._label = label
        session = open_session(bucket, label)
        self._client = control_client(session, bucket, label)
        self._transfers = control_client(session, bucket, label, READ_SECONDS)

    def ensure_container(self, lock_mode: str | None, lock_days: int | None) -> bool:
        """See `ContainerStore.ensure_container`."""
        with self._errors():
            return s3_bucket.ensure(self._client, self._bucket.name, lock_mode, lock_days, self._label)

    def listed(self, root: str, prefix: str) -> Iterator[ObjectInfo]:
        """Every object below `root` whose key goes on with `prefix`, in the server's order, keys without `root`."""
        request: dict[str, Any] = {"Bucket": self._bucket.name, "Prefix": root + prefix, "MaxKeys": PAGE}
        while True:
            with self._errors():
                page = self._client.list_objects_v2(**request)
            for found in page.get("Contents", []):
                key = found["Key"][len(root) :]
                yield ObjectInfo(key, found["Size"], found["LastModified"], found["ETag"].strip('"'))
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def locked_until(self, key: str) -> datetime | None:
        """See `LockingStore.locked_until`; `key` is the whole one."""
        with self._errors(key):
            found = s3_locks.retention(self._client, self._bucket.name, key)
            if found is None:
                self._client.head_object(Bucket=self._bucket.name, Key=key)
        return found[1] if found else None

    def lock(self, key: str, until: datetime, mode: str | None) -> None:
        """See `LockingStore.lock`; `key` is the whole one."""
        with self._errors(key):
            s3_locks.extend(self._client, self._bucket.name, key, until, mode, self._label)

    def bury(self, key: str) -> None:
        """See `BuryingStore.bury`; `key` is the whole one."""
        with self._errors(key):
            self._client.delete_object(Bucket=self._bucket.name, Key=key)

    def weaken(self, key: str, until: datetime) -> None:
        """Ask for what must be refused: that the lock of `key` ends earlier."""
        with self._errors(key):
            s3_locks.weaken(self._client, self._bucket.name, key, until)

    def versions(self, root: str, prefix: str) -> Iterator[ObjectVersion]:
        """See `JanitorStore.versions`, below `root`."""
        with self._errors():
            yield from s3_versions.listed(self._client, self._bucket.name, root, prefix)

    def get_version(self, key: str, version: str) -> bytes:
        """See `JanitorStore.get_version`."""
        with self._errors(key):
            data = s3_versions.read(self._transfers, self._bucket.name, key, version)
        if data is None:
            raise key_missing(self._label, key)
        return data

    def delete(self, key: str, version: str) -> None:
        """See `JanitorStore.delete`."""
        try:
            with self._errors(key):
                s3_versions.delete(self._client, self._bucket.name, key, version)
        except PermissionDenied as error:
            raise self._undeletable(key, version) or error from error

    def replace(self, key: str, data: bytes | bytearray | memoryview, tag: str) -> None:
        """One PUT with `If-Match`; the object is looked at before, for servers that do not know the condition."""
        name, body = self._bucket.name, bytes(data)
        with self._errors(key):
            if self._client.head_object(Bucket=name, Key=key)["ETag"].strip('"') != tag:
                raise AlreadyExists(f"object {key!r} has changed meanwhile", where=self._label)
            self._transfers.put_object(Bucket=name, Key=key, Body=body, IfMatch=f'"{tag}"', ChecksumAlgorithm="SHA256")

    def _undeletable(self, key: str, version: str) -> Refused | None:
        """Why a version cannot be deleted, where its lock is the reason."""
        with self._errors(key):
            found = s3_locks.retention(self._client, self._bucket.name, key, version.partition(":")[0])
        if found is None:
            return None
        return Refused(f"object {key!r} is locked until {found[1]:%Y-%m-%d %H:%M} UTC ({found[0]})", where=self._label)

    @contextlib.contextmanager
    def _errors(self, key: str | None = None) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            told = {"label": self._label, "bucket": self._bucket.name, "endpoint": self._bucket.endpoint_name}
            raise translated(boto_answer(error), key=key, **told) from error

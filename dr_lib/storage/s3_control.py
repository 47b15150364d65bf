"""What obstore cannot do: make a bucket with its lock, and list keys that no path of obstore's can stand for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dr_lib.storage import s3_bucket
from dr_lib.storage.base import ObjectInfo
from dr_lib.storage.s3_clients import Bucket
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
        self._client = control_client(open_session(bucket, label), bucket, label)

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

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            told = {"label": self._label, "bucket": self._bucket.name, "endpoint": self._bucket.endpoint_name}
            raise translated(boto_answer(error), **told) from error

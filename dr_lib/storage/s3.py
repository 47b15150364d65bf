"""A store in an S3 bucket, or below a prefix of one: AWS, SeaweedFS, Ceph RGW, and others with conditional writes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import obstore
from botocore.exceptions import BotoCoreError, ClientError
from obstore.exceptions import AlreadyExistsError, BaseError

from dr_lib.errors import AlreadyExists, DrError, NotFound, Refused
from dr_lib.storage import s3_bucket
from dr_lib.storage.base import ObjectInfo
from dr_lib.storage.keys import check_key, check_length, check_range, in_key_order
from dr_lib.storage.missing import ContainerMissing
from dr_lib.storage.s3_clients import Bucket, control_client, data_store, open_session
from dr_lib.storage.s3_errors import Answer, boto_answer, obstore_answer, translated

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3.client import S3Client

PAGE = 1000
"""Keys of one listing request."""


class S3Store:
    """Objects of `bucket` whose keys start with `prefix`.

    `create` is one PUT with `If-None-Match: *`, so the server itself decides between writers, and nothing is retried
    here (see `RetryingStore`). A failure shows within seconds unless bytes are moving.
    """

    def __init__(self, bucket: Bucket, label: str, *, prefix: str = "") -> None:
        """Nothing is opened yet. `prefix` is "" or ends with a slash."""
        self.label = label
        self._bucket = bucket
        self._prefix = prefix
        self._opening = threading.RLock()
        self._bucket_seen = False

    def check(self) -> None:
        """Ask for the bucket and one key of its listing, so that both it and the permission to read are proven."""
        with self._control_errors():
            self._control.head_bucket(Bucket=self._bucket.name)
            self._control.list_objects_v2(Bucket=self._bucket.name, Prefix=self._prefix, MaxKeys=1)
        self._bucket_seen = True

    def ensure_container(self, *, lock_mode: str | None, lock_days: int | None) -> bool:
        """Create the bucket, with object lock and default retention when asked; see `ContainerStore`."""
        with self._control_errors():
            created = s3_bucket.ensure(self._control, self._bucket.name, lock_mode, lock_days, self.label)
        self._bucket_seen = True
        return created

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Store `data` in one request, or raise `AlreadyExists`."""
        check_key(key, self.label)
        self._require_bucket()
        with self._data_errors(key):
            obstore.put(self._data, self._prefix + key, data, mode="create", use_multipart=False)

    def get(self, key: str) -> bytes:
        """Whole content of `key`."""
        check_key(key, self.label)
        with self._data_errors(key):
            return bytes(obstore.get(self._data, self._prefix + key).bytes())

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start`; `IntegrityError` when the object ends before that."""
        check_key(key, self.label)
        if length == 0:
            check_range(self.head(key).size, start, 0, key=key, label=self.label)
            return b""
        with self._data_errors(key):
            data = bytes(obstore.get_range(self._data, self._prefix + key, start=start, length=length))
        return check_length(data, length, key=key, label=self.label)

    def head(self, key: str) -> ObjectInfo:
        """Facts of one object."""
        check_key(key, self.label)
        with self._control_errors(key):
            facts = self._control.head_object(Bucket=self._bucket.name, Key=self._prefix + key)
        return ObjectInfo(key, facts["ContentLength"], facts["LastModified"], facts["ETag"].strip('"'))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix`, one request per `PAGE` keys, in byte order of the keys."""
        return in_key_order(self._listed(prefix), prefix)

    def _listed(self, prefix: str) -> Iterator[ObjectInfo]:
        request: dict[str, Any] = {"Bucket": self._bucket.name, "Prefix": self._prefix + prefix, "MaxKeys": PAGE}
        while True:
            with self._control_errors():
                page = self._control.list_objects_v2(**request)
            for found in page.get("Contents", []):
                key = found["Key"][len(self._prefix) :]
                yield ObjectInfo(key, found["Size"], found["LastModified"], found["ETag"].strip('"'))
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def _require_bucket(self) -> None:
        # Some servers bring a missing bucket back on a write, without the lock that it had.
        if not self._bucket_seen:
            with self._control_errors():
                self._control.head_bucket(Bucket=self._bucket.name)
            self._bucket_seen = True

    @cached_property
    def _session(self) -> boto3.Session:
        return open_session(self._bucket, self.label)

    @property
    def _control(self) -> S3Client:
        with self._opening:
            return self._control_client

    @cached_property
    def _control_client(self) -> S3Client:
        return control_client(self._session, self._bucket, self.label)

    @property
    def _data(self) -> obstore.store.S3Store:
        with self._opening:
            return self._data_store

    @cached_property
    def _data_store(self) -> obstore.store.S3Store:
        return data_store(self._session, self._bucket)

    @contextlib.contextmanager
    def _control_errors(self, key: str | None = None) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise self._told_apart(self._error(boto_answer(error), key)) from error

    @contextlib.contextmanager
    def _data_errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except AlreadyExistsError as error:
            raise AlreadyExists(f"object {key!r} exists", where=self.label) from error
        except ValueError as error:
            raise Refused(f"not a key: {key!r}", where=self.label) from error
        except (BaseError, OSError) as error:
            raise self._told_apart(self._error(obstore_answer(error), key)) from error

    def _error(self, answer: Answer, key: str | None) -> DrError:
        endpoint = self._bucket.endpoint_name
        return translated(answer, label=self.label, bucket=self._bucket.name, endpoint=endpoint, key=key)

    def _told_apart(self, error: DrError) -> DrError:
        """`error` itself, or what the bucket answers when an object is said to be missing."""
        if not isinstance(error, NotFound) or isinstance(error, ContainerMissing):
            return error
        try:
            self._control.head_bucket(Bucket=self._bucket.name)
        except (ClientError, BotoCoreError) as reason:
            return self._error(boto_answer(reason), None)
        return error

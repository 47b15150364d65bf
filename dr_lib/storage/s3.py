"""A store in an S3 bucket, or below a prefix of one: AWS, SeaweedFS, Ceph RGW, and others with conditional writes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, InvalidPathError

from dr_lib.errors import AlreadyExists, DrError, Refused
from dr_lib.storage.base import ObjectInfo
from dr_lib.storage.keys import check_key, check_length, check_range, encoded, in_key_order
from dr_lib.storage.s3_clients import CONTROL_SECONDS, Bucket, object_store
from dr_lib.storage.s3_errors import NO_SUCH_KEY, Answer, obstore_answer, translated

if TYPE_CHECKING:
    from obstore import ObjectMeta

    from dr_lib.storage.s3_control import S3Control

PAGE = 1000
"""Keys of one listing request."""


class S3Store:
    """Objects of `bucket` whose keys start with `prefix`.

    `create` is one PUT with `If-None-Match: *`, so the server itself decides between writers, and nothing is retried
    here (see `RetryingStore`). A failure shows within seconds unless bytes are moving.
    """

    def __init__(
        self, bucket: Bucket, label: str, *, prefix: str = "", foreign: bool = False, lock_mode: str | None = None
    ) -> None:
        """Nothing is opened yet. `prefix` is "" or ends with a slash; `lock_mode` is how `lock` locks what has no lock.

        `foreign` says that others made the keys: then the listing shows each exactly as it is, a closing slash too,
        which costs the import of boto3.
        """
        self.label = label
        self._bucket = bucket
        self._prefix = prefix
        self._foreign = foreign
        self._lock_mode = lock_mode
        self._opening = threading.RLock()
        self._bucket_seen = False

    def check(self) -> None:
        """Ask for the start of the listing, so that the bucket and the permission to read are proven."""
        with contextlib.suppress(InvalidPathError):
            next(self._pages(self._prefix), None)

    def ensure_container(self, *, lock_mode: str | None, lock_days: int | None) -> bool:
        """Create the bucket, with object lock and default retention when asked; see `ContainerStore`."""
        created = self._control.ensure_container(lock_mode, lock_days)
        self._bucket_seen = True
        return created

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Store `data` in one request, or raise `AlreadyExists`."""
        check_key(key, self.label)
        self._require_bucket()
        with self._errors(key):
            obstore.put(self._data, self._prefix + key, data, mode="create", use_multipart=False)

    def get(self, key: str) -> bytes:
        """Whole content of `key`."""
        check_key(key, self.label)
        with self._errors(key):
            return bytes(obstore.get(self._data, self._prefix + key).bytes())

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start`; `IntegrityError` when the object ends before that."""
        check_key(key, self.label)
        if length == 0:
            check_range(self.head(key).size, start, 0, key=key, label=self.label)
            return b""
        with self._errors(key):
            data = bytes(obstore.get_range(self._data, self._prefix + key, start=start, length=length))
        return check_length(data, length, key=key, label=self.label)

    def head(self, key: str) -> ObjectInfo:
        """Facts of one object."""
        check_key(key, self.label)
        with self._errors(key):
            return self._info(obstore.head(self._questions, self._prefix + key))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix`, one request per `PAGE` keys, in byte order of the keys.

        A key that is no path of obstore's (`a//b`; anybody who may write into the bucket can leave one there) ends its
        listing; boto3's then goes on behind what was given.
        """
        last: bytes | None = None
        if not self._foreign:
            try:
                for info in in_key_order(self._listed(prefix), prefix):
                    yield info
                    last = encoded(info.key)
            except InvalidPathError:
                pass
            else:
                return
        exact = in_key_order(self._control.listed(self._prefix, prefix), prefix)
        yield from (info for info in exact if last is None or encoded(info.key) > last)

    def locked_until(self, key: str) -> datetime | None:
        """End of the lock of the newest version; None without one."""
        return self._control.locked_until(self._whole(key))

    def lock(self, key: str, until: datetime) -> None:
        """Lock the newest version at least until then, in the region's mode or the object's own, the stronger one."""
        self._control.lock(self._whole(key), until, self._lock_mode)

    def _whole(self, key: str) -> str:
        return self._prefix + check_key(key, self.label)

    def _listed(self, prefix: str) -> Iterator[ObjectInfo]:
        whole = self._prefix + prefix
        for page in self._pages(whole):
            yield from (self._info(found) for found in page if found["path"].startswith(whole))

    def _pages(self, prefix: str) -> Iterator[Sequence[ObjectMeta]]:
        """Pages of the listing of the folder that `prefix` begins in: obstore lists by whole parts of a path."""
        folder = prefix.rpartition("/")[0]
        pages = iter(obstore.list(self._questions, folder or None, chunk_size=PAGE))
        while True:
            with self._errors():
                page = next(pages, None)
            if page is None:
                return
            yield page

    def _info(self, found: ObjectMeta) -> ObjectInfo:
        tag = (found["e_tag"] or "").strip('"')
        return ObjectInfo(found["path"][len(self._prefix) :], found["size"], found["last_modified"], tag)

    def _require_bucket(self) -> None:
        # Some servers bring a missing bucket back on a write, without the lock that it had.
        if not self._bucket_seen:
            self.check()

    @cached_property
    def _opened_control(self) -> S3Control:
        from dr_lib.storage.s3_control import S3Control

        return S3Control(self._bucket, self.label)

    @property
    def _control(self) -> S3Control:
        with self._opening:
            return self._opened_control

    @cached_property
    def _opened_data(self) -> obstore.store.S3Store:
        return object_store(self._bucket, self.label)

    @property
    def _data(self) -> obstore.store.S3Store:
        with self._opening:
            return self._opened_data

    @cached_property
    def _opened_questions(self) -> obstore.store.S3Store:
        return object_store(self._bucket, self.label, CONTROL_SECONDS)

    @property
    def _questions(self) -> obstore.store.S3Store:
        """The same bucket for what is answered in a moment: a server that is silent for longer has stopped."""
        with self._opening:
            return self._opened_questions

    @contextlib.contextmanager
    def _errors(self, key: str | None = None) -> Iterator[None]:
        try:
            yield
        except InvalidPathError:
            if key is None:
                raise
            raise Refused(f"not a key: {key!r}", where=self.label) from None
        except AlreadyExistsError as error:
            raise AlreadyExists(f"object {key!r} exists", where=self.label) from error
        except ValueError as error:
            raise Refused(f"not a key: {key!r}", where=self.label) from error
        except (BaseError, OSError) as error:
            answer = self._with_code(obstore_answer(error), key)
            self._refuse_missing_bucket(answer, key)
            raise self._error(answer, key) from error
        self._bucket_seen = True

    def _with_code(self, answer: Answer, key: str | None) -> Answer:
        """The answer to a HEAD has no body to say what is missing: a GET is told. Far cheaper than to list a bucket."""
        if answer.status != 404 or answer.code is not None or key is None:
            return answer
        try:
            obstore.get_range(self._questions, self._prefix + key, start=0, length=1)
        except (BaseError, OSError) as error:
            return obstore_answer(error)
        return answer

    def _refuse_missing_bucket(self, answer: Answer, key: str | None) -> None:
        """Ask for the bucket where an answer leaves open which of the two is missing, it or the object."""
        known = self._bucket_seen and answer.code == NO_SUCH_KEY
        if answer.status == 404 and key is not None and not known:
            self.check()

    def _error(self, answer: Answer, key: str | None) -> DrError:
        endpoint = self._bucket.endpoint_name
        return translated(answer, label=self.label, bucket=self._bucket.name, endpoint=endpoint, key=key)

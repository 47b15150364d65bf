"""From a `StoreRef` to an open store. A store's libraries are imported only when such a store is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dr_lib.errors import UsageError
from dr_lib.model.region import StoreRef
from dr_lib.storage.base import ContainerStore, RegionJanitor
from dr_lib.storage.credentials import Connections, Credentials, resolve
from dr_lib.storage.retrying import RetryingStore
from dr_lib.storage.retrying_janitor import RetryingJanitor

if TYPE_CHECKING:
    from dr_lib.storage.local import LocalStore
    from dr_lib.storage.s3_clients import Bucket

HINT = "use s3://bucket/prefix, file:///directory or rclone:remote:path"


def open_store(
    ref: StoreRef,
    label: str,
    *,
    environ: Mapping[str, str],
    connections: Connections | None = None,
    foreign: bool = False,
    lock_mode: str | None = None,
) -> ContainerStore:
    """The store that `ref` names, with passing failures retried. Nothing is asked of it yet: see `check`.

    `label` is what messages call it (`region us-east`). `environ` is where `env:PREFIX` is looked up, `connections`
    resolves `airflow:CONN_ID`. `foreign`: others than this program make the keys (a source's). `lock_mode`: how `lock`
    locks what has no lock. Raises `UsageError` for a URL of another kind, and for credentials that cannot be had.
    """
    scheme, separator, rest = ref.url.partition(":")
    if not separator or scheme == "file":
        return RetryingStore(_directory(ref.url, label))
    if scheme == "s3":
        from dr_lib.storage.s3 import S3Store

        bucket, root = _bucket(ref, label, resolve(ref.credentials, label, environ=environ, connections=connections))
        return RetryingStore(S3Store(bucket, label, prefix=root, foreign=foreign, lock_mode=lock_mode))
    if scheme == "rclone":
        from dr_lib.storage.rclone import RcloneStore

        return RetryingStore(RcloneStore(_remote(rest, ref, label), label))
    raise UsageError(f"no store is known for {ref.url!r}", where=label, hint=HINT)


def open_janitor(
    ref: StoreRef,
    label: str,
    *,
    environ: Mapping[str, str],
    connections: Connections | None = None,
    lock_mode: str | None = None,
) -> RegionJanitor:
    """The store that `ref` names, with what only the janitor may do. Arguments, retries and errors as `open_store`."""
    scheme, separator, rest = ref.url.partition(":")
    if not separator or scheme == "file":
        return RetryingJanitor(_directory(ref.url, label))
    if scheme == "s3":
        from dr_lib.storage.s3_janitor import S3JanitorStore

        bucket, root = _bucket(ref, label, resolve(ref.credentials, label, environ=environ, connections=connections))
        return RetryingJanitor(S3JanitorStore(bucket, label, prefix=root, lock_mode=lock_mode))
    if scheme == "rclone":
        from dr_lib.storage.rclone_janitor import RcloneJanitorStore

        return RetryingJanitor(RcloneJanitorStore(_remote(rest, ref, label), label))
    raise UsageError(f"no store is known for {ref.url!r}", where=label, hint=HINT)


def _bucket(ref: StoreRef, label: str, keys: Credentials) -> tuple[Bucket, str]:
    """The bucket, and the prefix in it, which is empty or ends with a slash."""
    from dr_lib.storage.s3_clients import Bucket

    name, _, prefix = ref.url.removeprefix("s3://").partition("/")
    if not name or not ref.url.startswith("s3://"):
        raise UsageError(f"{ref.url!r} names no bucket", where=label, hint=HINT)
    root = prefix.strip("/")
    return Bucket(name, ref.endpoint, keys), f"{root}/" if root else ""


def _directory(url: str, label: str) -> LocalStore:
    from dr_lib.storage.local import LocalStore

    path = _directory_of(url, label) if url.startswith("file:") else url
    return LocalStore(Path(path).expanduser(), label)


def _remote(target: str, ref: StoreRef, label: str) -> str:
    if ":" not in target:
        raise UsageError(f"{ref.url!r} names no remote", where=label, hint=HINT)
    if ref.credentials or ref.endpoint:
        hint = "leave `credentials` and `endpoint` out; rclone's own configuration says both"
        raise UsageError("an rclone remote takes no credentials and no endpoint here", where=label, hint=hint)
    return target


def _directory_of(url: str, label: str) -> str:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise UsageError(f"{url!r} is not a directory of this machine", where=label, hint=HINT)
    return unquote(parts.path)

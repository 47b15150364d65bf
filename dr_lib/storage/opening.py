"""From a `StoreRef` to an open store. A store's libraries are imported only when such a store is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dr_lib.errors import Refused, UsageError
from dr_lib.model.region import StoreRef
from dr_lib.storage.base import ContainerStore, JanitorStore
from dr_lib.storage.credentials import Connections, Credentials, resolve
from dr_lib.storage.retrying import RetryingStore

HINT = "use s3://bucket/prefix, file:///directory or rclone:remote:path"


def open_store(
    ref: StoreRef,
    label: str,
    *,
    environ: Mapping[str, str],
    connections: Connections | None = None,
    foreign: bool = False,
) -> ContainerStore:
    """The store that `ref` names, with passing failures retried. Nothing is asked of it yet: see `check`.

    `label` is what messages call it (`region us-east`). `environ` is where `env:PREFIX` is looked up, `connections`
    resolves `airflow:CONN_ID`. `foreign`: others than this program make the keys (a source's). Raises `UsageError`
    for a URL of another kind, and for credentials that cannot be had.
    """
    scheme, separator, rest = ref.url.partition(":")
    if not separator:
        return _open_directory(ref.url, label)
    if scheme == "s3":
        keys = resolve(ref.credentials, label, environ=environ, connections=connections)
        return _open_s3(ref, label, keys, foreign=foreign)
    if scheme == "file":
        return _open_directory(_directory_of(ref.url, label), label)
    if scheme == "rclone":
        return _open_rclone(rest, ref, label)
    raise UsageError(f"no store is known for {ref.url!r}", where=label, hint=HINT)


def open_janitor(
    ref: StoreRef, label: str, *, environ: Mapping[str, str], connections: Connections | None = None
) -> JanitorStore:
    """The store that `ref` names, with what only the janitor may do. Raises as `open_store`; `Refused` where no
    janitor is known for such a store."""
    del environ, connections
    if ref.url.startswith("file://"):
        from dr_lib.storage.local import LocalStore

        return LocalStore(Path(_directory_of(ref.url, label)).expanduser(), label)
    raise Refused(f"no janitor is known for {ref.url!r}", where=label)


def _open_s3(ref: StoreRef, label: str, keys: Credentials, *, foreign: bool) -> ContainerStore:
    from dr_lib.storage.s3 import S3Store
    from dr_lib.storage.s3_clients import Bucket

    name, _, prefix = ref.url.removeprefix("s3://").partition("/")
    if not name or not ref.url.startswith("s3://"):
        raise UsageError(f"{ref.url!r} names no bucket", where=label, hint=HINT)
    root = prefix.strip("/")
    bucket = Bucket(name, ref.endpoint, keys)
    return RetryingStore(S3Store(bucket, label, prefix=f"{root}/" if root else "", foreign=foreign))


def _open_directory(path: str, label: str) -> ContainerStore:
    from dr_lib.storage.local import LocalStore

    return RetryingStore(LocalStore(Path(path).expanduser(), label))


def _open_rclone(target: str, ref: StoreRef, label: str) -> ContainerStore:
    from dr_lib.storage.rclone import RcloneStore

    if ":" not in target:
        raise UsageError(f"{ref.url!r} names no remote", where=label, hint=HINT)
    if ref.credentials or ref.endpoint:
        hint = "leave `credentials` and `endpoint` out; rclone's own configuration says both"
        raise UsageError("an rclone remote takes no credentials and no endpoint here", where=label, hint=hint)
    return RetryingStore(RcloneStore(target, label))


def _directory_of(url: str, label: str) -> str:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise UsageError(f"{url!r} is not a directory of this machine", where=label, hint=HINT)
    return unquote(parts.path)

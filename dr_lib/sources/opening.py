"""From an asset's `source` to the object that reads it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_to_bytes

from dr_lib.errors import UsageError
from dr_lib.model.region import StoreRef
from dr_lib.sources.base import Source
from dr_lib.sources.bucket import BucketSource
from dr_lib.sources.directory import DirectorySource
from dr_lib.storage.base import ObjectStore

FILE_SCHEME = "file://"
STORE_SCHEMES = ("s3://", "rclone:")


def open_source(ref: StoreRef, *, open_store: Callable[[StoreRef, str], ObjectStore]) -> Source:
    """The source at `ref.url`: `file://` or an absolute path is a directory, `s3://` and `rclone:` are object stores.

    `open_store(ref, label)` opens the store with `ref`'s credentials. Nothing is read yet. `UsageError` for any other
    URL; raises what `open_store` raises.
    """
    url = ref.url
    if url.startswith(STORE_SCHEMES):
        return BucketSource(open_store(ref, f"source {url}"), url)
    path = file_path(url) if url.startswith(FILE_SCHEME) else Path(url)
    if not path.is_absolute():
        hint = f"use {FILE_SCHEME}/absolute/path, an absolute path, {' or '.join(STORE_SCHEMES)}…"
        raise UsageError("this is no source that can be opened", where=url, hint=hint)
    return DirectorySource(path)


def file_path(url: str) -> Path:
    """The path that a `file://` URL names, percent escapes decoded; `UsageError` when it names another machine.

    Everything after the host is the path: `?` and `#` are ordinary characters of names.
    """
    host, slash, path = url.removeprefix(FILE_SCHEME).partition("/")
    if host not in ("", "localhost") or not slash:
        hint = "write three slashes: file:///dir; mount what lies on another machine, or reach it through rclone:"
        raise UsageError("this file URL names no directory of this machine", where=url, hint=hint)
    return Path(os.fsdecode(unquote_to_bytes(slash + path)))

"""A vault in a bucket, read as if it were a directory: what is asked for is fetched then, and no more.

The names of a vault's small objects stand as empty files in a directory, for the reader lists them; their bytes, and
all of the packs, come from the bucket.
"""

from __future__ import annotations

import argparse
import io
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import botocore.exceptions
import botocore.session
import reader
from botocore.config import Config

BLOCK = 16 << 20
SMALL = ("vault.json", "points/", "events/", "keys/")


class Bucket:
    """The objects of a vault in a bucket. Errors are `reader.Fault` with the exit code."""

    def __init__(self, url: str, endpoint: str | None, profile: str | None) -> None:
        parts = urlsplit(url)
        self.bucket, self.prefix = parts.netloc, parts.path.strip("/") + "/" if parts.path.strip("/") else ""
        self.sizes: dict[str, int] = {}
        self._last: tuple[str, int, bytes] = ("", 0, b"")
        session = botocore.session.Session(profile=profile)
        style: Any = {"addressing_style": "path"} if endpoint else {}
        config = Config(s3=style, connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 5})
        region = session.get_config_variable("region") or "us-east-1"
        self._client: Any = session.create_client("s3", region_name=region, endpoint_url=endpoint, config=config)

    def listed(self, prefix: str) -> list[str]:
        """Keys below a prefix; their sizes are kept."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + prefix)
        found = self._asked(lambda: [entry for page in pages for entry in page.get("Contents", [])], prefix)
        sizes = {entry["Key"][len(self.prefix) :]: int(entry["Size"]) for entry in found}
        self.sizes |= sizes
        return list(sizes)

    def size(self, key: str) -> int:
        """Of an object; `FileNotFoundError` where there is none."""
        if key not in self.sizes:
            head = self._asked(lambda: self._client.head_object(Bucket=self.bucket, Key=self.prefix + key), key)
            self.sizes[key] = int(head["ContentLength"])
        return self.sizes[key]

    def read(self, key: str, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start` on; neighbours are fetched along, for they are asked for next."""
        last, at, data = self._last
        if last != key or not at <= start <= start + length <= at + len(data):
            end = min(start + max(length, BLOCK), self.size(key)) - 1
            asked = {"Bucket": self.bucket, "Key": self.prefix + key, "Range": f"bytes={start}-{end}"}
            data = self._asked(lambda: self._whole(asked), key) if end >= start else b""
            self._last, at = (key, start, data), start
        return data[start - at : start - at + length]

    def _whole(self, asked: dict[str, str]) -> bytes:
        return bytes(self._client.get_object(**asked)["Body"].read())

    def _asked(self, ask: Any, what: str) -> Any:
        try:
            return ask()
        except botocore.exceptions.ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if status == 404:
                raise FileNotFoundError(f"{what}: not in this bucket, or there is no such bucket") from None
            raise reader.Fault(7 if status in (401, 403) else 6, f"{what}: {error}") from None
        except botocore.exceptions.NoCredentialsError:
            raise reader.Fault(7, "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") from None
        except (botocore.exceptions.BotoCoreError, OSError) as error:
            raise reader.Fault(6, f"{what}: {error}") from None


class VaultPath(type(Path())):  # type: ignore[misc]
    """A path below `folder` that stands for a key of `bucket`."""

    bucket: Bucket
    folder: str

    @property
    def key(self) -> str:
        """The object's."""
        return str(self)[len(self.folder) + 1 :]

    def read_bytes(self) -> bytes:
        """The whole object."""
        return self.bucket.read(self.key, 0, self.bucket.size(self.key))

    def stat(self, **how: Any) -> Any:
        """Its size, of an object; folders are what they are."""
        if self.key not in self.bucket.sizes and not self.key.startswith("packs/"):
            return super().stat(**how)
        return SimpleNamespace(st_size=self.bucket.size(self.key), st_mode=stat.S_IFREG)

    def is_file(self, **_: Any) -> bool:
        """Whether it is there."""
        try:
            return self.bucket.size(self.key) >= 0
        except FileNotFoundError:
            return False

    def open(self, *_: Any, **__: Any) -> Any:
        """For reading at any offset."""
        return _Ranges(self.bucket, self.key)


class _Ranges(io.RawIOBase):
    """One object, of which ranges are read."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        super().__init__()
        self._bucket, self._key, self._at = bucket, key, 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("from the start alone")
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        data = self._bucket.read(self._key, self._at, size)
        self._at += len(data)
        return data


def opened(asked: argparse.Namespace, folder: Path) -> Path:
    """The vault of `--vault s3://…`, with its names below `folder`."""
    VaultPath.bucket = bucket = Bucket(asked.vault, asked.endpoint, asked.profile)
    VaultPath.folder = str(folder)
    for key in (key for prefix in SMALL for key in bucket.listed(prefix)):
        safe = all(part not in ("", ".", "..") for part in key.split("/")) and "\0" not in key
        if safe:
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).touch()
    reader.need("vault.json" in bucket.sizes, "there is no vault.json here: no vault, or not its place", 5)
    return cast("Path", VaultPath(folder))

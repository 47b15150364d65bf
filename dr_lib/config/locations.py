"""Where things lie: URLs of stores and sources, checked and made absolute. No message repeats a user or password."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dr_lib.config.values import holds_access_key, text

FORMS = "write s3://bucket/prefix, file:///directory or rclone:remote:path"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REMOTE = re.compile(r"[A-Za-z0-9_.+@][A-Za-z0-9_.+@ -]*:[^\x00]*")
_USERINFO = re.compile(r"[A-Za-z0-9+.-]+://[^/]*@")


def scheme(url: str) -> str:
    """`s3`, `file`, `rclone`, or whatever else stands before the colon; a plain path is a `file`."""
    if url.startswith(("/", "./", "../")):
        return "file"
    return url.partition(":")[0] if ":" in url else ""


def store_url(value: object) -> str:
    """The URL of a store or source, as written."""
    url = text(value)
    if _USERINFO.match(url) or holds_access_key(url):
        raise ValueError("this URL holds a user, password or key; secrets never stand in this file, use credentials:")
    check = {"s3": _check_s3, "file": _check_file, "rclone": _check_rclone}.get(scheme(url))
    if check is None:
        raise ValueError(f"{url!r} has no scheme that is known; {FORMS}")
    check(url)
    return url


def server_address(value: object) -> str | None:
    """The address of an S3 server: `http(s)://host[:port]`."""
    if value is None:
        return None
    url = text(value)
    form = "write http://host:port or https://host"
    if _USERINFO.match(url) or holds_access_key(url):
        raise ValueError("this endpoint holds a user, password or key; secrets never stand in this file")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not _port_fits(url):
        raise ValueError(f"{url!r} is no address of a server; {form}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"the endpoint has more than a host and a port; {form}, and put the bucket into url:")
    return url.rstrip("/")


def absolute(url: str, folder: Path) -> str:
    """`url` with a file's path made absolute from `folder` and percent-encoded; other URLs as they are."""
    return _path(url, folder).as_uri() if scheme(url) == "file" else url


def _port_fits(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _check_s3(url: str) -> None:
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not _BUCKET.fullmatch(bucket):
        raise ValueError(f"{url!r} names no bucket; write s3://bucket/prefix with 3 to 63 of a-z, 0-9, - and .")
    if "?" in prefix or "#" in prefix:
        raise ValueError("a prefix cannot hold ? or #; a signed URL is no place for a vault")


def _check_file(url: str) -> None:
    if url.startswith("file://") and not url.startswith(("file:///", "file://localhost/")):
        raise ValueError(f"{url!r} names a host; write file:///absolute/path or file:path/beside/this/file")
    if not _raw_path(url):
        raise ValueError("this names no directory; write file:///absolute/path")


def _check_rclone(url: str) -> None:
    remote = url.removeprefix("rclone:")
    if "," in remote.partition(":")[0] or not _REMOTE.fullmatch(remote):
        raise ValueError("this names no rclone remote; write rclone:remote:path, set up in rclone's own config")


def _raw_path(url: str) -> str:
    if not url.startswith("file:"):
        return url
    return unquote(url.removeprefix("file:").removeprefix("//localhost").removeprefix("//"), errors="surrogateescape")


def _path(url: str, folder: Path) -> Path:
    return (folder / _raw_path(url)).absolute()

"""Versions of objects in a bucket: listing, reading and deleting them. What only a janitor needs of boto3."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from dr_lib.storage.base import ObjectVersion
from dr_lib.storage.keys import encoded, in_key_order

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PAGE: Final = 1000
FLAT_BELOW: Final = 2
"""Folders of this depth are listed whole: `packs/ab/`, `points/minilm/`."""
METHOD_NOT_ALLOWED: Final = 405
NULL: Final = "null"
"""S3's name for the version of an object that was stored while its bucket had no versions."""


def listed(client: S3Client, bucket: str, root: str, prefix: str) -> Iterator[ObjectVersion]:
    """Every version and delete marker below `root` whose key goes on with `prefix`, by key, the newest first.

    Keys are without `root`. Lets botocore's errors through.
    """
    ordered = in_key_order(_walked(client, bucket, root, prefix), prefix)
    for _, versions in groupby(ordered, key=lambda version: version.key):
        # The server gives markers apart from versions, and its times are whole seconds.
        yield from sorted(versions, key=lambda one: (one.is_latest, one.modified_at), reverse=True)


def read(client: S3Client, bucket: str, key: str, version: str) -> bytes | None:
    """Content of one version, None when it is gone. Lets botocore's other errors through."""
    request, tag = _named(bucket, key, version)
    try:
        answer = client.get_object(**request)
    except ClientError as error:
        if _is_gone(error):
            return None
        raise
    return answer["Body"].read() if _is_it(answer, request, tag) else None


def delete(client: S3Client, bucket: str, key: str, version: str) -> None:
    """Remove exactly that version, if it is there. Lets botocore's errors through.

    It is looked for first: told to delete a version that is gone, SeaweedFS deletes what is there in a bucket without
    versions, and takes an older version for the newest in one with them.
    """
    request, tag = _named(bucket, key, version)
    try:
        answer = client.head_object(**request)
    except ClientError as error:
        if _is_gone(error):
            return
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != METHOD_NOT_ALLOWED:
            raise  # a delete marker may not be read, and is there
    else:
        if not _is_it(answer, request, tag):
            return
    client.delete_object(**request)


def _named(bucket: str, key: str, version: str) -> tuple[dict[str, Any], str | None]:
    """A request for one version, and the tag it must have: `null` alone names whatever was put there last."""
    name, _, tag = version.partition(":")
    return {"Bucket": bucket, "Key": key, "VersionId": name}, tag if name == NULL else None


def _is_it(answer: Any, request: dict[str, Any], tag: str | None) -> bool:
    """Whether the version that was asked for answered: where there are no versions, SeaweedFS gives what is there."""
    if tag is not None:
        return bool(answer["ETag"].strip('"') == tag)
    return bool(answer.get("VersionId") == request["VersionId"])


def _is_gone(error: ClientError) -> bool:
    return error.response["Error"].get("Code") in ("NoSuchKey", "NoSuchVersion", "404")


def _walked(client: S3Client, bucket: str, root: str, prefix: str) -> Iterator[ObjectVersion]:
    """As `listed`, in key order or in that of a walk over folders.

    SeaweedFS walks folders, and so gives `m/x` before `m-2/x`; yet it goes on behind a full page by comparing keys, and
    leaves out whatever sorts before its last one. So what does not fit on a page is asked for folder by folder, down to
    where a vault's names are of one length, and none is the beginning of another.
    """
    request = {"Bucket": bucket, "Prefix": root + prefix}
    first = _page(client, request)
    if not first.get("IsTruncated"):
        yield from _found(first, root)
    elif prefix.count("/") >= FLAT_BELOW:
        for page in _pages(client, request, first):
            yield from _found(page, root)
    else:
        yield from _by_folder(client, bucket, root, prefix)


def _by_folder(client: S3Client, bucket: str, root: str, prefix: str) -> Iterator[ObjectVersion]:
    request = {"Bucket": bucket, "Prefix": root + prefix, "Delimiter": "/"}
    pages = list(_pages(client, request, _page(client, request)))
    here: defaultdict[str, list[ObjectVersion]] = defaultdict(list)
    for one in (one for page in pages for one in _found(page, root)):
        here[one.key].append(one)
    folders = {one["Prefix"][len(root) :] for page in pages for one in page.get("CommonPrefixes", [])}
    for name in sorted({*folders, *here}, key=encoded):
        yield from _walked(client, bucket, root, name) if name in folders else here[name]


def _pages(client: S3Client, request: dict[str, Any], first: Any) -> Iterator[Any]:
    page = first
    yield page
    while page.get("IsTruncated"):
        behind = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}
        page = _page(client, request | behind)
        yield page


def _page(client: S3Client, request: dict[str, Any]) -> Any:
    return client.list_object_versions(**request, MaxKeys=PAGE)


def _found(page: Any, root: str) -> list[ObjectVersion]:
    found = [_version(one, root) for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))]
    return sorted(found, key=lambda one: one.key.split("/"))


def _version(found: Any, root: str) -> ObjectVersion:
    tag = found.get("ETag", "").strip('"')
    name = found["VersionId"]
    return ObjectVersion(
        key=found["Key"][len(root) :],
        version=f"{NULL}:{tag}" if name == NULL else name,
        size=found.get("Size", 0),
        modified_at=found["LastModified"],
        tag=tag,
        is_latest=found["IsLatest"],
        is_marker="ETag" not in found,
    )

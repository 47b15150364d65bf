"""The same over a real S3 server, where others may overwrite, delete and make markers."""

from __future__ import annotations

from functools import partial

import boto3
import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.errors import NotFound, SourceUnstable
from dr_lib.model.region import StoreRef
from dr_lib.sources.base import Source
from dr_lib.sources.freeze import changes, freeze
from dr_lib.sources.opening import open_source
from dr_lib.storage.opening import open_store
from tests.conftest import PREFIX, environment_of, fresh_name


@pytest.fixture
def client(seaweed: SeaweedRegion):
    return boto3.client(
        "s3",
        endpoint_url=seaweed.endpoint,
        region_name="us-east-1",
        aws_access_key_id=seaweed.access_key,
        aws_secret_access_key=seaweed.secret_key,
    )


@pytest.fixture
def bucket(client) -> str:
    name = fresh_name()
    client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def source(seaweed: SeaweedRegion, bucket: str) -> Source:
    ref = StoreRef(f"s3://{bucket}/two words/reviews/", seaweed.endpoint, f"env:{PREFIX}")
    return open_source(ref, open_store=partial(open_store, environ=environment_of(seaweed), foreign=True))


def put(client, bucket: str, name: str, body: bytes = b"") -> None:
    client.put_object(Bucket=bucket, Key=f"two words/reviews/{name}", Body=body)


def test_a_prefix_is_listed_and_read(client, bucket, source):
    for name in ("größe/-x +%.parquet", "a-b", "a/b", "none"):
        put(client, bucket, name, b"" if name == "none" else b"0123456789")
    client.put_object(Bucket=bucket, Key="two words/reviews-of-others", Body=b"not ours")
    listing = freeze(source)
    assert [(file.path, file.size) for file in listing.files] == [
        ("a-b", 10),
        ("a/b", 10),
        ("größe/-x +%.parquet", 10),
        ("none", 0),
    ]
    assert {directory.path for directory in listing.directories} == {".", "a", "größe"}
    assert source.read(listing.files[2], 3, 4) == b"3456"


def test_markers_are_directories_that_may_be_empty(client, bucket, source):
    for name in ("", "empty/", "full/", "full/x"):
        put(client, bucket, name)
    listing = source.listing()
    assert [file.path for file in listing.files] == ["full/x"]
    assert [directory.path for directory in listing.directories] == [".", "empty", "full"]


def test_an_overwritten_object_shows_in_the_next_listing_and_a_deleted_one_in_the_read(client, bucket, source):
    put(client, bucket, "x", b"old")
    before = source.listing()
    put(client, bucket, "x", b"new")
    assert changes(before, source.listing()) == ("changed 'x'",)
    client.delete_object(Bucket=bucket, Key="two words/reviews/x")
    with pytest.raises(SourceUnstable, match="'x' cannot be read as it was listed"):
        source.read(before.files[0], 0, 3)


def test_an_empty_prefix_and_a_missing_bucket_are_not_found(client, bucket, source):
    with pytest.raises(NotFound, match="no object"):
        source.listing()
    client.delete_bucket(Bucket=bucket)
    with pytest.raises(NotFound):
        source.listing()

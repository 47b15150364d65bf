"""The one S3 server of a run, and a bucket for each turn."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from dr_lib.demo.seaweed import SeaweedRegion

REGION = "us-east-1"


@dataclass(frozen=True)
class Server:
    """Where it listens, and the keys that open it."""

    endpoint: str
    access_key: str
    secret_key: str

    @property
    def aws_environment(self) -> dict[str, str]:
        """The variables that most S3 programs read."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    @contextmanager
    def bucket(self, name: str) -> Iterator[str]:
        """An empty bucket, gone afterwards with all that is in it: SeaweedFS drops a bucket's volumes at once."""
        client = self._client()
        client.create_bucket(Bucket=name)
        # The first write makes the bucket's volumes; no tool shall pay for that.
        client.put_object(Bucket=name, Key="warm", Body=b"up")
        client.delete_object(Bucket=name, Key="warm")
        try:
            yield name
        finally:
            client.delete_bucket(Bucket=name)

    def sizes(self, bucket: str) -> dict[str, int]:
        """Bytes of a bucket's objects, by the first part of their keys."""
        found: Counter[str] = Counter()
        for page in self._client().get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", ()):
                found[item["Key"].partition("/")[0]] += item["Size"]
        return dict(found)

    def _client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=REGION,
        )


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """A SeaweedFS over `folder`, stopped at the end."""
    region = SeaweedRegion(folder, secrets.token_hex(10), secrets.token_hex(20))
    region.start()
    try:
        yield Server(region.endpoint, region.access_key, region.secret_key)
    finally:
        region.stop()

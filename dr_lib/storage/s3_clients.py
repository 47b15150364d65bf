"""The two S3 clients of one bucket: boto3 for control and listing, obstore for data (ADR 0002)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import obstore.store
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from obstore.auth.boto3 import Boto3CredentialProvider

from dr_lib.errors import UsageError
from dr_lib.storage.credentials import Credentials

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

CONNECT_SECONDS = 3
CONTROL_SECONDS = 8
"""A server that leaves a question (bucket, key, page of a listing) unanswered for so long is taken for stopped."""
READ_SECONDS = 20
"""The same while an object is transferred."""
REQUEST_SECONDS = 600
"""Greatest length of one whole transfer; a pack of 64 MiB then needs 110 kB/s."""
CONNECTIONS = 32
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, the S3 endpoint that serves it (None: AWS), and what opens it."""

    name: str
    endpoint: str | None
    credentials: Credentials

    @property
    def endpoint_name(self) -> str:
        """The endpoint as people know it."""
        return self.endpoint or "AWS S3"


def open_session(bucket: Bucket, label: str) -> boto3.Session:
    """A boto3 session of the bucket's credentials; `UsageError` when there are none or the profile is unknown."""
    keys = bucket.credentials
    chosen: dict[str, Any] = {
        "aws_access_key_id": keys.access_key,
        "aws_secret_access_key": keys.secret_key,
        "aws_session_token": keys.session_token,
        "profile_name": keys.profile,
    }
    try:
        region = boto3.Session(**chosen).region_name or DEFAULT_REGION
        session = boto3.Session(**chosen, region_name=region)
        found = session.get_credentials()
    except BotoCoreError as error:
        raise UsageError(f"no S3 session can be opened: {error}", where=label) from error
    if found is None:
        raise UsageError("no S3 credentials were found", where=label, hint="set `credentials: env:PREFIX` in dr.yaml")
    return session


def control_client(session: boto3.Session, bucket: Bucket, label: str) -> S3Client:
    """A boto3 client that gives up in seconds. Retries are left to `RetryingStore`."""
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=CONTROL_SECONDS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=CONNECTIONS,
        s3={"addressing_style": "path" if bucket.endpoint else "auto"},
    )
    try:
        return session.client("s3", endpoint_url=bucket.endpoint, config=config)
    except (BotoCoreError, ValueError) as error:
        raise UsageError(f"no S3 client can be made: {error}", where=label) from error


def data_store(session: boto3.Session, bucket: Bucket) -> obstore.store.S3Store:
    """An obstore store of the same bucket. It sends SHA-256 checksums, as a bucket with object lock demands."""
    options: dict[str, Any] = {}
    if bucket.endpoint:
        options = {"endpoint": bucket.endpoint, "virtual_hosted_style_request": False}
    return obstore.store.S3Store(
        bucket.name,
        region=session.region_name,
        checksum_algorithm="SHA256",
        credential_provider=Boto3CredentialProvider(session),
        client_options={
            "allow_http": bool(bucket.endpoint and bucket.endpoint.startswith("http://")),
            "connect_timeout": f"{CONNECT_SECONDS}s",
            "read_timeout": f"{READ_SECONDS}s",
            "timeout": f"{REQUEST_SECONDS}s",
        },
        retry_config={"max_retries": 0},
        **options,
    )

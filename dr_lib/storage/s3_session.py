"""What needs boto3: the AWS SDK's own credentials, profiles and regions, and the client that makes buckets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from obstore.auth.boto3 import Boto3CredentialProvider

from dr_lib.errors import UsageError
from dr_lib.storage.credentials import Credentials
from dr_lib.storage.s3_clients import CONNECT_SECONDS, CONTROL_SECONDS, DEFAULT_REGION, Bucket

CONNECTIONS: Final = 16
"""As many as threads extend locks at a time."""

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from obstore.store import S3Credential


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


def frozen(keys: Credentials, label: str) -> Credentials:
    """The keys themselves that a profile, or the SDK's own chain, leads to now; `UsageError` when there are none.

    A role's end with their session: they are for work that ends before.
    """
    found = open_session(Bucket("any", None, keys), label).get_credentials()
    if found is None:  # open_session has looked
        raise UsageError("no S3 credentials were found", where=label)
    told = found.get_frozen_credentials()
    return Credentials(told.access_key, told.secret_key, told.token)


def credential_provider(session: boto3.Session) -> Callable[[], S3Credential]:
    """What obstore asks for the session's credentials, again when they expire."""
    return Boto3CredentialProvider(session)


def control_client(session: boto3.Session, bucket: Bucket, label: str, read_seconds: int = CONTROL_SECONDS) -> S3Client:
    """A boto3 client that gives up after `read_seconds` of silence. Retries are left to `RetryingStore`."""
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=CONNECTIONS,
        s3={"addressing_style": "path" if bucket.endpoint else "auto"},
    )
    try:
        return session.client("s3", endpoint_url=bucket.endpoint, config=config)
    except (BotoCoreError, ValueError) as error:
        raise UsageError(f"no S3 client can be made: {error}", where=label) from error

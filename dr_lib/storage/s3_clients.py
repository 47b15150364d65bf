"""The obstore client of one bucket, which does nearly everything (ADR 0002). What needs boto3 is in `s3_session`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import obstore.store

from dr_lib.storage.credentials import Credentials

if TYPE_CHECKING:
    from obstore.store import S3Credential

CONNECT_SECONDS: Final = 3
CONTROL_SECONDS: Final = 8
"""A server that leaves a question (bucket, key, page of a listing) unanswered for so long is taken for stopped."""
READ_SECONDS: Final = 20
"""The same while an object is transferred."""
REQUEST_SECONDS: Final = 600
"""Greatest length of one whole transfer; a pack of 64 MiB then needs 110 kB/s."""
DEFAULT_REGION: Final = "us-east-1"
REGION_VARIABLE: Final = "AWS_DEFAULT_REGION"
SETTINGS: Final = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
"""Files of the AWS SDK by the variable that moves them; either may name the region."""


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


def object_store(bucket: Bucket, label: str, read_seconds: int = READ_SECONDS) -> obstore.store.S3Store:
    """An obstore store of the bucket that gives up after `read_seconds` of silence and retries nothing.

    It sends SHA-256 checksums, as a bucket with object lock demands. `UsageError` when there are no credentials.
    """
    region, provider = _opened(bucket, label)
    options: dict[str, Any] = {}
    if bucket.endpoint:
        options = {"endpoint": bucket.endpoint, "virtual_hosted_style_request": False}
    return obstore.store.S3Store(
        bucket.name,
        region=region,
        checksum_algorithm="SHA256",
        credential_provider=provider,
        client_options={
            "allow_http": bool(bucket.endpoint and bucket.endpoint.startswith("http://")),
            "connect_timeout": f"{CONNECT_SECONDS}s",
            "read_timeout": f"{read_seconds}s",
            "timeout": f"{REQUEST_SECONDS}s",
        },
        retry_config={"max_retries": 0},
        **options,
    )


def _opened(bucket: Bucket, label: str) -> tuple[str, Callable[[], S3Credential]]:
    """Region and credentials; the AWS SDK is asked only for what it alone can answer."""
    region = os.environ.get(REGION_VARIABLE) or (None if _has_settings() else DEFAULT_REGION)
    provider = _given(bucket.credentials)
    if region is not None and provider is not None:
        return region, provider
    from dr_lib.storage.s3_session import credential_provider, open_session

    session = open_session(bucket, label)
    return session.region_name, provider or credential_provider(session)


def _has_settings() -> bool:
    return any(Path(os.environ.get(name) or usual).expanduser().is_file() for name, usual in SETTINGS.items())


def _given(keys: Credentials) -> Callable[[], S3Credential] | None:
    """A provider of keys that are at hand: given as options, obstore would complete them from the environment."""
    if keys.access_key is None or keys.secret_key is None:
        return None
    found: S3Credential = {
        "access_key_id": keys.access_key,
        "secret_access_key": keys.secret_key,
        "token": keys.session_token,
        "expires_at": None,
    }
    return lambda: found

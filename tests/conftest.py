"""Fixtures for tests in any directory: real regions, and stores in them that no other test uses."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.kit.shelf import made
from dr_lib.model.region import StoreRef
from dr_lib.storage.base import ContainerStore
from dr_lib.storage.opening import open_store
from dr_lib.wiring import cache_directory
from tests.pruning import time  # noqa: F401 - a fixture

PREFIX = "DR_TEST"
os.environ["DR_KIT"] = "none"
"""The recovery kit is 20 MB: what is not about it does without; tests/kit has it."""


@pytest.fixture(scope="session")
def shelf() -> Path:
    """Where this machine keeps recovery kits: `make env` filled it."""
    folder = Path(str(cache_directory(os.environ))) / "kit"
    made(folder)
    return folder


def environment_of(region: SeaweedRegion, prefix: str = PREFIX) -> dict[str, str]:
    """The variables that `credentials: env:<prefix>` reads for this region."""
    return {f"{prefix}_ACCESS_KEY_ID": region.access_key, f"{prefix}_SECRET_ACCESS_KEY": region.secret_key}


def fresh_name() -> str:
    """A bucket name that no other test has."""
    return f"dr-{uuid.uuid4().hex[:16]}"


def open_bucket(region: SeaweedRegion, bucket: str, label: str = "region test") -> ContainerStore:
    """The store of that bucket, which need not exist."""
    ref = StoreRef(f"s3://{bucket}", region.endpoint, f"env:{PREFIX}")
    return open_store(ref, label, environ=environment_of(region))


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedRegion]:
    """One running region for the whole session. Tests take fresh buckets of it and leave it running."""
    region = SeaweedRegion(tmp_path_factory.mktemp("seaweed") / "with space", "session-key", "session-secret")
    region.start()
    yield region
    region.stop()


@pytest.fixture
def new_region(tmp_path: Path) -> Iterator[Callable[[], SeaweedRegion]]:
    """Makes running regions of the test's own, which it may stop and start; all are ended with the test."""
    made: list[SeaweedRegion] = []

    def make() -> SeaweedRegion:
        name = f"region-{len(made) + 1}"
        region = SeaweedRegion(tmp_path / name, f"{name}-key", f"{name}-secret")
        made.append(region)
        region.start()
        return region

    yield make
    for region in made:
        region.stop()


@pytest.fixture
def bucket_store(seaweed: SeaweedRegion) -> ContainerStore:
    """A store over a fresh, existing bucket of the session's region."""
    store = open_bucket(seaweed, fresh_name())
    store.ensure_container(lock_mode=None, lock_days=None)
    return store

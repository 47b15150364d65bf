"""What a person gets to see when a region is lost: the right class, and the region's name."""

from collections.abc import Callable

import boto3
import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.errors import NotFound, PermissionDenied, Refused, StoreUnavailable
from dr_lib.model.region import StoreRef
from dr_lib.storage.base import ContainerStore
from dr_lib.storage.missing import ContainerMissing
from dr_lib.storage.opening import open_store
from tests.conftest import fresh_name, open_bucket

LABEL = "region us-east"


def every_call(store: ContainerStore) -> tuple[Callable[[], object], ...]:
    return (
        store.check,
        lambda: store.create("key", b"x"),
        lambda: store.get("key"),
        lambda: store.get_range("key", 0, 1),
        lambda: store.head("key"),
        lambda: list(store.list()),
    )


@pytest.mark.parametrize("wrong", ["access key", "secret key"])
def test_a_wrong_key_is_permission_denied(seaweed: SeaweedRegion, wrong: str) -> None:
    bucket = fresh_name()
    open_bucket(seaweed, bucket).ensure_container(lock_mode=None, lock_days=None)
    environ = {
        "X_ACCESS_KEY_ID": "stranger" if wrong == "access key" else seaweed.access_key,
        "X_SECRET_ACCESS_KEY": "guessed" if wrong == "secret key" else seaweed.secret_key,
    }
    store = open_store(StoreRef(f"s3://{bucket}", seaweed.endpoint, "env:X"), LABEL, environ=environ)
    for call in every_call(store):
        with pytest.raises(PermissionDenied, match=LABEL) as denial:
            call()
        assert denial.value.exit_code == 7
        assert "guessed" not in str(denial.value)


def test_a_wrong_key_is_no_reason_to_create_a_bucket(seaweed: SeaweedRegion) -> None:
    environ = {"X_ACCESS_KEY_ID": seaweed.access_key, "X_SECRET_ACCESS_KEY": "guessed"}
    store = open_store(StoreRef(f"s3://{fresh_name()}", seaweed.endpoint, "env:X"), LABEL, environ=environ)
    with pytest.raises(PermissionDenied, match=LABEL):
        store.ensure_container(lock_mode=None, lock_days=None)


def test_a_stopped_server_is_unavailable_and_comes_back(new_region: Callable[[], SeaweedRegion]) -> None:
    region = new_region()
    store = open_bucket(region, fresh_name(), LABEL)
    store.ensure_container(lock_mode=None, lock_days=None)
    store.create("before", b"content")
    region.stop()
    for call in every_call(store):
        with pytest.raises(StoreUnavailable, match=LABEL) as outage:
            call()
        assert outage.value.exit_code == 6
        assert region.endpoint in str(outage.value)
    region.start()
    assert store.get("before") == b"content"
    store.create("after", b"x")


def test_a_missing_bucket_is_not_a_missing_object(seaweed: SeaweedRegion) -> None:
    bucket = fresh_name()
    store = open_bucket(seaweed, bucket, LABEL)
    for call in every_call(store):
        with pytest.raises(ContainerMissing, match=LABEL) as absence:
            call()
        assert absence.value.exit_code == 5
        assert bucket in str(absence.value)
    store.ensure_container(lock_mode=None, lock_days=None)
    with pytest.raises(NotFound) as absence:
        store.get("key")
    assert not isinstance(absence.value, ContainerMissing)


def test_a_locked_bucket_keeps_its_objects(seaweed: SeaweedRegion) -> None:
    bucket = fresh_name()
    store = open_bucket(seaweed, bucket, LABEL)
    assert store.ensure_container(lock_mode="compliance", lock_days=2)
    store.create("packs/aa", b"content")
    assert not store.ensure_container(lock_mode="compliance", lock_days=2)
    assert not store.ensure_container(lock_mode="governance", lock_days=1)
    assert not store.ensure_container(lock_mode=None, lock_days=None)
    with pytest.raises(Refused, match="weaker"):
        store.ensure_container(lock_mode="compliance", lock_days=30)
    assert retention_mode(seaweed, bucket, "packs/aa") == "COMPLIANCE"


def test_a_bucket_without_the_lock_asked_for_is_refused(bucket_store: ContainerStore) -> None:
    with pytest.raises(Refused, match="without object lock"):
        bucket_store.ensure_container(lock_mode="compliance", lock_days=2)


def test_the_environment_of_the_process_opens_nothing_by_accident(
    seaweed: SeaweedRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "of-somebody-else")
    store = open_bucket(seaweed, fresh_name(), LABEL)
    store.ensure_container(lock_mode=None, lock_days=None)
    store.create("key", b"x")
    assert store.get("key") == b"x"


def retention_mode(region: SeaweedRegion, bucket: str, key: str) -> str:
    client = boto3.client(
        "s3",
        endpoint_url=region.endpoint,
        aws_access_key_id=region.access_key,
        aws_secret_access_key=region.secret_key,
        region_name="us-east-1",
    )
    return str(client.get_object_retention(Bucket=bucket, Key=key)["Retention"]["Mode"])

from pathlib import Path

import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.errors import PermissionDenied, Refused, StoreUnavailable, UsageError
from dr_lib.storage.rclone import RcloneStore


def define_s3(monkeypatch: pytest.MonkeyPatch, endpoint: str, access_key: str, secret_key: str) -> None:
    settings = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": endpoint, "ACCESS_KEY_ID": access_key,
                "SECRET_ACCESS_KEY": secret_key}  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(f"RCLONE_CONFIG_FAR_{name}", value)


def test_an_unknown_remote_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="region archive"):
        RcloneStore("never-configured:dir", "region archive").check()


def test_a_wrong_key_is_permission_denied(seaweed: SeaweedRegion, monkeypatch: pytest.MonkeyPatch) -> None:
    define_s3(monkeypatch, seaweed.endpoint, seaweed.access_key, "guessed")
    with pytest.raises(PermissionDenied, match="region archive") as denial:
        RcloneStore("far:bucket", "region archive").check()
    assert "guessed" not in str(denial.value)


def test_a_server_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    define_s3(monkeypatch, "http://127.0.0.1:1", "key", "secret")
    with pytest.raises(StoreUnavailable, match="region archive"):
        RcloneStore("far:bucket", "region archive").check()


def test_no_key_is_ever_read_by_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCLONE_CONFIG_NAS_TYPE", "alias")
    monkeypatch.setenv("RCLONE_CONFIG_NAS_REMOTE", str(tmp_path / "vault"))
    store = RcloneStore("nas:", "region archive")
    store.ensure_container(lock_mode=None, lock_days=None)
    key = f"$(touch '{tmp_path.name}')`touch x`\"; touch y; \""
    store.create(key.replace("/", ""), b"content")
    assert store.get(key.replace("/", "")) == b"content"
    assert [info.key for info in store.list()] == [key.replace("/", "")]


def test_object_lock_cannot_be_asked_of_it() -> None:
    with pytest.raises(Refused, match="object lock"):
        RcloneStore("far:bucket", "region archive").ensure_container(lock_mode="compliance", lock_days=1)

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dr_lib.errors import OutOfSpace, Refused
from dr_lib.storage.local import INCOMING, LocalStore
from dr_lib.storage.missing import ContainerMissing


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path, "region nas")


@contextmanager
def files_of_at_most_4096_bytes() -> Iterator[None]:
    """No fixture: the limit is the whole process's, and what pytest itself writes between tests must not meet it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_told_and_leaves_nothing_behind(store: LocalStore) -> None:
    with files_of_at_most_4096_bytes(), pytest.raises(OutOfSpace, match="region nas") as full:
        store.create("packs/aa", bytes(8192))
    assert full.value.exit_code == 6
    assert list(store.list()) == []
    assert list((store.root / INCOMING).iterdir()) == []
    store.create("packs/aa", bytes(100))


def test_what_a_crash_left_half_written_is_never_seen(store: LocalStore) -> None:
    store.create("key", b"whole")
    (store.root / INCOMING / "0123").write_bytes(b"ha")
    assert [info.key for info in store.list()] == ["key"]
    with pytest.raises(Refused):
        store.get(f"{INCOMING}/0123")
    with pytest.raises(Refused):
        store.create(f"{INCOMING}/mine", b"x")


def test_an_object_is_one_plain_file_under_its_key(store: LocalStore) -> None:
    store.create("packs/ab/cd", b"content")
    found = [path for path in store.root.rglob("*") if path.is_file()]
    assert found == [store.root / "packs" / "ab" / "cd"]
    assert found[0].stat().st_nlink == 1


def test_a_file_system_that_is_not_mounted_is_never_filled(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "mnt", "region nas")
    with pytest.raises(ContainerMissing, match="region nas"):
        store.create("key", b"x")
    assert not (tmp_path / "mnt").exists()


def test_an_object_cannot_lie_below_another(store: LocalStore) -> None:
    store.create("a", b"x")
    with pytest.raises(Refused):
        store.create("a/b", b"x")
    store.create("c/d", b"x")
    with pytest.raises(Refused):
        store.create("c", b"x")
    assert [info.key for info in store.list()] == ["a", "c/d"]


def test_a_lock_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "vault", "region nas")
    with pytest.raises(Refused, match="object lock"):
        store.ensure_container(lock_mode="compliance", lock_days=1)
    assert not (tmp_path / "vault").exists()


def test_other_things_in_the_directory_are_not_objects(store: LocalStore) -> None:
    os.mkfifo(store.root / "pipe")
    (store.root / "dangling").symlink_to("nowhere")
    (store.root / "empty").mkdir()
    store.create("key", b"x")
    assert [info.key for info in store.list()] == ["key"]


def test_a_listing_is_lazy(store: LocalStore) -> None:
    store.create("a/1", b"")
    store.create("b/1", b"")
    listing = store.list()
    assert next(listing).key == "a/1"
    store.create("b/0", b"")
    assert [info.key for info in listing] == ["b/0", "b/1"]

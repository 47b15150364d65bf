"""Run keys over a slow link: who knows one does not wait for another, and nobody asks for one while he decodes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dr_lib.storage.memory import MemoryStore
from dr_lib.vault.run_keys import RunKeys, create_run_key
from dr_lib.workflows.restore.flow import Bound
from tests.keys import keys
from tests.world import ASSET, make_world, weights


class Slow(MemoryStore):
    """Holds the gets of one key back until it is told not to."""

    held = ""

    def __init__(self) -> None:
        super().__init__("slow")
        self.asked, self.goes_on = threading.Event(), threading.Event()

    def get(self, key: str) -> bytes:
        if self.held and self.held in key:
            self.asked.set()
            assert self.goes_on.wait(30)
        return super().get(key)


def test_a_key_that_is_known_does_not_wait_for_one_that_is_fetched():
    store = Slow()
    known, other = (create_run_key(store, keys().recipients) for _ in range(2))
    secrets = RunKeys(store, (keys().operations,))
    assert secrets.secret(known.id) == known.secret
    store.held = other.id
    fetching = threading.Thread(target=secrets.secret, args=(other.id,))
    fetching.start()
    assert store.asked.wait(30)
    answered: list[bytes] = []
    asking = threading.Thread(target=lambda: answered.append(secrets.secret(known.id)))
    asking.start()
    asking.join(30)
    assert answered == [known.secret]
    store.goes_on.set()
    fetching.join()
    assert secrets.secret(other.id) == other.secret


def test_a_restore_asks_for_no_key_while_it_decodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    world = make_world(tmp_path / "world", environ=keys().all(), **keys().config())
    for number in range(2):  # two runs, each with a run key of its own
        weights(world.source / f"{number}.safetensors", seed=number)
        world.runtime.backup(ASSET)
    decoding = threading.local()
    asked: list[bool] = []
    decodes, unwraps = Bound.decoding, RunKeys._unwrapped

    @contextmanager
    def marked(self: Bound) -> Iterator[None]:
        decoding.now = True
        with decodes(self):
            yield
        decoding.now = False

    def watched(self: RunKeys, key_id: str) -> bytes:
        asked.append(getattr(decoding, "now", False))
        return unwraps(self, key_id)

    monkeypatch.setattr(Bound, "decoding", marked)
    monkeypatch.setattr(RunKeys, "_unwrapped", watched)
    world.runtime.restore(ASSET, str(tmp_path / "out"), region="one")
    assert asked == [False, False]

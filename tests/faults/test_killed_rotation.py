"""A rotation that is killed with SIGKILL before any of its steps is finished by the next one."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from dr_lib.crypto import age
from dr_lib.storage.local import LocalStore
from dr_lib.vault.run_keys import create_run_key, open_run_key
from dr_lib.workflows.keys.inventory import take
from dr_lib.workflows.keys.rotate import rotate
from tests.faults.dying import DONE, dies_before

OLD, NEW = age.new_identity(), age.new_identity()
RUN_KEYS = 4


def test_killed_at_any_step_every_run_key_opens_and_the_next_rotation_ends(tmp_path: Path):
    done = 0
    for step in count(1):
        store = LocalStore(_made(tmp_path / str(step)), "region one")
        secrets = [create_run_key(store, [OLD[1]]).secret for _ in range(RUN_KEYS)]
        outcome = dies_before(step, lambda store=store: rotate(store, [NEW[1]], [OLD[0]], 1))
        names = take(store).newest
        assert {open_run_key(store, name, [OLD[0], NEW[0]]) for name in names} == set(secrets)
        again = rotate(store, [NEW[1]], [OLD[0]], 1)
        done = max(done, again.current)
        assert (again.run_keys, again.rotated + again.current, again.failed) == (RUN_KEYS, RUN_KEYS, ())
        assert {open_run_key(store, name, [NEW[0]]) for name in take(store).newest} == set(secrets)
        if outcome == DONE:
            break
        assert outcome == "SIGKILL"
    assert step > 2 * RUN_KEYS
    assert done == RUN_KEYS


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder

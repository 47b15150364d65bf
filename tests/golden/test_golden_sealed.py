"""A vault that was sealed and signed once is restored for ever, by each of its recipients, and by nobody else."""

import json
import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from dr_lib.errors import PermissionDenied
from dr_lib.format import layout
from dr_lib.progress import SILENT
from dr_lib.storage.local import LocalStore
from dr_lib.vault.opening import open_vault
from dr_lib.vault.run_keys import newest_generations
from dr_lib.vault.vault import Vault
from dr_lib.vault.verifications import verifications
from dr_lib.workflows.restore.restore import restore, restore_attachments
from dr_lib.workflows.verify.verify import Asked, Mode, verify
from tests.golden.keys import FOLDER as KEYS
from tests.golden.keys import NOTE, keyset
from tests.golden.test_golden_vault import FOLDER, files, plain
from tests.golden.writing import ASSET, FROZEN_AT, POINT, make_source
from tests.golden.writing_sealed import CHANGED, LATER, write_sealed_vault

SEALED = FOLDER / "v1-sealed"


def expected(point: str) -> dict[str, list[object]]:
    """The tree of a point: the one that the clear golden vault has, and a change to it."""
    tree = json.loads((FOLDER / "v1-dtypes.tree.json").read_text())
    if point == LATER:
        kind, mode, _, _ = tree["sub/text"]
        tree["sub/text"] = [kind, mode, 1_000_000_000, CHANGED.decode()]
    return tree


def opened(folder: Path, identity: str | None) -> Vault:
    return open_vault("one", LocalStore(folder, "region one"), keyset(identity))


def test_todays_writer_makes_the_same_bytes(tmp_path: Path):
    """All but the age files, which the age library fills with randomness of its own."""
    make_source(tmp_path / "tree")
    write_sealed_vault(tmp_path / "vault", tmp_path / "tree")
    made = files(tmp_path / "vault")
    if os.environ.get("DR_GOLDEN_UPDATE") == "1" and made != files(SEALED):
        shutil.rmtree(SEALED, ignore_errors=True)
        shutil.copytree(tmp_path / "vault", SEALED, ignore=shutil.ignore_patterns("runs"))
    golden = files(SEALED)
    assert sorted(made) == sorted(golden)
    assert [name for name in made if made[name] != golden[name]] == []


@pytest.mark.parametrize("identity", ["operations", "escrow"])
@pytest.mark.parametrize("point", [POINT, LATER])
def test_each_point_is_restored_exactly_by_each_recipient(tmp_path: Path, identity: str, point: str):
    vault = opened(SEALED, identity)
    restore([vault], ASSET, point, tmp_path / "restored", SILENT)
    assert plain(tmp_path / "restored") == expected(point)
    restore_attachments([vault], ASSET, point, tmp_path / "proof")
    assert (tmp_path / "proof" / "golden.json").read_bytes() == b'{"outputs":[1.0]}'


@pytest.mark.parametrize("identity", [None, "revoked"])
def test_nobody_else_restores_it(tmp_path: Path, identity: str | None):
    """An identity that was rotated out still opens the older generation, and that does not count."""
    with pytest.raises(PermissionDenied):
        restore([opened(SEALED, identity)], ASSET, POINT, tmp_path / "restored", SILENT)
    assert list(tmp_path.iterdir()) == []


def test_it_is_verified_and_its_events_are_read(tmp_path: Path):
    shutil.copytree(SEALED, tmp_path / "vault")
    vault = opened(tmp_path / "vault", "operations")
    for point in (POINT, LATER):
        [told] = verifications(vault, ASSET)[point]
        assert told is not None
        assert told.ok
    later = FROZEN_AT + timedelta(days=2)
    assert [r.findings for r in verify(vault, ASSET, Asked(Mode.FULL), SILENT, lambda: later).results] == [(), ()]


def test_it_holds_what_it_is_there_for():
    """Two run keys, one of which was rotated; a point with packs under both; no more than a few kilobytes."""
    vault = opened(SEALED, None)
    newest = newest_generations(vault.store)
    assert sorted(name.generation for name in newest.values()) == [0, 1]
    assert vault.summary(ASSET, LATER).keys == tuple(sorted(newest))
    assert len(vault.summary(ASSET, POINT).keys) == 1
    assert sum(info.size for info in vault.store.list()) < 40_000
    assert len(list(vault.store.list(layout.KEYS))) == 3


def test_its_keys_say_that_they_protect_nothing():
    found = sorted(KEYS.glob("*.txt"))
    assert [path.stem for path in found] == ["escrow", "operations", "revoked", "signer", "writer"]
    assert all(path.read_text().startswith(NOTE) for path in found)

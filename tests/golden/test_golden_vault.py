"""Vaults of every format version are restored for ever, and today's writer makes the bytes that the format states.

`DR_GOLDEN_UPDATE=1` writes the golden vault of the present version anew: only for a version that was never released.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from dr_lib.format import pack
from dr_lib.model.manifest import PackRef
from dr_lib.progress import SILENT
from dr_lib.storage.local import LocalStore
from dr_lib.vault.opening import open_vault
from dr_lib.vault.pack_reader import fetch_pack
from dr_lib.vault.vault import Vault
from dr_lib.vault.verifications import verifications
from dr_lib.workflows.restore.restore import restore, restore_attachments
from dr_lib.workflows.verify.verify import Asked, Mode, verify
from tests.golden.writing import ASSET, FROZEN_AT, POINT, make_source, write_vault
from tests.world import tree

FOLDER = Path(__file__).parent
VERSIONS = ("v1", "v1-dtypes")
"""The first holds raw and zstd frames only; the second one of each codec."""
PRESENT = VERSIONS[-1]
STATED = ("vault.json", "packs", "index", "points", "events")
"""What is the same in every run. Records of `runs/` hold inode numbers."""


def files(root: Path) -> dict[str, bytes]:
    found = (path for name in STATED for path in (root / name, *(root / name).rglob("*")))
    return {str(path.relative_to(root)): path.read_bytes() for path in found if path.is_file()}


def plain(root: Path) -> dict[str, list[object]]:
    """A tree in JSON: names and bytes as Latin-1 text."""
    found = tree(root)
    return {
        os.fsencode(path).decode("latin-1"): [f.decode("latin-1") if isinstance(f, bytes) else f for f in facts]
        for path, facts in sorted(found.items())
    }


@pytest.fixture
def written(tmp_path: Path) -> Path:
    make_source(tmp_path / "tree")
    write_vault(tmp_path / "vault", tmp_path / "tree")
    if os.environ.get("DR_GOLDEN_UPDATE") == "1":
        shutil.rmtree(FOLDER / PRESENT, ignore_errors=True)
        for name, data in files(tmp_path / "vault").items():
            path = FOLDER / PRESENT / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (FOLDER / f"{PRESENT}.tree.json").write_text(json.dumps(plain(tmp_path / "tree"), indent=1) + "\n")
    return tmp_path / "vault"


def test_todays_writer_makes_the_same_bytes(written: Path):
    made, golden = files(written), files(FOLDER / PRESENT)
    assert sorted(made) == sorted(golden)
    assert [name for name in made if made[name] != golden[name]] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_golden_vault_is_restored_exactly(tmp_path: Path, version: str):
    vault = open_vault("one", LocalStore(FOLDER / version, "region one"))
    restore([vault], ASSET, POINT, tmp_path / "restored", SILENT)
    assert plain(tmp_path / "restored") == json.loads((FOLDER / f"{version}.tree.json").read_text())
    restore_attachments([vault], ASSET, POINT, tmp_path / "proof")
    assert (tmp_path / "proof" / "golden.json").read_bytes() == b'{"outputs":[1.0]}'


@pytest.mark.parametrize("version", VERSIONS)
def test_a_golden_vault_is_verified_and_its_events_are_read(tmp_path: Path, version: str):
    shutil.copytree(FOLDER / version, tmp_path / "vault")
    vault = Vault("one", LocalStore(tmp_path / "vault", "region one"))
    [told] = verifications(vault, ASSET)[POINT]
    assert told is not None
    assert told.ok
    [result] = verify(vault, ASSET, Asked(Mode.FULL), SILENT, lambda: FROZEN_AT).results
    assert result.findings == ()


def test_the_golden_vault_has_a_frame_of_each_codec():
    vault = open_vault("one", LocalStore(FOLDER / PRESENT, "region one"))
    tables = (pack.parse(fetch_pack(vault, PackRef(name, size)), name) for name, size in vault.packs().items())
    assert {frame.codec for table in tables for frame in table} == {0, 1, 2, 3, 4}

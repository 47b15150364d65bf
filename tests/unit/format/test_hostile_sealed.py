"""A sealed manifest is believed in nothing, even if it is sealed and signed with the right keys."""

import shutil
from pathlib import Path

import pytest

from dr_lib.errors import IntegrityError
from dr_lib.progress import SILENT
from dr_lib.workflows.restore.restore import restore
from tests.golden.forging import FORGERIES, NAME, forged, nothing, vault_at
from tests.golden.test_golden_sealed import SEALED
from tests.golden.writing import ASSET
from tests.golden.writing_sealed import LATER
from tests.world import change


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SEALED, tmp_path / "vault")
    return tmp_path / "vault"


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused_and_nothing_is_written(folder: Path, name: str):
    change(folder / NAME, lambda _: FORGERIES[name]())
    with pytest.raises(IntegrityError):
        restore([vault_at(folder)], ASSET, LATER, folder.parent / "to", SILENT)
    assert list(folder.parent.iterdir()) == [folder]


def test_what_is_made_anew_without_a_change_is_restored(folder: Path):
    """Without which all of the above would prove nothing."""
    change(folder / NAME, lambda _: forged(nothing))
    restore([vault_at(folder)], ASSET, LATER, folder.parent / "to", SILENT)
    assert (folder.parent / "to").is_dir()


@pytest.mark.parametrize("name", ["has packs in the clear", "has packs in the clear beside run keys"])
def test_packs_in_the_clear_are_refused_before_a_byte_of_them_is_read(folder: Path, name: str):
    with pytest.raises(IntegrityError, match="no seals, or others"):
        vault_at(folder).parse_manifest(ASSET, LATER, FORGERIES[name]())

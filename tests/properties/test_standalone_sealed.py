"""Of a sealed vault, too, every change is refused by the standalone reader or is of no matter, as the engine has it."""

import json
import shutil
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dr_lib.crypto import age, sealing, signing
from dr_lib.errors import DrError
from dr_lib.format import canonical, layout, reader
from dr_lib.progress import SILENT
from dr_lib.workflows.restore.restore import restore
from tests.golden.forging import FORGERIES, NAME, forged, nothing, vault_at
from tests.golden.keys import FOLDER as KEYS
from tests.golden.keys import keyset
from tests.golden.test_golden_sealed import SEALED, expected
from tests.golden.test_golden_vault import plain
from tests.golden.writing import ASSET, POINT
from tests.golden.writing_sealed import LATER
from tests.keys import fresh_keys
from tests.world import change, flip

IDENTITY = str(KEYS / "operations.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SEALED, tmp_path / "vault")
    return tmp_path / "vault"


def restored(folder: Path, point: str, *more: str, identity: bool = True) -> int:
    """The exit code of a restore, which left either the whole tree or nothing."""
    target, more = folder.parent / "to", (*more, *(("--identity", IDENTITY) if identity else ()))
    code = reader.main([str(folder), "restore", ASSET, "--point", point, "--to", str(target), *more])
    left = [path for path in folder.parent.iterdir() if path != folder]
    assert left == ([target] if code == 0 else [])
    if code == 0:
        assert plain(target) == expected(point)
        shutil.rmtree(target)
    return code


def by_the_engine(folder: Path, point: str) -> int:
    target = folder.parent / "by the engine"
    try:
        restore([vault_at(folder)], ASSET, point, target, SILENT)
    except DrError as error:
        assert not target.exists()
        return error.exit_code
    assert plain(target) == expected(point)
    shutil.rmtree(target)
    return 0


def objects(folder: Path, kind: str) -> list[Path]:
    return sorted(path for path in (folder / kind).rglob("*") if path.is_file())


def flips(path: Path, stride: int = 1) -> Iterator[int]:
    """Every place of an object, one after the other with a bit of it turned."""
    whole = path.read_bytes()
    for at in range(0, len(whole), stride):
        change(path, lambda _, at=at: flip(whole, at))
        yield at
    change(path, lambda _: whole)


def opened(folder: Path) -> Namespace:
    """The vault as the reader sees it."""
    identity = Path(IDENTITY).read_text()
    return Namespace(root=folder, sealed=True, trusted=list(keyset().trusted), identity=identity)


def code(call: Callable[..., object], *arguments: object) -> int:
    return reader.attempt(call, *arguments)[0]


def test_every_flipped_byte_of_a_manifest_is_refused(folder: Path):
    vault = opened(folder)
    for path in objects(folder, "points"):
        assert code(reader.load, vault, path) == 0
        assert [at for at in flips(path) if code(reader.load, vault, path) != 4] == []


def test_flipped_bytes_of_a_frame_are_refused(folder: Path):
    """A restore asks for ranges of packs and reads no pack as a whole."""
    body, packs = reader.load(opened(folder), folder / NAME)
    assert {where for where, _ in packs} == set(objects(folder, "packs"))
    for frame in (frame for file in body["files"] for frame in file["frames"]):
        pack, (_, offset, length, *_) = packs[frame[0]], frame
        whole = pack[0].read_bytes()
        assert code(reader.read_frame, pack, frame) == 0
        for at in range(offset, offset + length, 1 + length // 200):
            change(pack[0], lambda _, at=at, whole=whole: flip(whole, at))
            assert code(reader.read_frame, pack, frame) == 4
        change(pack[0], lambda _, whole=whole: whole)


def test_every_flipped_byte_of_a_run_key_is_refused_but_in_a_generation_that_does_not_count(folder: Path):
    vault = opened(folder)
    for path in objects(folder, "keys"):
        counts = path == max(path.parent.iterdir())
        assert {code(reader.run_key, vault, path.parent.name) for _ in flips(path)} == {4 if counts else 0}


def test_every_flipped_byte_of_the_vaults_own_record_is_refused_or_of_no_matter(folder: Path):
    codes = [restored(folder, LATER) for _ in flips(folder / "vault.json", 3)]
    assert set(codes) == {0, 4}


@pytest.mark.parametrize("kind", ["packs", "points", "keys", "index", "events"])
def test_the_engine_is_of_the_same_mind_about_every_object(folder: Path, kind: str):
    for path in objects(folder, kind):
        for at in flips(path, 1 + path.stat().st_size // (8 if kind in ("packs", "points", "keys") else 2)):
            for point in (POINT, LATER):
                codes = restored(folder, point), by_the_engine(folder, point)
                assert codes in ((0, 0), (4, 4)), (path, at, point)


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused(folder: Path, name: str):
    change(folder / NAME, lambda _: FORGERIES[name]())
    assert restored(folder, LATER) == 4


def test_what_is_made_anew_without_a_change_is_restored(folder: Path):
    """Without which all of the above would prove nothing."""
    change(folder / NAME, lambda _: forged(nothing))
    assert restored(folder, LATER) == 0


def forged_generation(folder: Path, secret: bytes, recipients: list[str]) -> None:
    """What somebody who can write to the bucket may put there: a newer generation of a run key."""
    key_id = next((folder / "keys").iterdir()).name
    wrapped = age.wrap(secret, recipients)
    (folder / layout.run_key_key(key_id, 7, "00000000", wrapped)).write_bytes(wrapped)


def test_a_forged_generation_takes_a_point_away_and_opens_nothing(folder: Path):
    stranger = fresh_keys()
    forged_generation(folder, sealing.new_key(), stranger.recipients)
    assert (restored(folder, LATER), by_the_engine(folder, LATER)) == (7, 7)


def test_a_forged_secret_under_a_run_keys_name_is_refused(folder: Path):
    forged_generation(folder, sealing.new_key(), list(keyset().recipients))
    assert (restored(folder, LATER), by_the_engine(folder, LATER)) == (4, 4)


def test_what_is_missing_is_damage(folder: Path):
    for kind in ("keys", "packs"):
        shutil.move(folder / kind, folder / "away")
        assert restored(folder, LATER) == 4
        shutil.move(folder / "away", folder / kind)
    assert restored(folder, LATER) == 0


def test_points_do_not_stand_in_for_each_other(folder: Path):
    earlier = folder / f"points/{ASSET}/{POINT}.manifest"
    change(folder / NAME, lambda _: earlier.read_bytes())
    assert (restored(folder, LATER), restored(folder, POINT)) == (4, 0)


def test_a_vault_that_says_it_is_in_the_clear_or_unsigned_gives_nothing_else(folder: Path):
    facts = json.loads((folder / "vault.json").read_bytes())
    change(folder / "vault.json", lambda _: canonical.dumps(facts | {"encryption": "none"}))
    assert (restored(folder, LATER), restored(folder, LATER, identity=False)) == (4, 4)
    change(folder / "vault.json", lambda _: canonical.dumps(facts | {"signers": []}))
    change(folder / NAME, lambda _: forged(nothing, signing.signer(fresh_keys().signer)))
    assert restored(folder, LATER, "--trusted", keyset().trusted[0]) == 4
    assert restored(folder, LATER) == 0  # whoever takes the signers from the vault believes whoever wrote them there

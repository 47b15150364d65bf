"""Of a sealed vault, too, every change is refused by the standalone reader or is of no matter, as the engine has it."""

import json
import shutil
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
REFUSED = (reader.Fault, *reader.ODD)


@pytest.fixture(autouse=True)
def needs_age():
    if shutil.which("age") is None:
        pytest.skip("the command age is missing (apt-get install age)")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SEALED, tmp_path / "vault")
    return tmp_path / "vault"


def run(folder: Path, command: str, *more: str) -> int:
    return reader.main([str(folder), command, *more, "--identity", IDENTITY])


def restored(folder: Path, point: str) -> int:
    """The exit code of a restore, which left either the whole tree or nothing."""
    target = folder.parent / "to"
    code = run(folder, "restore", ASSET, "--point", point, "--to", str(target))
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


def opened(folder: Path) -> dict:
    """The vault as the reader sees it, with its run keys opened, so that a try costs no process."""
    secrets = {}
    for key_id, path in {path.parent.name: path for path in objects(folder, "keys")}.items():
        secrets[path] = vault_at(folder).run_keys.secret(key_id)
    trusted = [reader.signer(text) for text in keyset().trusted]
    facts = {"root": folder, "sealed": True, "trusted": trusted, "identity": IDENTITY}
    return facts | {"secrets": secrets, "brief": False}


def refuses(call: Callable[..., object], *arguments: object) -> bool:
    try:
        call(*arguments)
    except REFUSED:
        return True
    return False


def test_every_flipped_byte_of_a_manifest_is_refused(folder: Path):
    vault = opened(folder)
    for path in objects(folder, "points"):
        reader.load(vault, path)
        assert [at for at in flips(path) if not refuses(reader.load, vault, path)] == []


def test_flipped_bytes_of_a_pack_are_found(folder: Path):
    vault = opened(folder)
    _, body, packs = reader.load(vault, folder / NAME)
    known = reader.prove(packs, body, {})
    assert {pack[0] for pack in packs} == set(objects(folder, "packs"))
    for pack in packs:
        assert [at for at in flips(pack[0], 5) if not refuses(reader.check_pack, pack, known[pack])] == []


@pytest.mark.parametrize("blake3", [reader.BLAKE3, None], ids=["with blake3", "without blake3"])
def test_flipped_bytes_of_a_frame_are_refused_by_themselves(folder: Path, monkeypatch, blake3):
    """A restore asks for ranges of packs and reads no pack as a whole."""
    monkeypatch.setattr(reader, "BLAKE3", blake3)
    _, body, packs = reader.load(opened(folder), folder / NAME)
    for number, *frame in (frame for file in body["files"] for frame in file["frames"]):
        pack, (offset, length, *_) = packs[number], frame
        stored = pack[0].read_bytes()[offset : offset + length]
        reader.open_frame(pack, tuple(frame), stored)
        places = range(0, length, 1 + length // 200)
        missed = [at for at in places if not refuses(reader.open_frame, pack, tuple(frame), flip(stored, at))]
        assert missed == []


def test_every_flipped_byte_of_a_run_key_is_refused_but_in_a_generation_that_does_not_count(folder: Path):
    vault = opened(folder)
    for path in objects(folder, "keys"):
        missed = [at for at in flips(path) if not refuses(reader.run_key, vault, path.parent.name)]
        counts = path in vault["secrets"]
        assert missed == ([] if counts else list(range(path.stat().st_size)))


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
    assert (run(folder, "verify"), restored(folder, LATER)) == (4, 4)


def test_what_is_made_anew_without_a_change_is_restored(folder: Path):
    """Without which all of the above would prove nothing."""
    change(folder / NAME, lambda _: forged(nothing))
    assert (run(folder, "verify"), restored(folder, LATER)) == (0, 0)


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


def test_what_is_missing_is_damage_and_a_list_without_an_identity_says_so(folder: Path):
    for kind in ("keys", "packs"):
        shutil.move(folder / kind, folder.parent / "away")
        assert (reader.main([str(folder), "list"]), run(folder, "verify")) == (4, 4)
        shutil.move(folder.parent / "away", folder / kind)
    assert reader.main([str(folder), "list"]) == 0


def test_points_do_not_stand_in_for_each_other(folder: Path):
    earlier = folder / f"points/{ASSET}/{POINT}.manifest"
    change(folder / NAME, lambda _: earlier.read_bytes())
    assert (restored(folder, LATER), restored(folder, POINT)) == (4, 0)


def test_a_vault_that_says_it_is_in_the_clear_or_unsigned_gives_nothing_else(folder: Path):
    facts = json.loads((folder / "vault.json").read_bytes())
    change(folder / "vault.json", lambda _: canonical.dumps(facts | {"encryption": "none"}))
    assert (run(folder, "verify"), reader.main([str(folder), "verify"])) == (4, 4)
    change(folder / "vault.json", lambda _: canonical.dumps(facts | {"signers": []}))
    change(folder / NAME, lambda _: forged(nothing, signing.signer(fresh_keys().signer)))
    assert run(folder, "verify", "--trusted", keyset().trusted[0]) == 4

"""Whatever byte is damaged and whatever a manifest claims, the standalone reader refuses it and writes nothing."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_lib.codecs import registry
from dr_lib.codecs.bytewise import Repeat
from dr_lib.codecs.layouts import Turn
from dr_lib.codecs.palette import Palette
from dr_lib.codecs.planes import Planes
from dr_lib.format import manifest as manifest_format
from dr_lib.format import reader
from tests.golden.test_golden_vault import FOLDER
from tests.golden.writing import ASSET
from tests.unit.format.test_hostile_manifests import CONTRADICTIONS, FORGED, taken_apart
from tests.world import ASSET as THING
from tests.world import World, change, flip, make_world

GOLDEN = FOLDER / "v1"


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    world = make_world(tmp_path_factory.mktemp("w"), ("one",))
    (world.source / "d").mkdir()
    (world.source / "d" / "f").write_bytes(b"weights " * 1000)
    world.runtime.backup(THING)
    return world


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    shutil.copytree(GOLDEN, tmp_path / "vault")
    return tmp_path / "vault"


def refused(vault: Path, path: Path, data: bytes) -> bool:
    """Whether verify and restore both answer 4 with `data` in `path`'s place, and leave nothing behind."""
    whole, before = path.read_bytes(), set(vault.parent.rglob("*"))
    change(path, lambda _: data)
    asset = next((vault / "points").iterdir()).name
    codes = [
        reader.main([str(vault), "verify"]),
        reader.main([str(vault), "restore", asset, "--to", str(vault.parent / "to")]),
    ]
    change(path, lambda _: whole)
    return codes == [4, 4] and set(vault.parent.rglob("*")) == before


def test_every_flipped_byte_of_a_manifest_is_refused(vault: Path):
    [path] = (vault / "points").rglob("*.manifest")
    data = path.read_bytes()
    assert [at for at in range(len(data)) if not refused(vault, path, flip(data, at))] == []
    assert reader.main([str(vault), "verify"]) == 0


@pytest.mark.parametrize("blake3", [reader.BLAKE3, None], ids=["with blake3", "without blake3"])
def test_every_flipped_byte_of_a_pack_is_found(vault: Path, monkeypatch: pytest.MonkeyPatch, blake3: object):
    monkeypatch.setattr(reader, "BLAKE3", blake3)
    missed = []
    for path in (path for path in (vault / "packs").rglob("*") if path.is_file()):
        data = path.read_bytes()
        for at in range(0, len(data), 7):
            change(path, lambda _, data=data, at=at: flip(data, at))
            missed += [(path, at)] if reader.main([str(vault), "verify"]) != 4 else []
        change(path, lambda _, data=data: data)
    assert missed == []
    assert reader.main([str(vault), "verify", ASSET]) == 0


@pytest.mark.parametrize("edit", [lambda data: flip(data, 10), lambda data: data[:-1], lambda data: data + b"x"])
def test_nothing_is_left_of_a_restore_that_met_damage(vault: Path, edit):
    path = max((p for p in (vault / "packs").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    assert refused(vault, path, edit(path.read_bytes()))


def test_a_pack_that_is_missing_is_damage(vault: Path):
    shutil.rmtree(next((vault / "packs").iterdir()))
    assert reader.main([str(vault), "verify"]) == 4
    assert reader.main([str(vault), "restore", ASSET, "--to", str(vault.parent / "to")]) == 4
    assert [path.name for path in vault.parent.iterdir()] == ["vault"]


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused(world, name: str):
    path = world.manifests("one")[0]
    sound = world.vault("one").manifest(path.parent.name, path.stem)
    assert refused(world.regions["one"], path, manifest_format.dump(CONTRADICTIONS[name](sound)))


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_object_is_refused(world, name: str):
    path = world.manifests("one")[0]
    clear, body = taken_apart(path.read_bytes())
    assert refused(world.regions["one"], path, FORGED[name](clear, body))


def test_the_untouched_point_is_whole(world):
    """Without which all of the above would prove nothing."""
    assert reader.main([str(world.regions["one"]), "verify"]) == 0


CODECS = [
    Repeat(),
    *(Repeat(width) for width in (2, 4, 8)),
    *(Planes(width, turn) for width in (2, 4, 8) for turn in Turn),
    *(Palette(width) for width in (2, 4, 8)),
]


@pytest.mark.parametrize("codec", CODECS, ids=str)
@given(values=st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=20), times=st.integers(1, 40))
def test_every_codec_is_decoded(codec: Repeat | Planes | Palette, values: list[bytes], times: int):
    for raw in (values[0] * times, b"".join(values) * times, (b"".join(values) * times)[:-1]):
        encoded = codec.encode(raw)
        if encoded is not None:
            assert reader.decode(codec.id, encoded, len(raw)) == raw


def test_every_codec_that_the_engine_writes_is_known():
    assert set(reader.CODECS) == {*registry._BYTEWISE, *registry._of_elements()}

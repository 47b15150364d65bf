"""Whatever byte is damaged and whatever a manifest claims, the standalone reader refuses it and writes nothing."""

import json
import re
import shutil
from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from dr_lib.codecs import registry
from dr_lib.codecs.bytewise import Repeat
from dr_lib.codecs.layouts import Turn
from dr_lib.codecs.palette import Palette
from dr_lib.codecs.planes import Planes
from dr_lib.format import canonical, reader
from dr_lib.format import manifest as manifest_format
from dr_lib.policy.links import leads_outside, resolve
from tests.golden.test_golden_vault import FOLDER, plain
from tests.golden.writing import ASSET
from tests.unit.format.test_hostile_manifests import (
    BOMB,
    CONTRADICTIONS,
    FORGED,
    claims,
    enveloped,
    taken_apart,
    with_body,
)
from tests.world import ASSET as THING
from tests.world import World, change, flip, make_world, tree

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


def restored(vault: Path) -> int:
    """The exit code of a restore, which left either the whole tree or nothing."""
    target, before = vault.parent / "to", set(vault.parent.iterdir())
    code = reader.main([str(vault), "restore", ASSET, "--to", str(target)])
    assert set(vault.parent.iterdir()) == before | ({target} if code == 0 else set())
    if code == 0:
        assert plain(target) == json.loads((FOLDER / "v1.tree.json").read_text())
        shutil.rmtree(target)
    return code


def refused(vault: Path, path: Path, data: bytes) -> bool:
    """Whether a restore answers 4 with `data` in `path`'s place, and leaves nothing behind."""
    whole, before = path.read_bytes(), set(vault.parent.rglob("*"))
    change(path, lambda _: data)
    asset = next((vault / "points").iterdir()).name
    code = reader.main([str(vault), "restore", asset, "--to", str(vault.parent / "to")])
    change(path, lambda _: whole)
    return code == 4 and set(vault.parent.rglob("*")) == before


def test_every_flipped_byte_of_a_manifest_is_refused(vault: Path):
    [path] = (vault / "points").rglob("*.manifest")
    data = path.read_bytes()
    assert [at for at in range(len(data)) if not refused(vault, path, flip(data, at))] == []
    assert restored(vault) == 0


def needed(vault: Path) -> set[tuple[Path, int]]:
    """Every byte of a pack of which a file of the point is made."""
    [path] = (vault / "points").rglob("*.manifest")
    body, packs = reader.load(Namespace(root=vault, sealed=False, trusted=[], identity=""), path)
    frames = [frame for file in body["files"] for frame in file["frames"]]
    return {(packs[number][0], at) for number, start, length, *_ in frames for at in range(start, start + length)}


def test_every_flipped_byte_of_a_pack_is_refused_or_is_none_of_a_file(vault: Path):
    counts, places, wrong = needed(vault), set(), []
    for path in (path for path in (vault / "packs").rglob("*") if path.is_file()):
        data = path.read_bytes()
        for at in range(len(data)):
            change(path, lambda _, data=data, at=at: flip(data, at))
            wrong += [(path, at)] if restored(vault) != (4 if (path, at) in counts else 0) else []
            places.add((path, at))
        change(path, lambda _, data=data: data)
    assert wrong == []
    assert counts < places


@pytest.mark.parametrize("edit", [lambda data: flip(data, 10), lambda data: data[:-1], lambda data: data + b"x"])
def test_nothing_is_left_of_a_restore_that_met_damage(vault: Path, edit):
    path = max((p for p in (vault / "packs").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    assert refused(vault, path, edit(path.read_bytes()))


def test_a_pack_that_is_missing_is_damage(vault: Path):
    shutil.rmtree(next((vault / "packs").iterdir()))
    assert restored(vault) == 4


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


def elsewhere(clear: dict, body: bytes) -> bytes:
    """The first pack is asked for beside the vault's folder: a way out that begins at `packs/..`."""
    [_, size], *others = clear["packs"]
    return enveloped(clear | {"packs": [["../outside", size], *others]}, body)


MORE = {
    "a pattern without bounds": lambda clear, _: enveloped(claims(clear, b"{", codec=2, raw=1 << 50), b"{"),
    "packs outside the vault": elsewhere,
    "a body that is not canonical": lambda clear, body: with_body(clear, opened(body).replace(b",", b", ", 1)),
    "a key that stands twice": lambda clear, body: with_body(clear, opened(body).replace(b"{", b'{"files":[],', 1)),
    "another frame's digest": lambda clear, body: with_body(clear, re.sub(b',0,"..', b',0,"zz', opened(body))),
    "another file's digest": lambda clear, body: with_body(
        clear, re.sub(b'"sha256":"..', b'"sha256":"zz', opened(body))
    ),
}


def opened(body: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(body)


@pytest.mark.parametrize("name", MORE)
def test_more_that_is_forged_is_refused(world, name: str):
    path = world.manifests("one")[0]
    clear, body = taken_apart(path.read_bytes())
    outside = world.regions["one"].parent / "outside"
    [pack] = [p for p in (world.regions["one"] / "packs").rglob("*") if p.stat().st_size == clear["packs"][0][1]]
    shutil.copy(pack, outside)
    assert refused(world.regions["one"], path, MORE[name](clear, body))
    outside.unlink()


@pytest.mark.parametrize("facts", [{"format": 2}, {"format": True}, {"encryption": "other"}, {"encryption": "sealed"}])
def test_a_vault_that_is_of_no_known_kind_is_refused(vault: Path, facts: dict):
    path = vault / "vault.json"
    assert refused(vault, path, canonical.dumps(json.loads(path.read_bytes()) | facts))


def test_a_frame_that_is_longer_than_promised_is_not_decoded():
    assert reader.attempt(reader.decode, 1, BOMB, 100) == (4, "a zstd frame declares another length")
    assert reader.attempt(reader.decode, 0, b"xx", 1)[0] == 4


def test_the_untouched_point_is_restored(world, tmp_path: Path):
    """Without which all of the above would prove nothing."""
    assert reader.main([str(world.regions["one"]), "restore", THING, "--to", str(tmp_path / "to")]) == 0
    assert tree(tmp_path / "to") == tree(world.source)


PARTS = st.sampled_from(["..", ".", "a", "b", "c", "d", "missing"])
TARGETS = st.builds(
    str.__add__, st.sampled_from(["", "", "", "/"]), st.lists(PARTS, min_size=1, max_size=5).map("/".join)
)


@given(links=st.dictionaries(st.sampled_from(["a", "b", "c", "d/a", "d/b", "d/d/a"]), TARGETS, min_size=1))
def test_links_are_judged_as_the_engine_judges_them(links: dict[str, str]):
    """But that one which loops may be refused as well: it leads nowhere."""
    listed = [{"path": path, "target": target, "mtime_ns": 0} for path, target in links.items()]
    folders = [{"path": path, "mode": 0o755, "mtime_ns": 0} for path in (".", "d", "d/d")]
    with TemporaryDirectory() as folder:
        code, _ = reader.attempt(reader.fill, [], {"directories": folders, "files": [], "links": listed}, Path(folder))
    if any(leads_outside(path, links) for path in links):
        assert code == 4
    elif None not in {resolve(path, links) for path in links}:
        assert code == 0


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

"""A manifest is believed in nothing: each of these is refused with exit 4, and nothing is written anywhere."""

import base64
import hashlib
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from dr_lib.errors import IntegrityError
from dr_lib.format import canonical, layout
from dr_lib.format import manifest as manifest_format
from dr_lib.model.manifest import DirectoryEntry, LinkEntry, Manifest, PackSeal
from tests.properties.manifests import file_entry, small_manifest
from tests.world import ASSET, World, change, make_world

Edit = Callable[[Manifest], Manifest]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    world = make_world(tmp_path_factory.mktemp("w"), ("one",))
    (world.source / "d").mkdir()
    (world.source / "d" / "f").write_bytes(b"weights " * 1000)
    world.runtime.backup(ASSET)
    return world


def named(path: str) -> Edit:
    return lambda m: replace(m, files=(replace(m.files[0], path=path), *m.files[1:]))


def linked(*links: tuple[str, str]) -> Edit:
    return lambda m: replace(m, links=tuple(LinkEntry(path, target, 0) for path, target in links))


def framed(**facts: int) -> Edit:
    return lambda m: replace(
        m, files=(replace(m.files[0], frames=(replace(m.files[0].frames[0], **facts), *m.files[0].frames[1:])),)
    )


def summed(**facts: object) -> Edit:
    return lambda m: replace(m, summary=replace(m.summary, **facts))


def with_file(path: str) -> Edit:
    def edit(m: Manifest) -> Manifest:
        files = (*m.files, file_entry(path))
        return replace(m, files=files, summary=replace(m.summary, files=len(files)))

    return edit


def first(**facts: object) -> Edit:
    return lambda m: replace(m, files=(replace(m.files[0], **facts), *m.files[1:]))


def root(**facts: object) -> Edit:
    return lambda m: replace(m, directories=(replace(m.directories[0], **facts), *m.directories[1:]))


def unpacked(m: Manifest) -> Manifest:
    return replace(m, summary=replace(m.summary, packs=()))


def sealed_packs(m: Manifest) -> Manifest:
    packs = tuple(replace(ref, seal=PackSeal("ab" * 16, bytes(16))) for ref in m.summary.packs)
    frames = framed(seal=1)(m).files
    return replace(m, files=frames, summary=replace(m.summary, packs=packs))


CONTRADICTIONS = {
    "climbs out": named("../f"),
    "climbs out within": named("d/../../f"),
    "is absolute": named("/etc/passwd"),
    "is the root": named("."),
    "is empty": named(""),
    "is not normal": named("d//f"),
    "has a NUL": named("d/f\0"),
    "is no bytes": named("d/\ud800"),
    "has an endless name": named("d/" + "n" * 256),
    "has an endless path": named("d/" * 2100 + "f"),
    "lies nowhere": named("elsewhere/f"),
    "link out": linked(("l", "../x")),
    "link to the root": linked(("l", "/")),
    "link out through a link": linked(("a", "d"), ("d/up", ".."), ("b", "a/up/../x")),
    "link of nothing": linked(("l", "")),
    "link with a NUL": linked(("l", "x\0")),
    "link without an end": linked(("l", "d/" * 5000)),
    "a link of a file's name": linked(("d/f", "d")),
    "a link of a directory's name": linked(("d", ".")),
    "a file below a link": lambda m: with_file("l/x")(linked(("l", "d"))(m)),
    "a file of a directory's name": with_file("d"),
    "a file below a file": with_file("d/f/x"),
    "two files of one name": with_file("d/f"),
    "a directory twice": lambda m: replace(m, directories=(*m.directories, DirectoryEntry("d", 0o755, 0))),
    "no root": lambda m: replace(m, directories=tuple(d for d in m.directories if d.path != ".")),
    "setuid": first(mode=0o4755),
    "a mode without bounds": first(mode=1 << 70),
    "a root that is setgid": root(mode=0o2755),
    "a time without bounds": first(mtime_ns=1 << 63),
    "a frame behind its pack": framed(offset=1 << 40),
    "a frame longer than its pack": framed(length=60_000_000),
    "a frame that stores nothing": framed(length=0),
    "a frame of no pack": framed(pack=9),
    "no packs": unpacked,
    "a frame that is too short": framed(raw=7),
    "a frame of no bytes": framed(raw=0),
    "a frame beyond all frames": framed(raw=1 << 40),
    "a size that the frames do not fill": first(size=1 << 50),
    "other bytes": summed(logical_bytes=1),
    "other stored bytes": summed(stored_bytes=1),
    "other files": summed(files=7),
    "an attachment that climbs": lambda m: replace(m, attachments=(file_entry("../x"),)),
    "an attachment in a folder": lambda m: replace(m, attachments=(file_entry("d/x"),)),
    "an unknown codec": framed(codec=77),
    "an unknown seal": framed(seal=1),
    "sealed packs in a clear vault": sealed_packs,
    "another point's": summed(point="20200101T000000000000Z-00000000"),
    "another asset's": summed(asset="other"),
}


def refused(world: World, data: bytes) -> None:
    """The manifest in `data` instead of the point's own: a restore of it is refused and leaves no trace."""
    path = world.manifests("one")[0]
    whole = path.read_bytes()
    before = everything(world.folder)
    change(path, lambda _: data)
    try:
        with pytest.raises(IntegrityError):
            world.runtime.restore(ASSET, str(world.folder / "to" / "target"), point=path.stem, region="one")
    finally:
        change(path, lambda _: whole)
    assert everything(world.folder) == before


def everything(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused(world: World, name: str):
    sound = world.vault("one").manifest(ASSET, world.manifests("one")[0].stem)
    refused(world, manifest_format.dump(CONTRADICTIONS[name](sound)))


def enveloped(clear: dict, body: bytes, **envelope: object) -> bytes:
    payload = base64.b64encode(canonical.dumps(clear)).decode()
    facts = {"payload": payload, "payloadType": manifest_format.PAYLOAD_TYPE, "signatures": []} | envelope
    data = canonical.dumps(facts)
    return manifest_format.HEAD + struct.pack("<I32s", len(data), hashlib.sha256(data).digest()) + data + body


def taken_apart(data: bytes) -> tuple[dict, bytes]:
    end = 44 + int.from_bytes(data[8:12], "little")
    envelope = canonical.loads(data[44:end], "here")
    return canonical.loads(base64.b64decode(envelope["payload"]), "here"), data[end:]


def claims(clear: dict, body: bytes, **facts: object) -> dict:
    return clear | {"body": clear["body"] | {"sha256": hashlib.sha256(body).hexdigest()} | facts}


BOMB = zstandard.ZstdCompressor(level=19).compress(b'{"files":[' + b"[]," * 1_000_000 + b"[]]}")
FORGED = {
    "another kind of payload": lambda clear, body: enveloped(clear, body, payloadType="application/json"),
    "format 2": lambda clear, body: enveloped(clear | {"format": 2}, body),
    "format true": lambda clear, body: enveloped(clear | {"format": True}, body),
    "a sealed body": lambda clear, body: enveloped(claims(clear, body, seal=1), body),
    "an unknown codec": lambda clear, body: enveloped(claims(clear, body, codec=9), body),
    "a body without bounds": lambda clear, body: enveloped(claims(clear, body, raw=1 << 40), body),
    "a bomb that claims little": lambda clear, _: enveloped(claims(clear, BOMB, codec=1, raw=100), BOMB),
    "a million entries that are none": lambda clear, _: enveloped(claims(clear, BOMB, codec=1, raw=3_000_014), BOMB),
    "a body that is no JSON": lambda clear, _: enveloped(claims(clear, b"x", codec=0, raw=1), b"x"),
    "a payload that is no base64": lambda clear, body: enveloped(clear, body, payload="%%%"),
    "a payload that is a number": lambda clear, body: enveloped(clear, body, payload=7),
    "a number beyond floats": lambda clear, _: with_body(clear, stats_of(10**400)),
    "an infinite number": lambda clear, _: with_body(clear, stats_of(1).replace(b'"min":1', b'"min":1e999')),
}


def stats_of(minimum: int) -> bytes:
    _, body = taken_apart(manifest_format.dump(small_manifest()))
    raw = canonical.loads(zstandard.ZstdDecompressor().decompress(body), "here")
    raw["tensors"][0]["stats"]["min"] = minimum
    return canonical.dumps(raw)


def with_body(clear: dict, raw: bytes) -> bytes:
    return enveloped(claims(clear, raw, codec=0, raw=len(raw)), raw)


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_object_is_refused(world: World, name: str):
    clear, body = taken_apart(world.manifests("one")[0].read_bytes())
    assert len(BOMB) < 10_000
    assert manifest_format.load(enveloped(clear, body), "here")  # the forgery alone is what is refused
    refused(world, FORGED[name](clear, body))


def test_the_untouched_point_is_restored(world: World):
    """Without which all of the above would prove nothing."""
    target = world.folder.parent / f"{world.folder.name}-restored"
    world.runtime.restore(ASSET, str(target))
    assert (target / "d" / "f").read_bytes() == b"weights " * 1000


def test_keys_of_impossible_times_are_no_names():
    for key in (
        "points/a/20269999T000000000000Z-00000000.manifest",
        "points/a/٢٠260101T000000000000Z-00000000.manifest",
    ):
        assert layout.parse_manifest_key(key) is None
    assert layout.parse_manifest_key("points/a/20260101T000000000000Z-00000000.manifest") is not None

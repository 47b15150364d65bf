"""Records: what was written is what is read, and what was damaged is refused in one way, whatever the damage."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_lib.errors import IntegrityError
from dr_lib.format import canonical, index, layout, pack
from dr_lib.format import manifest as manifest_format
from dr_lib.format.index import IndexedPack
from tests.properties.manifests import manifests, small_manifest

quick = settings(max_examples=60, deadline=None)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
frames = st.lists(
    st.builds(
        lambda digest, codec, raw, length: pack.Frame(digest, codec, 0, raw, 0, length),
        st.binary(min_size=32, max_size=32),
        st.integers(0, 65535),
        st.integers(0, pack.MAX_RAW),
        st.integers(0, 5000),
    ),
    max_size=5,
)


def placed(found: list[pack.Frame]) -> tuple[pack.Frame, ...]:
    offset, out = len(pack.HEAD), []
    for f in found:
        out.append(pack.Frame(f.digest, f.codec, f.seal, f.raw, offset, f.length))
        offset += f.length
    return tuple(out)


def packed(found: tuple[pack.Frame, ...]) -> bytes:
    return pack.HEAD + b"".join(bytes([f.digest[0]]) * f.length for f in found) + pack.table(list(found))


def indexed(name: bytes, data: bytes) -> IndexedPack:
    return IndexedPack(name.hex() * 32, pack.outline(data, "here"))


def every_damage(data: bytes):
    for at in range(len(data)):
        for bits in (0x01, 0x20, 0xFF):
            yield at, data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]
        yield at, data[:at]


@quick
@given(st.dictionaries(st.text(), values, max_size=5))
def test_canonical_json_comes_back_and_has_one_spelling(value):
    data = canonical.dumps(value)
    assert canonical.loads(data, "here") == value
    assert canonical.dumps(json.loads(data)) == data
    assert data.isascii()


@quick
@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_object_or_refused(data):
    with contextlib.suppress(IntegrityError):
        assert isinstance(canonical.loads(data, "here"), dict)


@pytest.mark.parametrize("data", [b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":-Infinity}', b"[]", b"", b"[" * 100_000])
def test_what_json_leaves_open_is_refused(data):
    with pytest.raises(IntegrityError):
        canonical.loads(data, "here")


@quick
@given(manifests())
def test_a_manifest_comes_back_equal_and_its_summary_needs_only_the_head(made):
    data = manifest_format.dump(made)
    assert manifest_format.load(data, "here") == made
    assert manifest_format.dump(made) == data
    envelope = int.from_bytes(data[8:12], "little")
    assert manifest_format.load_summary(data[: 44 + envelope], "here") == made.summary


def test_every_changed_or_lost_byte_of_a_manifest_is_refused():
    data = manifest_format.dump(small_manifest())
    for at, damaged in every_damage(data):
        with pytest.raises(IntegrityError):
            manifest_format.load(damaged, f"byte {at}")
    with pytest.raises(IntegrityError):
        manifest_format.load(data + b"\0", "longer")


def test_every_changed_or_lost_byte_of_the_clear_part_is_refused_without_the_body():
    data = manifest_format.dump(small_manifest())
    head = data[: 44 + int.from_bytes(data[8:12], "little")]
    for at, damaged in every_damage(head):
        with pytest.raises(IntegrityError):
            manifest_format.load_summary(damaged, f"byte {at}")


@quick
@given(frames)
def test_a_pack_explains_itself(found):
    expected = placed(found)
    assert pack.parse(packed(expected), "here") == expected


def test_every_changed_or_lost_byte_outside_the_frames_of_a_pack_is_refused():
    expected = placed([pack.Frame(bytes([n]) * 32, n, 0, 10, 0, 7) for n in (1, 2)])
    data = packed(expected)
    inside = range(len(pack.HEAD), len(pack.HEAD) + 14)
    for at, damaged in every_damage(data):
        if at in inside and len(damaged) == len(data):
            assert pack.parse(damaged, "here") == expected  # a frame's own digest tells
            continue
        with pytest.raises(IntegrityError):
            pack.parse(damaged, f"byte {at}")


@quick
@given(st.lists(frames, max_size=3))
def test_an_index_comes_back(groups):
    packs = [indexed(bytes([n]), packed(placed(g))) for n, g in enumerate(groups)]
    assert list(index.load(index.dump(packs), "here")) == packs


def test_a_changed_index_is_refused_or_names_a_pack_that_is_not_there():
    """A pack's name stands in clear: a changed one matches no listed pack, so nothing is learned from it."""
    frame = placed([pack.Frame(b"d" * 32, 1, 0, 10, 0, 7)])
    packs = [indexed(b"\xab", packed(placed([]))), indexed(b"\xcd", packed(frame))]
    data = index.dump(packs)
    for _, damaged in every_damage(data):
        try:
            learned = list(index.load(damaged, "here"))
            for item in learned:
                pack.frames(item.outline, "here")
        except IntegrityError:
            continue
        assert all(item in packs or item.sha256 not in ("ab" * 32, "cd" * 32) for item in learned)


@quick
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_object_of_the_vault(data):
    for read in (manifest_format.load, manifest_format.load_summary, pack.parse):
        for prefix in (b"", manifest_format.HEAD, pack.HEAD):
            with pytest.raises(IntegrityError):
                read(prefix + data, "here")
    with pytest.raises(IntegrityError):
        list(index.load(index.HEAD + b"\1" + data, "here"))


@quick
@given(st.text(max_size=80) | st.from_regex(r"(points|runs|events)/a/\d{8}T\d{12}Z-[0-9a-f]{8}\.manifest"))
def test_any_key_is_a_name_or_none(key):
    for parse in (layout.parse_manifest_key, layout.parse_plan_key, layout.parse_event_key):
        found = parse(key)
        assert found is None or found.asset in key
    assert layout.is_evidence_key(key) in (True, False)

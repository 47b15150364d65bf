"""Tar archives are cut at their members, so that a member that was inserted is stored, and little else."""

from __future__ import annotations

import io
import tarfile

import pytest

from dr_lib.sources.cut import cut_file
from tests.unit.sources.cutting.contents import KIB, MIB, assert_opaque, cut, new_bytes, noise, reader, spans_of

FORMATS = [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]


def archive(members: dict[str, bytes], form: int = tarfile.USTAR_FORMAT, *, pax: dict[str, str] | None = None) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as writer:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = len(content), pax or {}
            writer.addfile(info, io.BytesIO(content))
    return target.getvalue()


def shard(samples: int, length: int = 20_000) -> dict[str, bytes]:
    """A webdataset shard: an image and a label a sample."""
    return {
        f"{number:06}.{kind}": noise(number, length if kind == "jpg" else 5)
        for number in range(samples)
        for kind in ("jpg", "cls")
    }


@pytest.mark.parametrize("form", FORMATS)
def test_an_inserted_sample_leaves_most_bundles_as_they_are(form):
    members = shard(400)
    before = archive(members, form)
    after = archive({"000000.a.jpg": noise(9999, 33_333), **members}, form)
    assert new_bytes(after, before) < 2 * MIB < len(before) / 4


def test_a_removed_sample_leaves_most_bundles_as_they_are():
    members = shard(400)
    fewer = {name: content for name, content in members.items() if not name.startswith("000100.")}
    assert new_bytes(archive(fewer), archive(members)) < 2 * MIB


def test_bundles_are_of_a_good_length():
    lengths = [span.length for span in cut(archive(shard(400))).spans]
    assert max(lengths) <= MIB
    assert min(lengths[:-1]) >= 256 * KIB


@pytest.mark.parametrize("form", FORMATS)
def test_a_long_member_has_frames_of_its_own(form):
    long = noise(1, 5 * MIB)
    content = archive({"small" * 18: b"x" * 700, "long": long, "after": b"y"}, form)
    assert [span.length for span in spans_of(content, long)] == [4 * MIB, MIB]
    assert new_bytes(archive({"long": long}, form), content) < 16 * KIB


def test_a_size_that_only_the_pax_header_states_is_heeded():
    long = noise(1, 2 * MIB)
    content = bytearray(
        archive({"long": long, "after": noise(2, 2 * MIB)}, tarfile.PAX_FORMAT, pax={"size": str(2 * MIB)})
    )
    header = content.index(long) - 512
    content[header + 124 : header + 136] = b"00000000000\0"
    plain = content[header : header + 148] + b" " * 8 + content[header + 156 : header + 512]
    content[header + 148 : header + 156] = b"%06o\0 " % sum(plain)
    assert [span.length for span in spans_of(bytes(content), long)] == [2 * MIB]
    assert [span.length for span in spans_of(bytes(content), noise(2, 2 * MIB))] == [2 * MIB]


def test_a_number_in_base_256_is_read():
    content = bytearray(archive({"long": noise(1, 2 * MIB)}))
    content[124:136] = b"\x80" + (2 * MIB).to_bytes(11, "big")
    content[148:156] = b"%06o\0 " % sum(content[:148] + b" " * 8 + content[156:512])
    assert [span.length for span in spans_of(bytes(content), noise(1, 2 * MIB))] == [2 * MIB]


def test_a_link_has_no_content_whatever_size_it_states():
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as writer:
        link = tarfile.TarInfo("link")
        link.type, link.linkname, link.size = tarfile.LNKTYPE, "long", 4096
        writer.addfile(link)
        long = tarfile.TarInfo("long")
        long.size = 2 * MIB
        writer.addfile(long, io.BytesIO(noise(1, 2 * MIB)))
    assert [span.length for span in spans_of(target.getvalue(), noise(1, 2 * MIB))] == [2 * MIB]


def test_what_follows_a_damaged_header_is_cut_at_a_fixed_length():
    content = bytearray(archive({"a": noise(1, 2 * MIB), "b": noise(2, 9 * MIB)}))
    damaged = 512 + 2 * MIB
    content[damaged : damaged + 100] = noise(3, 100)
    assert [span.length for span in cut(bytes(content)).spans][:4] == [512, 2 * MIB, 4 * MIB, 4 * MIB]


def test_a_first_header_whose_sum_is_wrong_makes_no_archive():
    content = bytearray(archive({"a": noise(1, 2 * MIB)}))
    content[0] ^= 1
    assert_opaque(bytes(content))


def test_a_member_that_is_longer_than_the_file_makes_no_archive():
    assert_opaque(archive({"a": noise(1, 2 * MIB)})[: MIB + 512])


def test_headers_are_read_and_contents_are_not():
    content, read = archive({str(number): noise(number, 3 * MIB) for number in range(5)}), []

    def noting(offset: int, length: int) -> bytes:
        read.append(length)
        return reader(content)(offset, length)

    cut_file("data.tar", noting, len(content))
    assert sum(read) < 200 * KIB

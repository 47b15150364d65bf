"""Zip archives are cut at their members, so that a storage that did not change is not stored again."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch

from dr_lib.errors import SourceUnstable
from dr_lib.sources.cut import cut_file
from tests.unit.sources.cutting.contents import KIB, MIB, assert_opaque, cut, frames, new_bytes, noise, reader, spans_of


def checkpoint(*tensors: torch.Tensor) -> bytes:
    target = io.BytesIO()
    torch.save({f"layer.{number}": tensor for number, tensor in enumerate(tensors)}, target)
    return target.getvalue()


def weights(seed: int, elements: int) -> torch.Tensor:
    return torch.randn(elements, generator=torch.Generator().manual_seed(seed))


def storage(tensor: torch.Tensor) -> bytes:
    return tensor.numpy().tobytes()


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_STORED, extra: bytes = b"") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as writer:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type, info.extra = method, extra
            writer.writestr(info, content)
    return target.getvalue()


def test_the_frames_of_a_long_storage_begin_where_its_content_does():
    long = weights(1, 5 * MIB // 4 + 3)
    spans = spans_of(checkpoint(weights(2, 100), long, weights(3, 7)), storage(long))
    assert [span.length for span in spans] == [4 * MIB, MIB + 12]


def test_a_storage_that_did_not_change_is_not_stored_again_wherever_it_moved_to():
    kept, changed = [weights(seed, 600_000) for seed in range(4)], weights(9, 600_000)
    before = checkpoint(*kept)
    after = checkpoint(weights(8, 1000), kept[3], kept[0], changed, kept[2])
    assert new_bytes(after, before) < len(storage(changed)) + 16 * KIB


def test_a_checkpoint_of_small_tensors_is_bundled():
    content = checkpoint(*(weights(seed, 5_000) for seed in range(200)))
    lengths = [span.length for span in cut(content).spans]
    assert max(lengths) <= MIB
    assert min(lengths[:-2]) >= 256 * KIB  # the last bundle ends where the directory begins


def test_a_legacy_pickle_is_opaque_and_never_loaded():
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return pytest.fail, ("it was unpickled",)

    target = io.BytesIO()
    torch.save({"w": weights(1, MIB)}, target, _use_new_zipfile_serialization=False)
    assert_opaque(target.getvalue())
    assert_opaque(pickle.dumps(Bomb()) + noise(1, 2 * MIB))
    assert cut(archive({"data.pkl": pickle.dumps(Bomb()), "data/0": noise(2, 2 * MIB)})).tensors == ()


def test_arrays_of_an_npz_are_members():
    first, second = np.frombuffer(noise(1, MIB), "u1"), np.frombuffer(noise(2, 2 * MIB), "u1")
    contents = []
    for arrays in ({"a": first, "b": second}, {"longer": second, "c": first[:9], "d": first}):
        target = io.BytesIO()
        np.savez(target, **arrays)
        contents.append(target.getvalue())
    assert new_bytes(contents[1], contents[0]) < 4 * KIB


def test_a_long_deflated_member_has_frames_of_its_own():
    text = b"".join(b"%d " % number for number in range(1_000_000))
    before = archive({"a": noise(1, 5000), "text": text}, zipfile.ZIP_DEFLATED)
    after = archive({"a": noise(2, 7000), "text": text}, zipfile.ZIP_DEFLATED)
    assert len(before) > 2 * MIB
    assert new_bytes(after, before) < 8 * KIB


def test_a_member_added_among_many_small_ones_leaves_most_bundles_as_they_are():
    members = {f"m{number:04}": noise(number, 20_000) for number in range(400)}
    before = archive(members)
    after = archive({"an added one": noise(999, 30_000), **members})
    assert new_bytes(after, before) < len(before) / 4


def test_an_archive_in_zip64_is_cut_alike():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as writer:
        for name in ("a", "b"):
            with writer.open(name, "w", force_zip64=True) as member:
                member.write(noise(ord(name), MIB + 5))
    assert [span.length for span in spans_of(target.getvalue(), noise(ord("b"), MIB + 5))] == [MIB + 5]


def test_a_comment_after_the_directory_changes_no_member():
    content = archive({"a": noise(1, MIB), "b": noise(2, MIB)})
    target = io.BytesIO(content)
    with zipfile.ZipFile(target, "a") as writer:
        writer.comment = b"of no meaning" * 100
    assert new_bytes(target.getvalue(), content) < 4 * KIB


@pytest.mark.parametrize("damage", ["truncated", "directory", "local header", "overlap"])
def test_a_damaged_archive_is_opaque(damage):
    content = bytearray(archive({"a": noise(1, 2 * MIB), "b": noise(2, MIB)}))
    directory = content.index(b"PK\1\2")
    if damage == "truncated":
        del content[-1000:]
        content += noise(5, 200)
    elif damage == "directory":
        content[directory] ^= 1
    elif damage == "local header":
        content[content.index(b"PK\3\4", 10)] ^= 1
    else:
        struct.pack_into("<I", content, directory + 20, 3 * MIB)
    assert_opaque(bytes(content))


def test_a_directory_that_claims_the_whole_file_is_not_read():
    size, asked = 200 * MIB, []
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 9, 9, size - 22, 0, 0)

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        content = bytes(length) if offset else b"PK\3\4".ljust(length, b"\0")
        return content[: -len(end)] + end if offset + length == size else content

    cut_file("weights.bin", read, size)
    assert max(asked) <= 16 * MIB


def test_what_the_source_raises_is_passed_on():
    content = archive({"a": noise(1, 2 * MIB)})

    def read(offset: int, length: int) -> bytes:
        if offset > MIB:
            raise SourceUnstable("it is gone", where="here", hint="stop writing")
        return reader(content)(offset, length)

    with pytest.raises(SourceUnstable):
        cut_file("w.pt", read, len(content))


def test_little_more_than_the_directory_is_read():
    content, read = checkpoint(*(weights(seed, 400_000) for seed in range(6))), []

    def noting(offset: int, length: int) -> bytes:
        read.append(length)
        return reader(content)(offset, length)

    cut_file("w.pt", noting, len(content))
    assert sum(read) < 200 * KIB
    assert len(frames(content)) >= 12

"""The storages of torch checkpoints get their dtypes, and flat state dicts their tensors, without unpickling."""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import Any

import numpy as np
import pytest
import torch

from dr_lib.codecs import registry
from dr_lib.sources.cut import cut_file
from dr_lib.sources.tensor_meter import TensorMeter
from tests.unit.sources.cutting.checkpoints import bytes_of, saved, trained, weights
from tests.unit.sources.cutting.contents import MIB, cut, noise, reader, spans_of

SAFETENSORS = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.uint16: "U16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
    torch.complex64: "C64",
}


def stored_share(content: bytes) -> float:
    spans = cut(content).spans
    encoded = (registry.encode_smallest(content[s.offset : s.offset + s.length], s.dtype)[1] for s in spans)
    return sum(map(len, encoded)) / len(content)


def listed(content: bytes) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    return {
        t.name: (t.dtype, t.shape, content[t.offset : t.offset + t.length])
        for t in cut(content.ljust(MIB, b"\0") if len(content) < MIB else content).tensors
    }


def rewritten(content: bytes, changes: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """The archive with other members in place of some; `zipfile` aligns nothing and writes no descriptors."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w", method) as writer:
        for name in source.namelist():
            writer.writestr(name, changes.get(name, source.read(name)))
    return target.getvalue()


@pytest.mark.parametrize("dtype", SAFETENSORS, ids=str)
def test_a_long_storage_has_the_dtype_that_it_was_saved_with(dtype):
    tensor = (torch.arange(2 * MIB) % 2).to(dtype)
    content = saved({"other": weights(1, 10), "w": tensor})
    assert {span.dtype for span in spans_of(content, bytes_of(tensor))} == {SAFETENSORS[dtype]}
    assert listed(content)["w"] == (SAFETENSORS[dtype], (2 * MIB,), bytes_of(tensor))


def test_a_flat_state_dict_gives_every_tensor_exactly():
    mixed = {
        "half": weights(1, 900, 700, dtype=torch.float16),
        "small": weights(2, 3, 5, dtype=torch.bfloat16),
        "scalar": torch.tensor(4.5),
        "nothing": torch.zeros(0, 7, dtype=torch.int64),
        "ids": torch.arange(500).reshape(1, -1),
        "parameter": torch.nn.Parameter(weights(3, 40, 40)),
        "epoch": 7,
    }
    found = listed(saved(mixed))
    assert list(found) != sorted(found)
    assert found == {
        name: (SAFETENSORS[t.dtype], tuple(t.shape), bytes_of(t)) for name, t in mixed.items() if name != "epoch"
    }


def test_the_ordered_state_dict_of_a_module_is_flat_too():
    model, _ = trained(600)
    assert set(listed(saved(model.state_dict()))) == set(model.state_dict())


def test_views_are_tensors_where_they_are_contiguous():
    base = weights(1, 1000, 400)
    content = saved({"base": base, "tied": base, "rows": base[10:20], "columns": base[:, :9], "turned": base.t()})
    found = listed(content)
    assert {name: facts[2] for name, facts in found.items()} == {
        "base": bytes_of(base),
        "tied": bytes_of(base),
        "rows": bytes_of(base[10:20]),
    }


def test_tensors_that_share_bytes_are_each_measured_whole():
    base = weights(1, 1000, 400)
    content = saved({"base": base, "tied": base, "rows": base[10:20]})
    found = cut(content)
    meter = TensorMeter("w.pt", found.tensors)
    entries = [e for s in found.spans for e in meter.feed(s.offset, content[s.offset : s.offset + s.length])]
    assert sorted(entry.name for entry in entries) == ["base", "rows", "tied"]
    digests = {entry.name: entry.digest for entry in entries}
    assert digests["base"] == digests["tied"] != digests["rows"]
    assert all(entry.stats and entry.stats.mean == pytest.approx(0, abs=1e-3) for entry in entries)


def test_views_that_claim_their_storage_many_times_over_are_no_tensors():
    base = weights(1, 300_000)
    assert listed(saved({str(number): base for number in range(5)})) == {}


def test_nested_checkpoints_have_dtypes_and_no_tensors():
    model, optimizer = trained(700)
    content = saved({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3})
    moments = optimizer.state[model[0].weight]["exp_avg"]
    assert cut(content).tensors == ()
    assert {span.dtype for span in spans_of(content, bytes_of(moments))} == {"F32"}


def test_bundles_of_short_storages_have_the_dtype_of_most():
    short = {str(number): weights(number, 300, 300, dtype=torch.bfloat16) for number in range(30)}
    content = saved({**short, "step": torch.tensor(1.0)})
    assert [span.dtype for span in cut(content).spans[:-1]] == ["BF16"] * (len(cut(content).spans) - 1)
    assert stored_share(content) < 0.69


def test_a_bfloat16_checkpoint_is_stored_as_small_as_safetensors():
    content = saved({str(n): weights(n, 1000, 900, dtype=torch.bfloat16) for n in range(3)})
    assert stored_share(content) < 0.67


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_scripted_modules_have_dtypes():
    module = torch.jit.script(torch.nn.Linear(600, 700))
    target = io.BytesIO()
    torch.jit.save(module, target)
    content = target.getvalue()
    assert {span.dtype for span in spans_of(content, bytes_of(module.weight))} == {"F32"}


def test_an_untyped_storage_of_two_dtypes_has_none():
    raw = torch.arange(2 * MIB, dtype=torch.int32).view(torch.uint16)
    content = saved({"a": raw, "b": raw.view(torch.float8_e5m2)})
    assert {span.dtype for span in spans_of(content, bytes_of(raw))} == {None}


def test_a_checkpoint_of_big_endian_numbers_is_opaque():
    content = saved({"w": weights(1, MIB)})
    assert content.count(b"little") == 1
    assert {span.dtype for span in cut(content.replace(b"little", b"bigend")).spans} == {None}


def test_a_checkpoint_that_was_compressed_has_no_dtypes():
    content = saved({"w": weights(1, MIB)})
    assert {span.dtype for span in cut(rewritten(content, {}, zipfile.ZIP_DEFLATED)).spans} == {None}
    assert cut(rewritten(content, {})).tensors != ()


def test_a_pickle_that_claims_another_storage_places_no_tensor_outside_of_it():
    whole, short = saved({"w": weights(1, 2 * MIB)}), saved({"w": weights(1, MIB)})
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        lying = archive.read("archive/data.pkl")
    assert cut(rewritten(short, {"archive/data.pkl": lying})).tensors == ()


class Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return pytest.fail, ("it was unpickled",)


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\x80\x02",
        b"garbage",
        b"(" * 100_000,
        b"\x80\x04]" + b"\x94\x86h\x00" * 9,
        b"\x80\x02N" + b"2\x86" * 100_000 + b".",
        b"\x80\x02K\x01" + b"2\x86q\x00" * 200 + b"Q.",
        b"\x80\x02" + b"N0" * 300_000 + b".",
        b"\x80\x02\x8b\xff\xff\xff\x7f.",
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x02h\x07.",
        pickle.dumps(Bomb()),
        pickle.dumps({"w": np.arange(9)}),
    ],
)
def test_hostile_pickles_give_no_dtype_and_no_error(hostile):
    found = cut(rewritten(saved({"w": weights(1, MIB)}), {"archive/data.pkl": hostile}))
    assert {span.dtype for span in found.spans} == {None}
    assert found.tensors == ()


def test_a_pickle_that_is_too_long_is_not_read():
    content, asked = rewritten(saved({"w": weights(1, MIB)}), {"archive/data.pkl": noise(1, 9 * MIB)}), []

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        return reader(content)(offset, length)

    cut_file("w.pt", read, len(content))
    assert max(asked) < MIB


def test_numbers_of_an_npz_have_their_dtype():
    array = np.random.default_rng(1).standard_normal(MIB).astype(np.float32)
    target = io.BytesIO()
    np.savez(target, short=array[:5], long=array, text=np.array(["x"]))
    spans = spans_of(target.getvalue(), array.tobytes())
    assert {span.dtype for span in spans} == {"F32"}

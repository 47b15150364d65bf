"""Assets as the usual programs write them, in two versions that differ in one part.

Where the program is not installed, the bytes that matter are put together by hand: contents between their headers.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import torch.distributed.checkpoint as dcp
from numpy.typing import NDArray
from pyarrow import feather
from safetensors.torch import save_file

from tests.unit.sources.cutting.checkpoints import bytes_of, trained, weights

PARTS = 6
ROWS = 40_000
Write = Callable[[Path, int], None]
"""Write a version into a directory; `version` 1 differs from 0 in one of about `PARTS` parts."""


@dataclass(frozen=True)
class Kind:
    """How an asset is written, and the greatest share of a second version that may have to be stored."""

    write: Write
    share: float


def tensors(version: int) -> dict[str, torch.Tensor]:
    """A model of `PARTS` matrices, of which one is another in version 1, and some vectors."""
    seeds = [number + 100 * (version and number == 2) for number in range(PARTS)]
    big = {f"layer.{seed % 100}.weight": weights(seed, 512, 700) for seed in seeds}
    return big | {f"layer.{number}.bias": weights(50 + number, 700) for number in range(PARTS)}


def raw(version: int) -> list[bytes]:
    """The same model as bytes, one a tensor."""
    return [bytes_of(tensor) for tensor in tensors(version).values()]


def lines(version: int, form: str) -> bytes:
    """Rows of text; version 1 has one more, near the start."""
    rows = [form % (number, number * 7919 % 104_729 / 7) for number in range(300_000)]
    rows[1000:1000] = [form % (-1, 0.5)] * version
    return "".join(rows).encode()


def table(group: int) -> pa.Table:
    """Row group number `group` of a dataset."""
    random = np.random.default_rng(group)
    words = random.choice(["red", "green", "blue"], ROWS)
    return pa.table({"x": random.standard_normal(ROWS), "y": random.integers(0, 1 << 40, ROWS), "word": words})


def _safetensors(folder: Path, version: int) -> None:
    save_file(tensors(version), folder / "model.safetensors")


def _sharded(folder: Path, version: int) -> None:
    names: dict[str, str] = {}
    for number in range(3):
        shard = f"model-{number + 1:05}-of-00003.safetensors"
        part = dict(list(tensors(version).items())[number::3])
        save_file(part, folder / shard)
        names |= dict.fromkeys(part, shard)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))


def _header_edited(folder: Path, version: int) -> None:
    """Only what the header says is new, and it is longer."""
    save_file(tensors(0), folder / "model.safetensors", {"format": "pt", "note": "edited " * 99 * version})


def _checkpoint(folder: Path, version: int) -> None:
    _, optimizer = trained()
    torch.save({"model": tensors(version), "optimizer": optimizer.state_dict(), "epoch": version}, folder / "last.pt")


def _state_dict(folder: Path, version: int) -> None:
    torch.save(tensors(version), folder / "pytorch_model.bin")


def _distributed(folder: Path, version: int) -> None:
    dcp.save({"model": tensors(version), "step": version}, checkpoint_id=folder / "checkpoint", no_dist=True)


def _exported(folder: Path, version: int) -> None:
    module = torch.nn.Sequential(*(torch.nn.Linear(512, 512, bias=False) for _ in range(PARTS)))
    for number, layer in enumerate(module):
        layer.weight = torch.nn.Parameter(weights(number + 100 * (version and number == 2), 512, 512))
    torch.export.save(torch.export.export(module, (torch.ones(1, 512),)), folder / "model.pt2")


def _npz(folder: Path, version: int) -> None:
    arrays: dict[str, NDArray[Any]] = {name: tensor.numpy() for name, tensor in tensors(version).items()}
    np.savez(folder / "arrays.npz", **arrays)


def _parquet(folder: Path, version: int) -> None:
    """Version 1 has one more row group behind the others."""
    with pq.ParquetWriter(folder / "table.parquet", table(0).schema) as writer:
        for group in range(PARTS + version):
            writer.write_table(table(group))


def _arrow(folder: Path, version: int) -> None:
    with pa.ipc.new_file(folder / "table.arrow", table(0).schema) as writer:
        for group in range(PARTS + version):
            writer.write_table(table(group))


def _feather(folder: Path, version: int) -> None:
    rows = pa.concat_tables([table(group) for group in range(PARTS + version)])
    feather.write_feather(rows, folder / "table.feather", compression="uncompressed", chunksize=ROWS)


def _csv(folder: Path, version: int) -> None:
    (folder / "rows.csv").write_bytes(lines(version, "%d,%.9f\n"))


def _jsonl(folder: Path, version: int) -> None:
    (folder / "rows.jsonl").write_bytes(lines(version, '{"id": %d, "value": %.9f}\n'))


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + _varint(number >> 7)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _onnx(folder: Path, version: int) -> None:
    """onnx.proto3: ModelProto.graph (7), GraphProto.initializer (5), TensorProto.name (8) and .raw_data (9)."""
    named = enumerate(raw(version))
    initializers = b"".join(_field(5, _field(8, b"w%d" % number) + _field(9, data)) for number, data in named)
    (folder / "model.onnx").write_bytes(b"\x08\x09" + _field(7, initializers))


def _saved_model(folder: Path, version: int) -> None:
    """A tensor bundle: contents back to back in the data file, where the index points."""
    (folder / "variables").mkdir()
    (folder / "saved_model.pb").write_bytes(_field(2, b"graph"))
    (folder / "variables/variables.data-00000-of-00001").write_bytes(b"".join(raw(version)))
    (folder / "variables/variables.index").write_bytes(b"\0" * 48 + bytes.fromhex("57fb808b247547db"))


def _hdf5(version: int, behind: int = 0) -> bytes:
    contents = raw(version) + [bytes_of(weights(200 + number, 512, 700)) for number in range(behind)]
    return b"\x89HDF\r\n\x1a\n" + bytes(2040) + b"".join(b"TREE" + bytes(540) + data for data in contents)


def _keras_h5(folder: Path, version: int) -> None:
    (folder / "model.h5").write_bytes(_hdf5(version))


def _keras(folder: Path, version: int) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in {
            "metadata.json": b"{}",
            "config.json": b"{}",
            "model.weights.h5": _hdf5(version, 12),
        }.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    (folder / "model.keras").write_bytes(target.getvalue())


def _mxnet(folder: Path, version: int) -> None:
    """A list of NDArrays: a magic number, a count, then for each a header and its contents."""
    arrays = [struct.pack("<IiI2qiii", 0xF993FAC9, 0, 2, 512, 700, 1, 0, 0) + data for data in raw(version)]
    (folder / "model.params").write_bytes(struct.pack("<3Q", 0x112, 0, len(arrays)) + b"".join(arrays))


KINDS = {
    "safetensors": Kind(_safetensors, 0.18),
    "sharded safetensors": Kind(_sharded, 0.18),
    "safetensors header": Kind(_header_edited, 0.001),
    "torch state dict": Kind(_state_dict, 0.19),
    "torch checkpoint": Kind(_checkpoint, 0.19),
    "torch distributed checkpoint": Kind(_distributed, 0.19),
    "torch export": Kind(_exported, 0.19),
    "npz": Kind(_npz, 0.19),
    "parquet": Kind(_parquet, 0.2),
    "arrow": Kind(_arrow, 0.35),
    "feather": Kind(_feather, 0.35),
    "csv": Kind(_csv, 0.4),
    "jsonl": Kind(_jsonl, 0.3),
    "onnx": Kind(_onnx, 0.45),
    "saved model": Kind(_saved_model, 0.45),
    "keras h5": Kind(_keras_h5, 0.45),
    "keras": Kind(_keras, 0.45),
    "mxnet": Kind(_mxnet, 0.45),
}
"""Opaque ones are cut into chunks of up to 4 MiB, of which a change touches two or so: a large share of 8 MiB."""

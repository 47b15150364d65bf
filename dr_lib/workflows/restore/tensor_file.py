"""A safetensors file of chosen tensors alone. Format: https://github.com/huggingface/safetensors#format."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Final

from blake3 import blake3

from dr_lib.errors import IntegrityError
from dr_lib.model.manifest import Manifest, TensorEntry
from dr_lib.workflows.restore.output import Check, Output
from dr_lib.workflows.restore.tensor_choice import choose_tensors, pieces_of
from dr_lib.workflows.restore.tree import Tree

NAME: Final = "tensors.safetensors"
MODE: Final = 0o644
_ALIGNMENT: Final = 8


def tensor_tree(manifest: Manifest, names: Sequence[str]) -> Tree:
    """A directory with one file, `NAME`, that holds the tensors of those names; errors as `choose_tensors`."""
    files = {file.path: file for file in manifest.files}
    tensors = sorted(choose_tensors(manifest, names), key=lambda t: (-_width(t), t.name))
    head = _head(tensors, f"{manifest.summary.asset}/{manifest.summary.point}")
    checks, offset = [], len(head)
    for tensor in tensors:
        if tensor.length:
            checks.append(Check(offset, tensor.length, tensor.digest, f"the restored tensor {tensor.name!r}"))
        elif tensor.digest != blake3(b"").digest():
            raise IntegrityError(f"the tensor {tensor.name!r} has no bytes and the digest of some")
        offset += tensor.length
    pieces = tuple(piece for tensor in tensors for piece in pieces_of(files, tensor))
    mtime_ns = max(files[tensor.file].mtime_ns for tensor in tensors)
    output = Output(NAME, offset, MODE, mtime_ns, pieces, tuple(checks), head)
    return Tree((output,), tuple(d for d in manifest.directories if d.path == "."))


def _head(tensors: Sequence[TensorEntry], origin: str) -> bytes:
    """Length and JSON header, padded so that the data begins aligned; the widest elements come first."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt", "from": origin}}
    at = 0
    for tensor in tensors:
        offsets = [at, at + tensor.length]
        header[tensor.name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": offsets}
        at += tensor.length
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def _width(tensor: TensorEntry) -> int:
    count = math.prod(tensor.shape)
    return tensor.length // count if count else 0

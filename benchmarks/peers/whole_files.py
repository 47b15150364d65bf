"""How small compressors that keep nothing make the real weights: Zstandard, and zipnn where it is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import zstandard

from benchmarks.peers.models import DTYPES, make_real

ZIPNN_NAMES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
ZSTD_LEVEL = 3
Sizes = dict[str, dict[str, float]]
"""Compressed/logical by dtype and compressor."""


def whole_file_ratios(folder: Path) -> Sizes:
    """Of all-MiniLM-L6-v2 in each dtype; `folder` is absent and is left for the caller to remove."""
    return {dtype: _ratios(folder / dtype, dtype) for dtype in DTYPES}


def _ratios(folder: Path, dtype: str) -> dict[str, float]:
    make_real(folder, dtype)
    raw = (folder / "model.safetensors").read_bytes()
    found = {f"zstd-{ZSTD_LEVEL}": len(zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(raw)) / len(raw)}
    if importlib.util.find_spec("zipnn"):
        from zipnn import ZipNN

        compressor = ZipNN(bytearray_dtype=ZIPNN_NAMES[dtype])
        found["zipnn"] = len(compressor.compress(bytearray(raw))) / len(raw)
    return found

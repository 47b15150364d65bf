"""Model weights to back up: real ones in three dtypes, generated ones of any size, and those fine-tuned."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from dr_lib.demo.assets import stage_model

LAYERS = 16
TUNED = range(12, 16)
"""The quarter of the layers that the second version fine-tuned: the last ones, as is usual."""
TUNING = 0.02
"""How far a weight moves, in standard deviations of its tensor."""
LAYERS_A_SHARD = 8
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def make_real(folder: Path, dtype: str) -> None:
    """all-MiniLM-L6-v2's weights alone, cast to `dtype`; whole numbers stay as they are."""
    staged = folder.with_name(f"{folder.name} as it comes")
    stage_model(staged)
    tensors = load_file(staged / "model.safetensors")
    folder.mkdir(parents=True)
    cast = {name: t.to(DTYPES[dtype]) if t.is_floating_point() else t for name, t in tensors.items()}
    save_file(cast, folder / "model.safetensors", metadata={"format": "pt"})


def make_generated(folder: Path, hidden: int, *, tuned: bool = False, repeats: int = 1) -> None:
    """A bf16 model of `repeats` times `LAYERS` layers, `LAYERS_A_SHARD` of them a safetensors file, and the index.

    A layer of `hidden` h has four square matrices of h and three of h times 18/7 h, as Llama's do: 1792 makes 1.2 GB of
    16 layers. Weights are normal, as trained ones nearly are, each tensor with its own deviation. `tuned` moves every
    weight of the layers in `TUNED` and leaves the others as they are.
    """
    folder.mkdir(parents=True)
    shards = [range(at, at + LAYERS_A_SHARD) for at in range(0, LAYERS * repeats, LAYERS_A_SHARD)]
    weight_map: dict[str, str] = {}
    for number, layers in enumerate(shards, start=1):
        name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        tensors = {key: t for layer in layers for key, t in _layer(layer, hidden, tuned=tuned and layer in TUNED)}
        save_file(tensors, folder / name, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(tensors, name)
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2, sort_keys=True))
    (folder / "config.json").write_text(json.dumps({"hidden_size": hidden, "num_hidden_layers": LAYERS * repeats}))


def _layer(number: int, hidden: int, *, tuned: bool) -> Iterator[tuple[str, torch.Tensor]]:
    inner = hidden * 18 // 7 // 8 * 8
    shapes = {
        "self_attn.q_proj": (hidden, hidden),
        "self_attn.k_proj": (hidden, hidden),
        "self_attn.v_proj": (hidden, hidden),
        "self_attn.o_proj": (hidden, hidden),
        "mlp.gate_proj": (inner, hidden),
        "mlp.up_proj": (inner, hidden),
        "mlp.down_proj": (hidden, inner),
    }
    random = torch.Generator().manual_seed(number)
    for name, shape in shapes.items():
        deviation = 0.02 * math.exp(0.5 * torch.randn(1, generator=random).item())
        weights = torch.randn(shape, generator=random).mul_(deviation)
        if tuned:
            moved = torch.Generator().manual_seed(1_000_000 + number)
            weights += torch.randn(shape, generator=moved).mul_(TUNING * deviation)
        yield f"model.layers.{number}.{name}.weight", weights.to(torch.bfloat16)
    yield f"model.layers.{number}.input_layernorm.weight", torch.ones(hidden, dtype=torch.bfloat16)

"""Files that torch itself wrote."""

from __future__ import annotations

import io
from typing import Any

import torch


def saved(value: Any) -> bytes:
    """What `torch.save` makes of `value`."""
    target = io.BytesIO()
    torch.save(value, target)
    return target.getvalue()


def weights(seed: int, *shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Numbers as models have them."""
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.02
    return drawn.to(dtype)


def bytes_of(tensor: torch.Tensor) -> bytes:
    """The elements in row-major order."""
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def trained(features: int = 300) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """A model and its optimizer after one step."""
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(features, features), torch.nn.LayerNorm(features))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(features)).sum().backward()
    optimizer.step()
    return model, optimizer

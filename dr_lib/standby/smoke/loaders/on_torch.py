"""What loaders that run on torch have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch

from dr_lib.standby.smoke.loaders.base import Rows

CUDA = torch.cuda if torch.cuda.is_available() else None
DEVICE = "cpu" if CUDA is None else "cuda"


class OnTorch:
    """A torch module on the GPU if there is one."""

    def __init__(self, module: Any) -> None:
        """Put the module there, ready to answer."""
        self.module = module.to(DEVICE)
        self.accelerator = "cpu" if CUDA is None else str(CUDA.get_device_name(0))
        self.parameters = sum(parameter.numel() for parameter in module.parameters())

    def weights(self) -> Iterator[tuple[str, str, Any]]:
        """The state of the module; buffers that are computed anew at loading are no part of it."""
        yield from tensor_bytes(self.module.state_dict().items())

    def peak_gpu_bytes(self) -> int:
        """As torch counts it."""
        return 0 if CUDA is None else int(CUDA.max_memory_allocated())


def tensor_bytes(named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    """Name, type and bytes of tensors, brought to the CPU one at a time."""
    for name, tensor in named:
        if isinstance(tensor, torch.Tensor):
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            yield name, str(tensor.dtype).removeprefix("torch."), flat.view(torch.uint8).numpy()


def row_of(output: Any) -> Rows:
    """The first tensor of an output, flattened to one row."""
    while not isinstance(output, torch.Tensor):
        output = next(iter(output.values())) if isinstance(output, dict) else output[0]
    return np.asarray(output.detach().float().cpu().reshape(-1).numpy(), dtype=np.float32)

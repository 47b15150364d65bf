"""Tensors of a recovery point, straight into memory: `load_state_dict("minilm")`. Needs torch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dr_lib.errors import UsageError
from dr_lib.progress import SILENT, Progress
from dr_lib.runtime import Runtime

if TYPE_CHECKING:
    import torch

_log = logging.getLogger(__name__)


def load_state_dict(
    asset: str,
    *,
    point: str = "latest",
    region: str | None = None,
    device: str | torch.device = "cpu",
    names: Sequence[str] | None = None,
    file: str | None = None,
    config: Path | Runtime | None = None,
    progress: Progress = SILENT,
) -> dict[str, torch.Tensor]:
    """The tensors of an asset's point by name, on `device`, streamed there from a vault without a file between.

    `names` are `NAME` or `FILE:NAME` (all tensors, when None); `file` takes those of one file alone. `config` is a
    `dr.yaml`, or a runtime that has one. Every frame is proven before it is copied, and every tensor's BLAKE3-256 is
    computed from what lies on the device before anything is returned. Memory besides the tensors stays below 600 MB.
    A point in quarantine is taken by its id alone, and a warning is logged.

    Raises `UsageError` (2) when a name is in two files, for dtypes that torch does not have, and without torch or the
    device; `NotFound` (5), `IntegrityError` (4) and `StoreUnavailable` (6) as a restore. A retry starts afresh.
    """
    try:
        from dr_lib.torch_memory import TorchMemory
    except ImportError as error:
        raise UsageError("torch is not installed", hint="pip install torch, or `drctl restore --tensor`") from error
    runtime = config if isinstance(config, Runtime) else Runtime.load(config)
    memory = TorchMemory(device)
    told = runtime.stream_tensors(asset, memory, point=point, region=region, names=names, file=file, progress=progress)
    for warning in told["warnings"]:
        _log.warning("%s: %s", asset, warning)
    return memory.tensors()

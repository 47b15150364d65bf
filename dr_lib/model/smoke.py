"""How a restored model is loaded, questioned and judged."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

LOADERS: Final = (
    "sentence-transformers",
    "transformers",
    "safetensors",
    "torchscript",
    "torch-export",
    "onnxruntime",
)
"""Loaders that ship; whoever has another names it `module:function`."""

READ_SAFETENSORS: Final = frozenset({"sentence-transformers", "transformers", "safetensors"})
"""Those that read weights from safetensors, and from nothing else."""

TAKE_TEXTS: Final = frozenset({"sentence-transformers", "transformers"})
"""Those that can be asked the sentences which ship with the program."""

WITHOUT_INFERENCE: Final = "safetensors"
"""The loader that reads every tensor, and asks no model."""

PANDAS: Final = "pandas"
TORCH: Final = "torch"
READERS: Final = (PANDAS, TORCH)
"""How a dataset's rows are read, as the training does; whoever has another way names it `module:function`."""

NEEDS: Final = {
    "sentence-transformers": "sentence_transformers",
    "transformers": "transformers",
    "safetensors": "safetensors",
    "torchscript": "torch",
    "torch-export": "torch",
    "onnxruntime": "onnxruntime",
    PANDAS: "pandas",
    TORCH: "torch",
}
"""The module that each loader and reader which ships imports."""

_OWN: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def is_own_loader(name: str) -> bool:
    """Whether the name is of the form `module:function`."""
    return _OWN.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far restored outputs may stray from the golden ones. None: as far as the backup's calibration says.

    `cosine` is the least cosine similarity per output row; `max_abs` the greatest absolute difference of any
    element. `top_k`: the same so many greatest elements, of which at least the share `agreement` per row;
    `perplexity` is its greatest relative rise; `exact` wants every bit. `latency_s` is the greatest median seconds for
    one input, None when it is measured but not judged.
    """

    cosine: float | None = None
    max_abs: float | None = None
    latency_s: float | None = None
    top_k: int | None = None
    agreement: float = 1.0
    perplexity: float | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class SmokeLimits:
    """Bounds on what a smoke test measures; None: measured, not judged.

    Seconds, bytes, inputs per second. `slowdown`: the median latency is at most so many times the recorded one.
    """

    latency_p95_s: float | None = None
    load_s: float | None = None
    throughput_per_s: float | None = None
    peak_rss_bytes: int | None = None
    peak_gpu_bytes: int | None = None
    slowdown: float | None = None


@dataclass(frozen=True, slots=True)
class SmokePolicy:
    """How a restored model is loaded and judged.

    `golden` is a JSON-lines file of inputs (`{"input": …}` a line, with `"output": […]` where the right answer is known
    beforehand); None means the sentences shipped with the loader. The outputs are recorded from the live model at
    every backup and travel inside the point. `device` is `cuda` where the test must run on a GPU (then a standby
    without one is refused), else `auto`: on whatever is there. The test is ended after `timeout_s` seconds.

    A dataset has no loader, golden answers or tolerance, but a `reader`; of its limits those count that are measured.
    """

    loader: str
    golden: Path | None
    tolerance: Tolerance
    device: str = "auto"
    limits: SmokeLimits = field(default_factory=SmokeLimits)
    timeout_s: float = 600.0
    reader: str = PANDAS

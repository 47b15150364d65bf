"""Loader `sentence-transformers`: an input is a text, a row its embedding. Only safetensors, no remote code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer

from dr_lib.standby.smoke.loaders.base import Rows
from dr_lib.standby.smoke.loaders.on_torch import DEVICE, OnTorch


class SentenceModel(OnTorch):
    """A directory as `SentenceTransformer.save` writes it."""

    def __init__(self, directory: Path) -> None:
        """Load from local files alone."""
        found: Any = SentenceTransformer(
            str(directory),
            device=DEVICE,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
        super().__init__(found)

    def answer(self, inputs: Sequence[Any]) -> Rows:
        """Embeddings."""
        asked = list(inputs)
        rows = self.module.encode(asked, batch_size=len(asked), show_progress_bar=False, convert_to_numpy=True)
        return np.asarray(rows, dtype=np.float32)

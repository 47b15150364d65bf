"""Loader `transformers`: the class that config.json names, over local safetensors, no remote code.

An input is a text, or a list of token ids. A row is the last token's logits (of a model that predicts what comes next),
the logits, or the mean of the last hidden state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from dr_lib.errors import IntegrityError
from dr_lib.standby.smoke.loaders.base import Rows
from dr_lib.standby.smoke.loaders.on_torch import DEVICE, OnTorch

_LOCAL: Any = {"local_files_only": True, "trust_remote_code": False}


class TransformerModel(OnTorch):
    """A directory as `save_pretrained` writes it."""

    def __init__(self, directory: Path) -> None:
        """`IntegrityError` when weights are missing: the library would fill them with noise and go on."""
        config = transformers.AutoConfig.from_pretrained(directory, **_LOCAL)
        named = (getattr(config, "architectures", None) or ["AutoModel"])[0]
        kind: Any = getattr(transformers, named, transformers.AutoModel)
        model, found = kind.from_pretrained(directory, use_safetensors=True, output_loading_info=True, **_LOCAL)
        if missing := sorted(found["missing_keys"]):
            raise IntegrityError(f"missing weights: {', '.join(missing[:3])} of {named}, {len(missing)} in all")
        self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(directory, **_LOCAL)
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        super().__init__(model.eval())
        self.predicts = named.endswith(("ForCausalLM", "LMHeadModel"))

    def answer(self, inputs: Sequence[Any]) -> Rows:
        """One row an input, padded to one batch."""
        batch = self._batch(inputs)
        with torch.inference_mode():
            output = self.module(**batch)
        mask = batch["attention_mask"]
        if "logits" not in output:
            hidden = output["last_hidden_state"].float() * mask.unsqueeze(-1)
            rows = hidden.sum(1) / mask.sum(1, keepdim=True)
        elif self.predicts:
            rows = output["logits"][torch.arange(len(mask)), mask.sum(1) - 1]
        else:
            rows = output["logits"].reshape(len(mask), -1)
        return np.asarray(rows.float().cpu().numpy(), dtype=np.float32)

    def perplexity(self, inputs: Sequence[Any]) -> list[float]:
        """Of each input under a model that predicts what comes next; nothing for others."""
        return [self._perplexity(one) for one in inputs] if self.predicts else []

    def _perplexity(self, one: Any) -> float:
        batch = self._batch([one])
        with torch.inference_mode():
            loss = self.module(**batch, labels=batch["input_ids"]).loss
        return math.exp(min(float(loss), 700.0))

    def _batch(self, inputs: Sequence[Any]) -> dict[str, Any]:
        ids = [self._tokenizer(one)["input_ids"] if isinstance(one, str) else list(one) for one in inputs]
        padded = self._tokenizer.pad({"input_ids": ids}, padding=True, padding_side="right", return_tensors="pt")
        return {name: padded[name].to(DEVICE) for name in ("input_ids", "attention_mask")}

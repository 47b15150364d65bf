"""A language model's way through the system on a machine with a GPU: `python -m benchmarks.gpu_standby --layers 12`.

Makes a causal language model of that many layers (hidden size 4096, bfloat16, weights of a normal distribution: no real
model of the size is at hand), backs it up into two directories, verifies, drills `region-lost` with the smoke test on
the GPU, and streams the weights from a vault into the GPU's memory. Prints what it measured as JSON. Needs
`transformers` and three times the model's size on the disk.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers

from dr_lib.demo import assets
from dr_lib.runtime import Runtime
from dr_lib.standby.environment import gpu_name
from dr_lib.tensors import load_state_dict
from tests.disk_regions import regions_on_disk
from tests.keys import keys

ASSET = "llm"


def main() -> None:
    """Measure, and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--dir", type=Path, default=None, help="where the model and the vaults lie (a temporary one)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as home:
        print(json.dumps(measured(Path(home), options.layers), indent=1))


def measured(home: Path, layers: int) -> dict[str, Any]:
    """Seconds and bytes of each step."""
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        seconds[step] = round(time.monotonic() - begun, 2)

    make_model(home / ASSET, layers)
    runtime = configured(home)
    runtime.initialize()
    with timed("first backup, with its golden answers"):
        stored = runtime.backup(ASSET)
    with timed("second backup, nothing changed"):
        runtime.backup(ASSET)
    with timed("verify full, both regions"):
        runtime.verify(ASSET, mode="full")
    with timed("load_state_dict to the GPU"):
        tensors = load_state_dict(ASSET, config=runtime, device="cuda")
    loaded = sum(tensor.nbytes for tensor in tensors.values())
    del tensors
    torch.cuda.empty_cache()
    with timed("drill region-lost, whole"):
        drill = runtime.drill(ASSET, scenario="region-lost")
    facts = (
        "verdict",
        "reasons",
        "rto_s",
        "rpo_s",
        "phases",
        "smoke",
        "control",
        "bytes",
        "applied",
        "preflight",
        "unproven",
    )
    return {
        "gpu": gpu_name(),
        "logical_bytes": stored["logical_bytes"],
        "stored_over_logical": round(stored["stored_bytes"] / stored["logical_bytes"], 3),
        "bytes_on_the_gpu": loaded,
        "seconds": seconds,
        "drill": {name: drill[name] for name in facts},
    }


def make_model(directory: Path, layers: int) -> None:
    """A model as `save_pretrained` writes it, in shards of 2 GB, with the demo model's tokenizer."""
    assets.stage_model(directory)
    for path in sorted(directory.rglob("*"), reverse=True):
        if not path.name.startswith(("tokenizer", "vocab", "special")):
            path.rmdir() if path.is_dir() else path.unlink()
    shape: Any = {"hidden_size": 4096, "intermediate_size": 11008, "num_attention_heads": 32, "num_key_value_heads": 32}
    config = transformers.LlamaConfig(
        vocab_size=30522, num_hidden_layers=layers, max_position_embeddings=512, pad_token_id=0, **shape
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = transformers.LlamaForCausalLM(config)
    model.save_pretrained(directory, max_shard_size="2GB")
    torch.set_default_dtype(torch.float32)
    del model
    torch.cuda.empty_cache()


def configured(home: Path) -> Runtime:
    """Two directories as regions; a region is lost when its directory is not there."""
    regions = regions_on_disk(home, "east", "west")
    smoke = {"loader": "transformers", "device": "cuda"}
    asset = {"kind": "model", "source": str(home / ASSET), "regions": list(regions), "smoke": smoke}
    config = {"version": 1, "regions": regions, "assets": {ASSET: asset}} | keys().config()
    (home / "dr.yaml").write_text(json.dumps(config))
    places = {"DR_STATE_DIR": "state", "DR_CACHE_DIR": "cache", "DR_STANDBY_DIR": "standby"}
    environ = {"PATH": "/usr/bin:/bin", **keys().all(), **{name: str(home / place) for name, place in places.items()}}
    return Runtime.load(home / "dr.yaml", environ=environ)


if __name__ == "__main__":
    main()

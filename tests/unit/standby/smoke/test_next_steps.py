"""Every likely cause comes with something to do about it."""

from __future__ import annotations

import pytest

from dr_lib.standby.smoke.next_steps import next_step

CAUSES = {
    "out of memory: OutOfMemoryError: CUDA out of memory": "more memory",
    "out of memory, most likely: the smoke process was killed (SIGKILL) from outside": "more memory",
    "GPU present but not used: H100 is here, and the model ran on the CPU": "torch that was built",
    "GPU not used: recorded on H100, ran on the CPU; median latency": "standby with a GPU",
    "slow inference: median latency 2 s, required <= 1 s": "what else runs",
    "accuracy drift: greatest difference 1, required <= 0.1": "older point",
    "NaN outputs: 3 values are not finite numbers": "older point",
    "tokenizer mismatch: vocab.txt not as recorded: lowest": "tokenizer is part",
    "config mismatch: config.json not as recorded": "older point",
    "tokenizer or config mismatch: dimension 2, required 3": "preflight",
    "missing shard: model-2.safetensors, named by the index": "incomplete",
    "missing file: tokenizer.json": "verify",
    "missing table: a.parquet": "verify",
    "damaged weights: model.safetensors cannot be read": "heal",
    "damaged table: a.parquet cannot be read": "heal",
    "expectation broken: a.parquet: x": "mend the data",
    "the golden outputs cannot be read: they are empty": "record again",
    "the recovery point holds no golden outputs to compare with": "warning of that backup",
    "the smoke test hung: no answer within 3 s": "timeout",
    "the smoke process crashed (SIGSEGV): no message": "by hand",
    "the loader changed what was restored: a": "directory of its own",
    "the loader own:loader is not here: No module": "install the loader",
    "a limit is passed: peak memory 2e+09 bytes": "another limit",
    "it could not be loaded: ValueError: no": "by hand",
}


@pytest.mark.parametrize(("cause", "words"), CAUSES.items())
def test_a_cause_has_its_step(cause: str, words: str) -> None:
    assert words in next_step(cause)


def test_without_a_cause_there_is_nothing_to_do() -> None:
    assert next_step(None) == ""

"""From the likely cause of a failed smoke test to what to do about it. Pure."""

from __future__ import annotations

from typing import Final

_STEPS: Final = (
    ("out of memory", "give the standby more memory, or a smaller batch; preflight says what the tensors take"),
    (
        "GPU present but not used",
        "install a torch that was built for this GPU's CUDA, and look whether the driver is new enough",
    ),
    ("GPU not used", "drill on a standby with a GPU, or accept its absence: `smoke: {device: auto}` without a latency"),
    ("slow inference", "see what else runs there; on another kind of machine, give the limit that is right for it"),
    ("a limit is passed", "see what the evidence measured, and give the standby more, or dr.yaml another limit"),
    ("accuracy drift", "restore an older point and test it: if it holds, this one's weights are not what they were"),
    ("NaN outputs", "restore an older point and test it; look at the tensor statistics of this one (`drctl points`)"),
    ("tokenizer mismatch", "compare the named files with those of an older point; a tokenizer is part of the model"),
    ("config mismatch", "compare the named files with those of an older point"),
    ("tokenizer or config mismatch", "see whether the library here is the recorded one: preflight lists both versions"),
    ("missing shard", "the source was incomplete when it was backed up: restore an older point, and back up again"),
    ("missing weights", "the class that config.json names is not the one that was saved: compare with an older point"),
    ("missing file", "see whether the restore was whole (`drctl verify`), else restore an older point"),
    ("missing table", "see whether the restore was whole (`drctl verify`), else restore an older point"),
    ("damaged weights", "heal the copy (`drctl heal`) and restore again, or restore from another region"),
    ("damaged table", "heal the copy (`drctl heal`) and restore again, or restore from another region"),
    ("rows differ", "see whether the restore was whole (`drctl verify`), else restore an older point"),
    (
        "values differ",
        "it reads, and holds other values than were backed up: restore an older point and compare",
    ),
    ("the reader", "install the reader where the smoke test runs, or see what it says of the tables"),
    ("columns differ", "see whether the library here is the recorded one: preflight lists both versions"),
    ("expectation broken", "the data broke it before the backup, too: mend the data, or the expectations"),
    ("a library is missing", "install what preflight names as not there"),
    ("refused to load", "convert the weights to safetensors: pickles can run code"),
    ("the loader changed", "give the loader a directory of its own to write to"),
    ("the golden", "record again: back the asset up, and drill the new point"),
    ("the recovery point holds no", "back the asset up again, and read the warning of that backup"),
    ("the recovery point records no", "protect it as a model, or put tables into it: there is nothing to test"),
    ("the smoke test hung", "raise `smoke: {timeout: …}` if the model needs longer; else ask the loader's owner"),
    ("the smoke process", "run `drctl smoke` by hand on a restored directory: its last words are in the cause"),
    ("the loader", "install the loader where the smoke test runs"),
)
"""The start of a cause, the longer one first where one begins another, and the step."""

_ELSE: Final = "run `drctl smoke` by hand on a restored directory, and on an older point's"


def next_step(cause: str | None) -> str:
    """What to do next; empty when there is no cause."""
    if not cause:
        return ""
    return next((step for start, step in _STEPS if cause.startswith(start)), _ELSE)

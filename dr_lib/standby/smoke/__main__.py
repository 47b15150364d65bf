"""The fresh process: one JSON request on stdin, one JSON answer on the stdout it was started with."""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

from dr_lib.standby.smoke.diagnosis import cause_of


def main() -> int:
    """Answer one request; exit code 0 whenever there is an answer, a failed test included."""
    # Libraries print to stdout as they please: the answer gets a descriptor of its own, they get stderr.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as channel:
        os.dup2(2, 1)
        answer = _answer(json.load(sys.stdin))
        channel.write(json.dumps(answer, allow_nan=False))
    return 0


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": _perform(request)}
    except Exception as error:  # noqa: BLE001 - whatever a restored asset makes a library raise is a finding
        traceback.print_exc()
        return {"error": cause_of(error)}


def _perform(request: dict[str, Any]) -> dict[str, Any]:
    task = request["task"]
    if task.endswith("-model"):
        from dr_lib.standby.smoke import model_probe

        return model_probe.record(request) if task == "record-model" else model_probe.check(request)
    from dr_lib.standby.smoke import dataset_probe

    tasks = {"record-dataset": dataset_probe.record, "hold-dataset": dataset_probe.hold}
    return tasks.get(task, dataset_probe.check)(request)


if __name__ == "__main__":
    sys.exit(main())

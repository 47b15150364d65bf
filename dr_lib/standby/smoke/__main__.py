"""The fresh process of smoke tests and recordings."""

from __future__ import annotations

import sys
from typing import Any

from dr_lib.standby.smoke.serving import serve


def _perform(request: dict[str, Any]) -> dict[str, Any]:
    task = request["task"]
    if task.endswith("-model"):
        from dr_lib.standby.smoke import model_probe

        return model_probe.record(request) if task == "record-model" else model_probe.check(request)
    if task == "check-orchestrator":
        from dr_lib.standby.smoke import orchestrator_probe

        return orchestrator_probe.check(request)
    from dr_lib.standby.smoke import dataset_probe

    tasks = {"record-dataset": dataset_probe.record, "hold-dataset": dataset_probe.hold}
    return tasks.get(task, dataset_probe.check)(request)


if __name__ == "__main__":
    sys.exit(serve(_perform))

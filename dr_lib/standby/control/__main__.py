"""The fresh process of a control."""

from __future__ import annotations

import sys
from typing import Any

from dr_lib.standby.smoke.serving import serve


def _perform(request: dict[str, Any]) -> dict[str, Any]:
    if request["task"] == "control-model":
        from dr_lib.standby.control import models

        return models.control(request)
    from dr_lib.standby.control import datasets

    return datasets.control(request)


if __name__ == "__main__":
    sys.exit(serve(_perform))

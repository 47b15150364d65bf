"""The fresh process of a control."""

from __future__ import annotations

import sys
from typing import Any

from dr_lib.standby.smoke.serving import serve


def _perform(request: dict[str, Any]) -> dict[str, Any]:
    # A dataset does not wait for torch.
    if request["task"] == "control-model":
        from dr_lib.standby.control.models import control
    else:
        from dr_lib.standby.control.datasets import control
    return control(request)


if __name__ == "__main__":
    sys.exit(serve(_perform))

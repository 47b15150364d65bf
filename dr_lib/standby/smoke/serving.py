"""How a fresh process answers: one JSON request on stdin, one JSON answer on the stdout it was started with."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from dr_lib.standby.smoke.diagnosis import cause_of


def serve(perform: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    """Answer one request; exit code 0 whenever there is an answer, a failure's cause included."""
    # Libraries print to stdout as they please: the answer gets a descriptor of its own, they get stderr.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as channel:
        os.dup2(2, 1)
        answer = _answer(perform, json.load(sys.stdin))
        channel.write(json.dumps(answer, allow_nan=False))
    return 0


def _answer(perform: Callable[[dict[str, Any]], dict[str, Any]], request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": perform(request)}
    except Exception as error:  # noqa: BLE001 - whatever a restored asset makes a library raise is a finding
        traceback.print_exc()
        return {"error": cause_of(error)}

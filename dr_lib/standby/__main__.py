"""`python -I -m dr_lib.standby TASK`: one JSON question on stdin, one JSON answer on stdout."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any


def main() -> int:
    """Answer one question about this standby."""
    question = json.load(sys.stdin)
    answer = {"environment": _environment, "isolation": _isolation}[sys.argv[1]](question)
    json.dump(answer, sys.stdout)
    return 0


def _environment(question: dict[str, Any]) -> dict[str, Any]:
    from dr_lib.standby.environment import capture, resources

    return {**capture(), **resources(Path(question["root"]))}


def _isolation(question: dict[str, Any]) -> dict[str, Any]:
    from dr_lib.standby.isolation import Bounds, assertions

    return {"assertions": [asdict(one) for one in assertions(Bounds.of(question))]}


if __name__ == "__main__":
    sys.exit(main())

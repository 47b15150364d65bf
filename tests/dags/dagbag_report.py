"""Run in a process of its own: parses the DAG folder as Airflow does and prints what that did, as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from dr_lib.clock import monotonic

WATCHED = ("torch", "boto3", "obstore", "pandas", "great_expectations", "numpy", "sklearn")
events: list[tuple[str, str]] = []


def audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str | bytes):
        events.append((event, str(arguments[0])))
    if event in ("socket.connect", "socket.bind", "subprocess.Popen", "os.posix_spawn", "os.system"):
        events.append((event, repr(arguments[1:])))


def main(folder: str) -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.providers.standard.operators import trigger_dagrun  # noqa: F401 - Airflow's own weight is not ours
    from airflow.sdk import DAG  # noqa: F401
    from airflow.serialization.serialized_objects import DagSerialization

    sys.addaudithook(audit)
    seen = len(events)
    started = monotonic()
    bag = DagBag(folder)
    seconds = monotonic() - started
    happened = events[seen:]
    serialized = {name: DagSerialization.to_dict(bag.dags[name]) for name in sys.argv[2:]}
    report = {
        "dag_ids": list(bag.dags),
        "import_errors": bag.import_errors,
        "seconds": seconds,
        "heavy": [name for name in WATCHED if name in sys.modules],
        "events": happened,
        "serialized": serialized,
    }
    print(json.dumps(report, default=str))


if __name__ == "__main__":
    main(sys.argv[1])

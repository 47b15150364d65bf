"""Run with `python airflow_facts.py`: what the installed Airflow makes of what it reads on its standard input.

In a process of its own, because Airflow's command line follows the environment of the moment of its import.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys


def refused(arguments: list[str]) -> str:
    """What Airflow's own parser has against a command line; empty when it takes it."""
    from airflow.cli.cli_parser import get_parser

    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            get_parser().parse_args(arguments)
        except SystemExit:
            return said.getvalue()[-300:]
    return ""


def options() -> list[str]:
    """Every option of Airflow and its providers, as the environment variable that sets it."""
    from airflow.configuration import retrieve_configuration_description

    sections = retrieve_configuration_description(include_providers=True)
    return [f"AIRFLOW__{section}__{name}".upper() for section, facts in sections.items() for name in facts["options"]]


def by_command() -> list[str]:
    """The variables that set an option by what a command prints; Airflow has them for what is sensitive alone."""
    from airflow.configuration import conf

    return [f"AIRFLOW__{section}__{name}_CMD".upper() for section, name in conf.sensitive_config_values]


def read_by_command(names: list[str]) -> dict[str, str]:
    """What Airflow makes of these options, by the environment of this process."""
    from airflow.configuration import conf

    parts = {name: name.removeprefix("AIRFLOW__").removesuffix("_CMD").lower().split("__") for name in names}
    return {name: str(conf.get(section, option)) for name, (section, option) in parts.items()}


def executors() -> list[str]:
    """The classes of the configured executors, imported as the scheduler does."""
    from airflow.executors.executor_loader import ExecutorLoader

    return [type(executor).__name__ for executor in ExecutorLoader.init_executors()]


def queues_of(app: str) -> dict[str, str]:
    """The module of a Celery application, as `celery --app` finds it, and the queue of tasks that name none."""
    from airflow.configuration import conf
    from celery.app.utils import find_app

    return {"application": type(find_app(app)).__module__, "default": conf.get("operators", "default_queue")}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    facts = {
        "options": options(),
        "by_command": by_command(),
        "read": read_by_command(asked["by_command"]),
        "refused": {name: refused(words) for name, words in asked["commands"].items()},
        "executors": executors(),
        "queues": queues_of(asked["app"]),
    }
    print(json.dumps(facts))

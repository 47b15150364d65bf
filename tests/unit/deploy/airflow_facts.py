"""Run with `python airflow_facts.py`: reads command lines as JSON, tells what the installed Airflow makes of them.

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


if __name__ == "__main__":
    commands = json.load(sys.stdin)
    print(json.dumps({"options": options(), "refused": {name: refused(words) for name, words in commands.items()}}))

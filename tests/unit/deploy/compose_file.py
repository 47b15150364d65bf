"""docker-compose.yaml as a machine reads it, and the commands that it gives to real programs."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "docker-compose.yaml"
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?P<rule>:[?-][^}]*)?\}")


@cache
def compose() -> dict[str, Any]:
    """The whole document, anchors resolved."""
    document: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return document


def services() -> dict[str, dict[str, Any]]:
    """Every service by name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def running(program: str) -> dict[str, list[str]]:
    """The arguments of `program` by service, health checks included as `<service> health`."""
    found = {}
    for name, service in services().items():
        for label, words in ((name, service.get("command", [])), (f"{name} health", _health(service))):
            if words[:1] == [program]:
                found[label] = words[1:]
    return found


def _health(service: dict[str, Any]) -> list[str]:
    kind, *words = service.get("healthcheck", {}).get("test", ["NONE"])
    return words[0].split() if kind == "CMD-SHELL" else words


def texts(value: Any) -> list[str]:
    """Every text in a part of the document."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    return [str(value)]


def secrets_of(service: str) -> set[str]:
    """The secrets that a service gets, by their names here."""
    return {one if isinstance(one, str) else one["source"] for one in services()[service].get("secrets", [])}


def environment(service: str) -> dict[str, str]:
    """The variables that a service gets."""
    return {name: str(value) for name, value in services()[service].get("environment", {}).items()}

"""What a statement of a drill must look like: the schema that ships, `evidence-v2.schema.json`."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

SCHEMA: Final = "evidence-v2.schema.json"


def schema_problems(statement: dict[str, Any]) -> list[str]:
    """What in a statement is not as the schema says, each with its place; nothing for one that is."""
    found = sorted(_validator().iter_errors(statement), key=lambda error: error.json_path)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    schema = json.loads(resources.files("dr_lib.format").joinpath(SCHEMA).read_text())
    return Draft202012Validator(schema)

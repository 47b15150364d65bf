"""What the schema found wrong, in a person's words and on the file's lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from dr_lib.config.document import Document
from dr_lib.config.problems import Location, Problem, did_you_mean, dotted
from dr_lib.config.schema import EXAMPLES, FileSchema

SECRET_FIELD = re.compile(r"secret|passw|token|access_key|private", re.IGNORECASE)
NO_SECRETS = "secrets never stand in this file; use credentials: env:PREFIX"
SHAPES = {
    "model_type": "this must hold fields (name: value)",
    "dict_type": "this must hold fields (name: value)",
    "list_type": "this must be a list ([a, b])",
}


def explain(document: Document, error: ValidationError) -> Iterator[Problem]:
    """One problem for each of the schema's errors."""
    for found in error.errors(include_url=False, include_input=False):
        yield _problem(document, found["type"], tuple(found["loc"]), found)


def _problem(document: Document, kind: str, location: Location, found: Any) -> Problem:
    if kind == "extra_forbidden":
        return document.problem(location, "there is no such field", _right_field(location))
    spelled = document.spelled(location)
    if kind == "missing":
        line = document.lines.get(spelled, 1)
        return Problem(line, dotted(location), "this field is required", EXAMPLES.get(str(location[-1]), ""))
    what, _, right = _words(kind, found).partition("; ")
    return document.problem(spelled, what, right)


def _words(kind: str, found: Any) -> str:
    if kind == "value_error":
        return str(found["ctx"]["error"])
    message: str = found["msg"]
    return SHAPES.get(kind) or message.replace("Input should", "this must")


def _right_field(location: Location) -> str:
    word = str(location[-1])
    if SECRET_FIELD.search(word):
        return NO_SECRETS
    model = _model_at(location[:-1])
    return did_you_mean(word, _names(model)) if model else ""


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(location: Location) -> type[BaseModel] | None:
    """The schema that describes `location`: a field's own, or that of the values of a mapping."""
    here: Any = FileSchema
    for part in location:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(part))
            here = None if field is None else _without_none(field.annotation)
        else:
            here = (get_args(here) or (None,))[-1]
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    kinds = [kind for kind in get_args(annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)]
    optional = type(None) in get_args(annotation)
    return kinds[0] if optional and kinds else annotation

"""Reads a configuration file whole, or refuses it whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from dr_lib.config.build import build
from dr_lib.config.document import Document, read_document
from dr_lib.config.explain import explain
from dr_lib.config.problems import ConfigError, Problem
from dr_lib.config.references import check_references
from dr_lib.config.schema import FileSchema
from dr_lib.errors import UsageError
from dr_lib.model.config import Config

VARIABLE = "DR_CONFIG"
BESIDE = "dr.yaml"
LARGEST = 4 << 20


def load_config(path: Path | None = None) -> Config:
    """The configuration at `path`, else at `DR_CONFIG`, else at `./dr.yaml`. Reads that file and nothing else.

    Raises `ConfigError` with every problem in the file, and `UsageError` when there is no file to read.
    """
    found = path.absolute() if path else config_path(os.environ)
    document = read_document(_text(found))
    if document.data is None:
        raise ConfigError(found, document.problems)
    return build(_checked(document, found), found)


def config_path(environ: Mapping[str, str]) -> Path:
    """Where the configuration is looked for when no path is given, absolute; it need not exist."""
    return Path(environ.get(VARIABLE) or BESIDE).absolute()


def _checked(document: Document, path: Path) -> FileSchema:
    refused = {problem.field for problem in document.problems}
    problems = [*document.problems, *check_references(document)]
    try:
        file = FileSchema.model_validate(document.data)
    except ValidationError as error:
        shape = [problem for problem in explain(document, error) if problem.field not in refused]
        raise ConfigError(path, [*problems, *shape]) from None
    if problems:
        raise ConfigError(path, problems)
    return file


def _text(path: Path) -> str:
    data = _read(path)
    if len(data) > LARGEST:
        raise ConfigError(path, [Problem(1, "", f"the file has more than {LARGEST >> 20} MiB")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(path, [Problem(line, "", "this is not UTF-8", "save the file as UTF-8 text")]) from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        hint = f"name one with --config or {VARIABLE}, or make one with `drctl demo up`"
        raise UsageError("there is no configuration file", where=str(path), hint=hint) from None
    except OSError as error:
        what = f"the configuration cannot be read: {error.strerror}"
        raise UsageError(what, where=str(path), hint=f"name a readable file with --config or {VARIABLE}") from error

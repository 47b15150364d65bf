"""The forms that people start runs with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.sdk import DAG, Param
from airflow.sdk.definitions.param import ParamsDict

_DIALECT = "http://json-schema.org/draft-07/schema#"


def field(default: str | None, *, title: str, section: str = "What", **schema: Any) -> Param:
    """A field of a DAG's form, checked against this JSON schema.

    Airflow checks every schema against its dialect at every parse; draft 7 costs a third of the newest one.
    """
    return Param(default, **{"$schema": _DIALECT, "title": title, "section": section, **schema})


def ask(dag: DAG, form: Mapping[str, Param]) -> DAG:
    """Give a DAG its form, once it has all its tasks: each task that is added later would copy the form. The values
    reach the tasks all the same, by way of the run.

    As an attribute like any other it would be checked against its schema at every parse. Both together take half of the
    time that 500 assets need; the defaults are checked by the tests, and what people fill in by Airflow.
    """
    object.__setattr__(dag, "params", ParamsDict(form))
    return dag


def choice(options: Iterable[str], default: str | None, *, title: str, section: str = "What") -> Param:
    """A drop-down list; without a default it may be left empty."""
    if default is None:
        return field(None, title=title, section=section, type=["null", "string"], enum=[None, *options])
    return field(default, title=title, section=section, type="string", enum=list(options))

"""Great Expectations, called directly: an ephemeral context, no network, no files, no progress bars."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.datasource.fluent.interfaces import Batch
from great_expectations.exceptions.exceptions import GreatExpectationsError

from dr_lib.errors import UsageError
from dr_lib.standby.smoke.suites import Suite


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many expectations a table was held to, and those that it broke, in words."""

    total: int
    broken: tuple[str, ...]


def validate(table: str, frame: pd.DataFrame, suites: list[Suite]) -> Outcome:
    """Hold the table to its suites. An expectation that cannot be evaluated counts as broken."""
    batch = _batch(table, frame)
    results = [result for suite in suites for result in batch.validate(_suite(suite)).results]
    broken = tuple(_words(result) for result in results if not result.success)
    return Outcome(len(results), broken)


def _batch(table: str, frame: pd.DataFrame) -> Batch:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("restored").add_dataframe_asset(table)
    return asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})


def _suite(suite: Suite) -> gx.ExpectationSuite:
    name, demanded = suite.get("name") or "expectations", suite["expectations"]
    try:
        built = gx.ExpectationSuite(name=name, expectations=demanded)
    except (GreatExpectationsError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"the expectation suite {name!r} cannot be used: {error}") from error
    # Great Expectations only logs an expectation that it does not know, and would pass without it.
    known = Counter(expectation.expectation_type for expectation in built.expectations)
    dropped = Counter(_type(demand) for demand in demanded) - known
    if dropped:
        raise UsageError(f"the expectation suite {name!r} cannot be used: unknown or malformed {', '.join(dropped)}")
    return built


def _type(demand: object) -> str:
    return str(demand.get("type")) if isinstance(demand, dict) else str(demand)


def _words(result: Any) -> str:
    config = result.expectation_config
    settings = ", ".join(f"{key}={value}" for key, value in config.kwargs.items() if key != "batch_id")
    return f"{config.type}({settings}): {_finding(result)}"


def _finding(result: Any) -> str:
    found = result.result or {}
    if "unexpected_count" in found:
        return f"{found['unexpected_count']} values break it"
    if "observed_value" in found:
        return f"observed {found['observed_value']}"
    return "it could not be evaluated"

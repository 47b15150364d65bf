"""Counts a test that could not run as "not run", never as passed, and fails a CI run that has one.

A skipped test means that a part it needs (a browser, a database, a GPU) is missing on this machine. The last lines
of every run name each missing part and count: `N passed, N failed, N not run`. A GPU alone may be missing in CI.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

import pytest

HARMLESS = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
NO_GPU = "there is no GPU here: `make test-gpu` where there is one"
"""The one missing part that CI may lack: no machine can be told to have one."""

OUTCOMES = pytest.StashKey["Outcomes"]()


@dataclass
class Outcomes:
    """Outcomes by test, so that a test that fails and then fails again in its teardown counts once."""

    failed: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    not_run: dict[str, str] = field(default_factory=dict)

    def record(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Take in one phase of one test, or a file that could not be collected."""
        if report.failed:
            self.failed.add(report.nodeid)
        elif report.skipped:
            self.not_run[report.nodeid] = reason(report)
        elif getattr(report, "when", None) == "call":
            self.passed.add(report.nodeid)

    def lines(self) -> list[str]:
        """What a person reads last: each missing part with the number of tests that wanted it, then the counts."""
        missing = Counter(why for test, why in self.not_run.items() if test not in self.failed)
        passed, not_run = len(self.passed - self.failed), missing.total()
        parts = [f"not run: {why} ({count} test{'s' if count > 1 else ''})" for why, count in sorted(missing.items())]
        return [*parts, f"{passed} passed, {len(self.failed)} failed, {not_run} not run"]


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why a test was skipped, without pytest's prefix."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def in_ci() -> bool:
    """True where a missing part is a broken set-up instead of a smaller machine."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


class Accounting:
    """Listens to one run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.outcomes = config.stash[OUTCOMES] = Outcomes()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.outcomes.record(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            self.outcomes.record(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        missing = set(self.outcomes.not_run.values()) - {NO_GPU}
        if in_ci() and missing and session.exitstatus in HARMLESS:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_unconfigure(self) -> None:
        """Print after everything else that pytest has to say."""
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or self.config.option.collectonly:
            return
        for line in self.outcomes.lines():
            terminal.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    """Start counting."""
    config.pluginmanager.register(Accounting(config), "not-run-accounting")

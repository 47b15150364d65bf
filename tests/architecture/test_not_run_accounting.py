"""A test whose part is missing counts as not run, and is never mistaken for a passed one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PASSES = "def test_passes(): pass\n"
FAILS = "def test_fails(): assert False\n"
SKIPS = "import pytest\ndef test_skips(): pytest.skip('no chromium here')\n"
SKIPS_WHOLE_FILE = "import pytest\npytest.skip('no redis-server here', allow_module_level=True)\n"
BREAKS_TWICE = """
import pytest
@pytest.fixture
def part():
    yield
    raise RuntimeError
def test_breaks(part): assert False
"""


def run(folder: Path, *files: str, ci: str = "") -> tuple[int, list[str]]:
    for number, text in enumerate(files):
        (folder / f"test_{number}.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.plugins.not_run", "-p", "no:cacheprovider", str(folder)]
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return result.returncode, result.stdout.splitlines()


def test_the_last_line_counts_all_three(tmp_path):
    code, lines = run(tmp_path, PASSES, FAILS, SKIPS)
    assert code == 1
    assert lines[-1] == "1 passed, 1 failed, 1 not run"


def test_each_missing_part_is_named_once_with_the_tests_that_wanted_it(tmp_path):
    code, lines = run(tmp_path, PASSES, SKIPS, SKIPS, SKIPS_WHOLE_FILE)
    assert code == 0
    assert lines[-3:] == [
        "not run: no chromium here (2 tests)",
        "not run: no redis-server here (1 test)",
        "1 passed, 0 failed, 3 not run",
    ]


def test_a_test_that_also_fails_in_its_teardown_counts_once(tmp_path):
    code, lines = run(tmp_path, BREAKS_TWICE)
    assert code == 1
    assert lines[-1] == "0 passed, 1 failed, 0 not run"


def test_a_file_that_cannot_be_collected_counts_as_failed(tmp_path):
    _, lines = run(tmp_path, "import no_such_module\n")
    assert lines[-1] == "0 passed, 1 failed, 0 not run"


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("false", 0), ("true", 1), ("1", 1)])
def test_only_ci_fails_when_something_was_not_run(tmp_path, ci, code):
    assert run(tmp_path, PASSES, SKIPS, ci=ci)[0] == code


def test_ci_passes_when_everything_ran(tmp_path):
    assert run(tmp_path, PASSES, ci="true")[0] == 0


def test_ci_may_lack_a_gpu_and_nothing_else(tmp_path):
    imports = "import pytest\nfrom tests.plugins.not_run import NO_GPU\n"
    needs_gpu = f"{imports}@pytest.mark.skip(reason=NO_GPU)\ndef test_gpu(): pass\n"
    code, lines = run(tmp_path, PASSES, needs_gpu, ci="true")
    assert (code, lines[-1]) == (0, "1 passed, 0 failed, 1 not run")
    assert run(tmp_path, PASSES, needs_gpu, SKIPS, ci="true")[0] == 1

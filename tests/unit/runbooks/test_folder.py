"""Runbooks are found beside the code or where a variable says, and a wrong name is answered with the right one."""

from __future__ import annotations

from pathlib import Path

import pytest

from dr_lib.errors import NotFound
from dr_lib.runbooks.folder import BESIDE_THE_CODE, folder, names, open_runbook


def test_they_lie_beside_the_code():
    assert folder({}) == BESIDE_THE_CODE
    assert "region-lost" in names(BESIDE_THE_CODE)


def test_a_variable_names_another_place(tmp_path: Path):
    (tmp_path / "roof.md").write_text("# The roof leaks\n")
    assert folder({"DR_RUNBOOKS": str(tmp_path)}) == tmp_path
    assert names(tmp_path) == ["roof"]
    assert open_runbook(tmp_path, "roof").title == open_runbook(tmp_path, "roof.md").title == "The roof leaks"


def test_a_place_without_runbooks_says_how_to_name_one(tmp_path: Path):
    with pytest.raises(NotFound, match="DR_RUNBOOKS") as caught:
        folder({"DR_RUNBOOKS": str(tmp_path / "gone")})
    assert caught.value.where == str(tmp_path / "gone")


@pytest.mark.parametrize("name", ["regoin-lost", "region_lost", "region-lost.txt"])
def test_the_nearest_name_is_told(name: str):
    with pytest.raises(NotFound, match="did you mean region-lost"):
        open_runbook(BESIDE_THE_CODE, name)


@pytest.mark.parametrize("name", ["../README", "/etc/passwd", "zzz", ""])
def test_only_names_that_lie_there_are_opened(name: str):
    with pytest.raises(NotFound, match="there are: accidental-delete, ") as caught:
        open_runbook(BESIDE_THE_CODE, name)
    assert "did you mean" not in str(caught.value)

"""A file as a switch: the old content or the new one, never a part, whatever happens."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dr_lib.errors import OutOfSpace, Refused, UsageError
from dr_lib.model.serving import FileSwitch, Site
from dr_lib.serving.switches.file import File

PRIMARY, STANDBY = Site.PRIMARY, Site.STANDBY
CONTENTS = {PRIMARY: "server us;\n", STANDBY: "server eu;\n"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "map").write_text(CONTENTS[PRIMARY])
    return tmp_path / "map"


def test_its_mode_stays_and_nothing_is_left_beside_it(place: Path):
    place.chmod(0o640)
    File(FileSwitch(place, CONTENTS)).move(STANDBY)
    assert (place.read_text(), stat.S_IMODE(place.stat().st_mode)) == (CONTENTS[STANDBY], 0o640)
    assert os.listdir(place.parent) == ["map"]


def test_a_link_stays_one(place: Path, tmp_path: Path):
    link = tmp_path / "link"
    link.symlink_to(place)
    File(FileSwitch(link, CONTENTS)).move(STANDBY)
    assert link.is_symlink()
    assert place.read_text() == CONTENTS[STANDBY]


def test_whoever_reads_meanwhile_sees_the_one_or_the_other(place: Path):
    with place.open() as before:
        File(FileSwitch(place, CONTENTS)).move(STANDBY)
        assert before.read() == CONTENTS[PRIMARY]


@pytest.mark.parametrize("text", ["", "server ap;\n", "\x00"])
def test_another_content_is_nobodys(place: Path, text: str):
    place.write_text(text)
    found = File(FileSwitch(place, CONTENTS)).traffic()
    assert (found.word, found.detail) == ("nobody", f"{place} holds something else")


def test_one_that_is_absent_is_nobodys_and_is_made(place: Path):
    place.unlink()
    assert File(FileSwitch(place, CONTENTS)).traffic().detail == f"{place} is not there"
    File(FileSwitch(place, CONTENTS)).move(PRIMARY)
    assert File(FileSwitch(place, CONTENTS)).traffic().sites == {PRIMARY}


def test_what_cannot_be_read_or_written(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place.write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match="cannot be read"):
        File(FileSwitch(place, CONTENTS)).traffic()
    with pytest.raises(UsageError, match="has no folder"):
        File(FileSwitch(tmp_path / "absent" / "map", CONTENTS)).move(STANDBY)
    with pytest.raises(Refused, match="cannot be written"):
        File(FileSwitch(place / "map", CONTENTS)).move(STANDBY)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutOfSpace):
        File(FileSwitch(place, CONTENTS)).move(STANDBY)
    assert os.listdir(place.parent) == ["map"]

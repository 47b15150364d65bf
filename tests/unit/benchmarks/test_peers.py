"""The benchmark runs from end to end, small: its structure, never its times."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from benchmarks.peers.__main__ import main
from benchmarks.peers.measuring import Command, Failed
from benchmarks.peers.running import run_scenario
from benchmarks.peers.scenarios import Scenario
from benchmarks.peers.server import Server, running_server
from benchmarks.peers.tool import Place, Stored

MODEL_STEPS = {"first", "unchanged", "restore", "changed", "restore changed"}


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty TMPDIR of the test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def servers_below(folder: Path) -> list[int]:
    told = ((p.pid, " ".join(p.info["cmdline"] or ())) for p in psutil.process_iter(["cmdline"]))
    return [pid for pid, line in told if f"-dir={folder}" in line]


def test_a_quick_run_writes_every_row_and_leaves_nothing_behind(temporary: Path, tmp_path: Path):
    results = tmp_path / "results"
    results.mkdir()
    assert main(["--quick", "--only", "model", "small", "--into", str(results)]) == 0
    records = json.loads((results / "results.json").read_text())
    steps = {
        scenario: {r["step"] for r in records if r["scenario"] == scenario} for scenario in ("model", "small files")
    }
    assert steps == {"model": MODEL_STEPS, "small files": {"first", "unchanged", "restore"}}
    assert {"ours", "ours-clear", "s5cmd", "rclone"} <= {r["tool"] for r in records}
    assert all(r["wall"] > 0 and r["cpu"] > 0 and r["peak"] > 1 << 20 for r in records)
    assert all(0 < r["metadata"] < r["stored"] for r in records if r["tool"] == "ours")
    text = (results / "results.md").read_text()
    assert "restore of small files: ours / restic" in text
    assert "| not measured |" in text
    assert (results / "results.svg").read_text().startswith("<?xml")
    assert list(temporary.iterdir()) == []
    assert servers_below(temporary) == []


class Liar:
    """A tool that restores something else."""

    name = "liar"

    def missing(self) -> str | None:
        return None

    def version(self) -> str:
        return "liar 1"

    def setup(self, place: Place) -> Sequence[Command]:
        return []

    def backup(self, place: Place) -> Command:
        return Command(("true",))

    def restore(self, place: Place, target: Path) -> Command:
        return Command(("mkdir", str(target)))

    def restored(self, place: Place, target: Path) -> Path:
        return target

    def stored(self, place: Place) -> Stored:
        return Stored(sum(place.server.sizes(place.bucket).values()))


def make_something(folder: Path) -> None:
    folder.mkdir()
    (folder / "file").write_text("content")


@pytest.fixture
def server(tmp_path: Path):
    with running_server(tmp_path / "server") as running:
        yield running


def test_a_tool_that_gives_back_other_bytes_ends_the_run(server: Server, tmp_path: Path):
    scenario = Scenario("lies", "lies", "model", (make_something,), ("liar",))
    with pytest.raises(Failed, match="liar gave back other bytes"):
        list(run_scenario(scenario, [Liar()], server, tmp_path / "scenario", 1))
    assert not (tmp_path / "scenario").exists()


def test_a_bucket_is_empty_at_first_and_gone_at_last(server: Server):
    with server.bucket("one-turn") as bucket:
        assert server.sizes(bucket) == {}
    with server.bucket("one-turn") as bucket:
        assert server.sizes(bucket) == {}

"""Evidence over a real configuration: listed, proven, rendered and reckoned with, in regions that come and go."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dr_lib.cli.main import main
from dr_lib.errors import IntegrityError, NotFound, Refused, UsageError
from dr_lib.format import layout
from dr_lib.model.drill import DrillReport, Phase
from dr_lib.use_cases.foretelling import predicted
from dr_lib.workflows.evidence.keep import keep
from tests.drills import report
from tests.keys import keys
from tests.world import ASSET, World, change, flip, make_world, weights

GB = 10**9


def drill(world: World, number: int, size: int = GB, **more) -> DrillReport:
    point = world.runtime.points(ASSET)[0]["point"]
    data = world.vault("one").manifest_bytes(ASSET, point)
    phases = (Phase("acquire", 2.0), Phase("fetch", 1.0 + 10 * size / GB), Phase("load", 1.0))
    facts = {
        "asset": ASSET, "point": point, "manifest_sha256": hashlib.sha256(data).hexdigest(), "bytes_restored": size,
        "phases": phases, "rto_s": sum(phase.seconds for phase in phases),
    }  # fmt: skip
    return report(number, **facts | more)


def key(number: int) -> str:
    return layout.evidence_key(ASSET, report(number).drill)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> World:
    world = make_world(tmp_path_factory.mktemp("evidence") / "w", environ=keys().all(), **keys().config())
    weights(world.source / "model.safetensors")
    world.runtime.backup(ASSET)
    vaults = [world.vault(name) for name in world.regions]
    for number in range(3):
        keep(vaults, drill(world, number, GB * (1 + number)))
    return world


@pytest.fixture
def world(kept: World, tmp_path: Path):
    """The world as it was; what a test does to its evidence is put right again."""
    for name, path in kept.regions.items():
        shutil.copytree(path / "evidence", tmp_path / name)
    yield kept
    for name, path in kept.regions.items():
        shutil.rmtree(path / "evidence", ignore_errors=True)
        shutil.copytree(tmp_path / name, path / "evidence")


def test_it_is_listed_newest_first_and_all_of_it_holds(world: World):
    found = world.runtime.evidence(ASSET)
    assert [one["drill"] for one in found["evidence"]] == [report(number).drill for number in (2, 1, 0)]
    assert found["evidence"][0]["regions"] == ["one", "two"]
    assert (found["problems"], found["silent"]) == ([], {})
    assert len(world.runtime.evidence(ASSET, 1)["evidence"]) == 1
    proven = world.runtime.verify_evidence()
    assert proven["ok"]
    assert {one["point"] for one in proven["assets"][0]["evidence"]} == {"the manifest is the one"}
    assert world.runtime.show_evidence(ASSET)["statement"]["predicate"]["drill"] == report(2).drill
    with pytest.raises(NotFound):
        world.runtime.show_evidence(ASSET, report(7).drill)


@pytest.mark.parametrize("damage", ["edited", "removed", "swapped"])
def test_tampering_is_exit_code_4_with_where_and_nothing_is_rendered(
    world: World, tmp_path: Path, damage: str, capsys, monkeypatch
):
    for name in world.regions:
        path = world.regions[name] / key(1)
        if damage == "edited":
            change(path, flip)
        elif damage == "swapped":
            change(path, lambda _, name=name: (world.regions[name] / key(0)).read_bytes())
        else:
            path.unlink()
    for name, value in keys().all().items():
        monkeypatch.setenv(name, value)
    assert main(["evidence", "verify", ASSET, "--config", str(world.config())]) == 4
    assert f"!! {report(2 if damage == 'removed' else 1).drill}" in capsys.readouterr().out
    page = tmp_path / "page.html"
    with pytest.raises(IntegrityError, match="does not hold"):
        world.runtime.render_evidence(ASSET, html=page)
    assert not page.exists()


def test_a_page_and_a_pdf_are_made_of_what_holds(world: World, tmp_path: Path):
    page, pdf = tmp_path / "page.html", tmp_path / "page.pdf"
    done = world.runtime.render_evidence(ASSET, html=page, pdf=pdf)
    assert done["files"] == {str(page): page.stat().st_size, str(pdf): pdf.stat().st_size}
    assert "3 of 3 known" in page.read_text()
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert sorted(path.name for path in tmp_path.glob("page*")) == ["page.html", "page.pdf"]
    with pytest.raises(Refused, match="cannot be written"):
        world.runtime.render_evidence(ASSET, html=tmp_path / "no" / "page.html")


def test_a_region_that_is_gone_is_said_and_one_that_comes_back_gets_what_it_lacks(world: World, tmp_path: Path):
    lost, away = world.regions["two"], tmp_path / "away"
    lost.rename(away)
    try:
        keep([world.vault("one")], drill(world, 3))
        found = world.runtime.verify_evidence(ASSET)
        assert found["ok"]
        assert any(note.startswith("two did not answer") for note in found["assets"][0]["notes"])
    finally:
        away.rename(lost)
    assert not (lost / key(3)).exists()
    assert any(note.startswith("two lacks 1") for note in world.runtime.verify_evidence(ASSET)["assets"][0]["notes"])
    assert world.runtime.replicate(ASSET)["evidence"] == {"two": [key(3)]}
    assert world.runtime.replicate(ASSET)["evidence"] == {}
    assert (lost / key(3)).read_bytes() == (world.regions["one"] / key(3)).read_bytes()


def test_the_next_recovery_is_foretold(world: World):
    found = world.runtime.predict_rto(ASSET, "500GB", "1GB/s")
    assert found["seconds"] == pytest.approx(2 + 1 + 500 + 1, abs=0.01)
    assert world.runtime.predict_rto(ASSET)["bytes"] == 3 * GB
    with pytest.raises(UsageError):
        world.runtime.predict_rto(ASSET, "much")


def test_a_drill_is_foretold_by_those_before_it_alone(world: World):
    vaults = [world.vault("one")]
    assert predicted(vaults, drill(world, 2)) is None
    later = drill(world, 3, 4 * GB)
    assert predicted(vaults, later) == pytest.approx(44.0, abs=0.01)
    assert predicted(vaults, replace(later, rto_s=None)) is None
    assert predicted(vaults, replace(later, scenario="slow-link")) is None


def test_the_age_is_told_from_the_clock(world: World):
    age = world.runtime.evidence(ASSET)["evidence"][0]["age_s"]
    assert age >= 0
    assert timedelta(seconds=age) < timedelta(days=3650)

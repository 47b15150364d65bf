"""`serving:` names endpoints; a mistake in it is refused like any other."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dr_lib.config import ConfigError, load_config
from dr_lib.config.serving import witnesses
from dr_lib.errors import NotFound
from dr_lib.model.config import Config
from dr_lib.model.serving import LeasePolicy, Site

SWITCH = {"kind": "file", "path": "/run/site", "primary": "us", "standby": "eu"}
API = {
    "asset": "m",
    "url": "http://models:8080",
    "primary": {"url": "http://us:8000/"},
    "standby": {"url": "http://eu:8000", "directory": "served"},
    "switch": SWITCH,
}


def load(folder: Path, *, regions: tuple[str, ...] = ("a", "b", "c"), kind: str = "model", **changed: Any) -> Config:
    endpoint = {name: value for name, value in (API | changed).items() if value is not None}
    document = {
        "regions": {name: {"url": f"s3://bucket-{name}"} for name in regions},
        "encryption": "none",
        "assets": {"m": {"kind": kind, "source": "/m", "regions": list(regions)}},
        "serving": {"api": endpoint},
    }
    path = folder / "dr.yaml"
    path.write_text(json.dumps(document))
    return load_config(path)


def problems(folder: Path, **changed: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, **changed)
    return [f"{problem.field}: {problem.what}; {problem.right}" for problem in caught.value.problems]


def test_what_is_not_said_is_safe(tmp_path: Path):
    found = load(tmp_path).endpoint("api")
    assert not found.is_automatic
    assert (found.health.of, found.health.fall, found.health.rise, found.health.path) == (5, 3, 3, "/healthz")
    assert found.lease == LeasePolicy(("a", "b", "c"), timedelta(minutes=1))
    assert found.sites[Site.PRIMARY].url == "http://us:8000"
    assert found.sites[Site.PRIMARY].directory is None
    assert found.sites[Site.STANDBY].directory == tmp_path / "served"
    with pytest.raises(NotFound, match="no endpoint named 'other'"):
        load(tmp_path).endpoint("other")


def test_all_of_it_can_be_said(tmp_path: Path):
    health = {"path": "/live", "timeout": "500ms", "interval": "2s", "of": 9, "fall": 4, "rise": 2, "contains": "ok"}
    site = {"url": "http://eu:8000", "directory": "/srv/m", "reload": "/load", "command": ["restart", "m"]}
    found = load(
        tmp_path,
        health=health | {"answers": "golden/api.jsonl", "tolerance": 0.01},
        standby=site,
        approval="automatic",
        lease={"regions": ["b"], "ttl": "30s"},
        patience="10m",
        schedule="*/5 * * * *",
        queue="watchers",
    ).endpoint("api")
    assert found.is_automatic
    assert found.health.answers == tmp_path / "golden" / "api.jsonl"
    assert found.sites[Site.STANDBY].command == ("restart", "m")
    assert found.lease == LeasePolicy(("b",), timedelta(seconds=30))
    assert (found.patience, found.schedule, found.queue) == (timedelta(minutes=10), "*/5 * * * *", "watchers")


@pytest.mark.parametrize(
    ("regions", "holding"),
    [("a", "a"), ("ab", "b"), ("abc", "abc"), ("abcd", "bcd"), ("abcde", "abcde")],
)
def test_a_majority_survives_the_loss_of_the_first_region_and_of_any_where_there_are_three(regions: str, holding: str):
    found = witnesses(tuple(regions))
    assert found == tuple(holding)
    lost = regions if len(regions) > 2 else regions[: len(regions) - 1]
    assert all(len(set(found) - {one}) >= LeasePolicy(found, timedelta(1)).needed for one in lost)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"asset": "n"}, "serving.api.asset: there is no asset 'n'; known here: m"),
        ({"kind": "dataset"}, "serving.api.asset: 'm' is a dataset, and a dataset is not served; name a model"),
        ({"url": "models"}, "serving.api.url: 'models' is no address of a server; write http://HOST"),
        ({"url": "http://me:secret@x"}, "serving.api.url: a password has no place here"),
        ({"primary": {"url": "http://eu:8000"}}, "serving.api.standby.url: this is the primary's server"),
        ({"standby": {"url": "http://eu:8000"}}, "serving.api.standby: nothing says where a point is restored to"),
        ({"approval": "never"}, "serving.api.approval: 'never' is not known; write required or automatic"),
        ({"health": {"fall": 6}}, "serving.api.health: fall and rise count among the last 5"),
        ({"health": {"tolerance": 2}}, "serving.api.health.tolerance: 2 is no tolerance"),
        ({"lease": {"ttl": "1s"}}, "serving.api.lease.ttl: '1s' is too short to be renewed in time; write 30s or more"),
        ({"lease": {"regions": ["a", "b"]}}, "serving.api.lease.regions: 2 regions make no good majority"),
        ({"lease": {"regions": ["a", "a", "b"]}}, "serving.api.lease.regions: 3 regions make no good majority"),
        ({"lease": {"regions": ["z"]}}, "serving.api.lease.regions[0]: there is no region 'z'"),
        ({"primary": {"url": "http://us:8000", "command": "run"}}, "serving.api.primary.command: this is no command"),
        ({"switch": None}, "serving.api.switch: this field is required"),
        ({"schedule": "often"}, "serving.api.schedule: 'often' is no cron line"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_what_would_be_right(tmp_path: Path, changed: dict[str, Any], expected: str):
    found = problems(tmp_path, **changed)
    assert [text for text in found if text.startswith(expected)], found


def test_the_questions_beside_dr_yaml_are_saved_with_the_orchestrator(tmp_path: Path):
    from dr_lib.config.build import build
    from dr_lib.config.schema import FileSchema

    document = json.loads((load(tmp_path, health={"answers": "api.jsonl"}).path).read_text())
    document |= {"orchestrator": {"regions": ["a"]}, "encryption": {"recipients": []}}
    document["encryption"] = "none"
    policy = build(FileSchema.model_validate(document), tmp_path / "dr.yaml").orchestrator
    assert policy is not None
    assert tmp_path / "api.jsonl" in policy.files

"""What dr.yaml lets drills do: each harm comes with its undoing, and no secret stands in a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dr_lib.config import load_config
from dr_lib.config.problems import ConfigError
from dr_lib.model.rehearsal import NO_LEVERS, Rehearsal
from dr_lib.model.scenario import SCENARIOS

LOSE = {"lose": ["stop", "it"], "return": ["start", "it"]}


def load(folder: Path, rehearsal: object = None, drill: object = None, source: object = "/data"):
    region = {"url": "file:///vault"} | ({} if rehearsal is None else {"rehearsal": rehearsal})
    asset = {"kind": "dataset", "source": source, "regions": ["one"]} | ({} if drill is None else {"drill": drill})
    document = {"encryption": "none", "regions": {"one": region}, "assets": {"m": asset}}
    (folder / "dr.yaml").write_text(json.dumps(document))
    return load_config(folder / "dr.yaml")


def test_nothing_is_allowed_unless_it_is_said(tmp_path):
    config = load(tmp_path)
    assert config.regions["one"].rehearsal == NO_LEVERS
    assert config.assets["m"].drill.takes_source is False
    assert config.assets["m"].drill.scenarios == ()


def test_all_that_can_be_said(tmp_path):
    said = LOSE | {"revoke": ["deny"], "reinstate": ["allow"], "damage": True, "within": "5m"}
    config = load(tmp_path, said, {"scenarios": ["slow-link", "key-lost"], "link": "1MB/s", "takes_source": True})
    wanted = Rehearsal(("stop", "it"), ("start", "it"), ("deny",), ("allow",), damage=True, within_s=300.0)
    assert config.regions["one"].rehearsal == wanted
    drill = config.assets["m"].drill
    assert (drill.scenarios, drill.link, drill.takes_source) == (("slow-link", "key-lost"), 1_000_000, True)


def test_all_scenarios_by_one_word(tmp_path):
    assert load(tmp_path, drill={"scenarios": "all"}).assets["m"].drill.scenarios == tuple(SCENARIOS)


@pytest.mark.parametrize(
    ("rehearsal", "words"),
    [
        ({"lose": ["stop"]}, "name both lose: and return:"),
        ({"reinstate": ["allow"]}, "name both revoke: and reinstate:"),
        ({"lose": "stop it", "return": ["start"]}, "this is no command"),
        ({"lose": [], "return": ["start"]}, "this is no command"),
        ({"lose": ["stop", 5], "return": ["start"]}, "put it in quotes"),
        ({"lose": ["stop", "--key=AKIAABCDEFGHIJKLMNOP"], "return": ["start"]}, "this holds a secret"),
        ({"damage": "yes"}, "no switch"),
        ({"within": "0s"}, "no length of time"),
        ({"explode": ["x"]}, "no such field"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path, rehearsal, words: str):
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, rehearsal)
    assert words in str(refused.value)
    assert "AKIAABCDEFGHIJKLMNOP" not in str(refused.value)


@pytest.mark.parametrize(
    ("drill", "words"),
    [
        ({"scenarios": []}, "this is no plan"),
        ({"scenarios": "some"}, "this is no plan"),
        ({"scenarios": ["meteor"]}, "'meteor' is not known"),
        ({"scenarios": ["slow-link", "slow-link"]}, "stands here twice"),
        ({"link": "fast"}, "no rate"),
    ],
)
def test_a_plan_that_is_none_is_refused(tmp_path, drill, words: str):
    with pytest.raises(ConfigError, match=words):
        load(tmp_path, drill=drill)


def test_only_a_directory_is_taken_aside(tmp_path):
    with pytest.raises(ConfigError, match="only a directory can be taken aside"):
        load(tmp_path, drill={"takes_source": True}, source={"url": "s3://lake/x", "endpoint": "http://127.0.0.1:1"})

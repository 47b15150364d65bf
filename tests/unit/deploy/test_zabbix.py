"""The Zabbix template reads what `drctl check` says, and a real agent gets it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonpath_ng.ext import parse

from dr_lib.cli.check import _document
from tests.unit.use_cases.checked_worlds import proven
from tests.world import ASSET

SHIPPED = Path(__file__).resolve().parents[3] / "deploy" / "zabbix"
EXPORT = yaml.safe_load((SHIPPED / "disaster-recovery.yaml").read_text())["zabbix_export"]
TEMPLATE = EXPORT["templates"][0]
MACROS = {"{#ASSET}": ASSET, "{#REGION}": "two", "{#ENDPOINT}": "api"}
ENDPOINT = {"endpoint": "api", "asset": ASSET, "state": "ok", "state_code": 0, "text": "well", "reasons": ["well"]} | {
    "traffic": "primary"
}
"""As `Runtime.check` has it (tests/unit/serving/test_watching.py)."""
needs_agent = pytest.mark.skipif(
    shutil.which("zabbix_agentd") is None, reason="zabbix_agentd is not here: bash tools/system.sh zabbix-agent"
)


def steps(item: dict[str, Any]) -> list[str]:
    return [one["parameters"][0] for one in item.get("preprocessing", ()) if one["type"] == "JSONPATH"]


ITEMS = [one for one in TEMPLATE["items"] if one["type"] == "DEPENDENT"]
RULES = TEMPLATE["discovery_rules"]
PROTOTYPES = [one for rule in RULES for one in rule["item_prototypes"]]


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, Any]:
    world = proven(tmp_path_factory.mktemp("zabbix") / "w")
    checked = world.runtime.check() | {"endpoints": [ENDPOINT]}
    return json.loads(json.dumps(_document(checked)))


def asked(path: str, document: dict[str, Any]) -> list[Any]:
    """Zabbix's own `.first()` is left out: the caller sees that there is just one."""
    for macro, value in MACROS.items():
        path = path.replace(macro, value)
    return [one.value for one in parse(path.removesuffix(".first()")).find(document)]


@pytest.mark.parametrize("item", [*ITEMS, *PROTOTYPES], ids=lambda one: one["key"])
def test_each_item_finds_one_value_of_its_type(item, found):
    (path,) = steps(item)
    (value,) = asked(path, found)
    wanted = {"TEXT": str, "FLOAT": (int, float)}.get(item.get("value_type", ""), int)
    assert isinstance(value, wanted)


def test_discovery_finds_every_asset_and_region(found):
    rows = {rule["key"]: asked(steps(rule)[0], found)[0] for rule in RULES}
    assert [one["asset"] for one in rows["dr.assets.discovery"]] == [ASSET]
    assert [one["region"] for one in rows["dr.regions.discovery"]] == ["one", "two"]
    assert [one["endpoint"] for one in rows["dr.endpoints.discovery"]] == ["api"]
    for rule in RULES:
        for macro in rule["lld_macro_paths"]:
            assert all(asked(macro["path"], row) for row in rows[rule["key"]])


def uuids(node: Any) -> list[str]:
    if isinstance(node, list):
        return [one for child in node for one in uuids(child)]
    if not isinstance(node, dict):
        return []
    return [str(value) for name, value in node.items() if name == "uuid"] + uuids(list(node.values()))


def test_uuids_are_of_version_4_and_stand_once():
    told = uuids(EXPORT)
    assert [one for one, count in Counter(told).items() if count > 1] == []
    assert [one for one in told if not re.fullmatch(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", one)] == []


def test_what_triggers_ask_for_is_there():
    keys = {one["key"] for one in [*TEMPLATE["items"], *PROTOTYPES]}
    triggers = [
        one
        for item in [*TEMPLATE["items"], *PROTOTYPES]
        for one in [*item.get("triggers", ()), *item.get("trigger_prototypes", ())]
    ]
    named = {
        key
        for one in triggers
        for key in re.findall(rf"/{TEMPLATE['template']}/([a-z.]+(?:\[[^\]]*\])?)", one["expression"])
    }
    assert len(triggers) == 8
    assert named <= keys


def test_an_asset_that_is_lost_or_unknown_has_no_age_rather_than_a_wrong_one(found):
    lost = {**found["assets"][0], "rpo_s": None}
    document = _document({**found, "assets": [lost]})
    (item,) = (one for one in PROTOTYPES if one["key"] == "dr.asset.rpo[{#ASSET}]")
    assert asked(steps(item)[0], document) == []


@needs_agent
def test_a_real_agent_gets_the_document(tmp_path: Path):
    world = proven(tmp_path / "w")
    world.runtime.refresh_catalog()
    shipped = (SHIPPED / "drctl.conf").read_text()
    ours = shipped.replace("check,drctl", f"check,'{Path(sys.executable).parent / 'drctl'}'")
    ours = ours.replace("/etc/dr/dr.yaml", f"'{world.config()}'")
    conf = tmp_path / "agent.conf"
    conf.write_text(f"Server=127.0.0.1\nHostname=here\nTimeout=30\nLogFile={tmp_path}/log\n{ours}\n")
    command = ["zabbix_agentd", "-c", str(conf), "-t", "dr.check"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout
    told = re.search(r"\[t\|(\{.*\})\]", said, re.DOTALL)
    assert told, said
    document = json.loads(told[1])
    assert (document["state"], document["assets"][0]["asset"]) == ("ok", ASSET)

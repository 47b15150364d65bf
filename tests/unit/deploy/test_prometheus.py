"""The rules that Prometheus is given: it takes them, each fires and clears, and each says what to do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "deploy" / "prometheus"
RULES = sorted((SHIPPED / "rules").glob("*.yml"))
NAME = re.compile(r"\bdr_[a-z_]+")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not here: bash tools/system.sh prometheus"
)


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False)


def rules(file: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


ALL = [rule for file in RULES for rule in rules(file)]


@needs_promtool
def test_prometheus_takes_the_configuration_and_the_rules():
    for said in (promtool("check", "config", "--syntax-only", SHIPPED / "prometheus.yml"),
                 promtool("check", "rules", *RULES)):  # fmt: skip
        assert said.returncode == 0, said.stdout + said.stderr


@needs_promtool
def test_every_rule_fires_and_clears():
    said = promtool("test", "rules", *sorted((SHIPPED / "tests").glob("*.yml")))
    assert said.returncode == 0, said.stdout + said.stderr


@needs_promtool
@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
@pytest.mark.parametrize("broken", ["vector(0) > 0", "vector(1)"])
def test_a_rule_that_never_fires_or_never_clears_is_noticed(tmp_path: Path, broken: str, file: Path):
    shipped = yaml.safe_load(file.read_text())
    for group in shipped["groups"]:
        for rule in group["rules"]:
            rule["expr"] = broken
    (tmp_path / "rules").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "rules" / file.name).write_text(yaml.safe_dump(shipped))
    said = promtool("test", "rules", shutil.copy(SHIPPED / "tests" / file.name, tmp_path / "tests"))
    assert said.returncode == 1
    noticed = {rule["alert"] for rule in rules(file) if f'alertname=\\"{rule["alert"]}\\"' in said.stdout + said.stderr}
    assert noticed == {rule["alert"] for rule in rules(file)}


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]):
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert {"summary", "description", "runbook"} <= set(rule["annotations"])
    assert (ROOT / "runbooks" / rule["annotations"]["runbook"]).is_file()
    assert re.fullmatch(r"\d+[mhd]", rule["for"])


def test_an_alert_has_one_name():
    names = [rule["alert"] for rule in ALL]
    assert len(names) == len(set(names))


def test_rules_speak_of_metrics_that_there_are():
    from dr_airflow.page import metrics

    ours = {name for rule in ALL for name in NAME.findall(rule["expr"])}
    assert ours <= set(metrics._HELP)
    assert {"dr_protected", "dr_rpo_seconds", "dr_region_answers", "dr_drill_proven", "dr_serving_problem"} <= ours


def test_the_documentation_lists_every_metric():
    from dr_airflow.page import metrics

    text = (ROOT / "docs" / "operations.md").read_text()
    assert {name for name in metrics._HELP if f"`{name}`" not in text} == set()


def test_the_scrape_names_no_secret_but_where_it_lies():
    jobs = {job["job_name"]: job for job in yaml.safe_load((SHIPPED / "prometheus.yml").read_text())["scrape_configs"]}
    assert jobs["disaster-recovery"]["authorization"] == {"credentials_file": "/run/secrets/dr_metrics_token"}
    assert jobs["disaster-recovery"]["metrics_path"] == "/dr/metrics"

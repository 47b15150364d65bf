"""`alerts:` names where addresses lie, and never an address."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from dr_lib.config import ConfigError, load_config
from dr_lib.model.alert import NOBODY, AlertPolicy, Recipient, Severity

BASE = "regions: {a: {url: s3://bucket}}\nencryption: none\n"


def load(folder: Path, alerts: str) -> AlertPolicy:
    (folder / "dr.yaml").write_text(f"{BASE}{alerts}")
    return load_config(folder / "dr.yaml").alerts


def test_nobody_is_told_unless_somebody_is_named(tmp_path: Path):
    assert load(tmp_path, "") == NOBODY


def test_recipients_and_how_often(tmp_path: Path):
    text = "alerts: {to: [{urls: env:OPS}, {urls: airflow:pager, at_least: critical}], repeat: 6h}\n"
    recipients = (Recipient("env:OPS"), Recipient("airflow:pager", Severity.CRITICAL))
    assert load(tmp_path, text) == AlertPolicy(recipients, timedelta(hours=6))
    assert load(tmp_path, "alerts: {to: [{urls: 'file:/run/secrets/ops'}], repeat: null}\n").repeat is None


@pytest.mark.parametrize(
    ("alerts", "said"),
    [
        ("{to: [{urls: 'slack://token-a/token-b/token-c'}]}", "such a URL holds a token"),
        ("{to: [{urls: ops}]}", "does not say where the addresses lie"),
        ("{to: [{urls: env:OPS, at_least: loud}]}", "write warning or critical"),
        ("{to: [{}]}", "urls"),
        ("{repeat: often}", "often"),
        ("{whom: []}", "whom"),
    ],
)
def test_a_mistake_is_refused_and_no_token_is_repeated(tmp_path: Path, alerts: str, said: str):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f"alerts: {alerts}\n")
    assert said in str(caught.value)
    assert "token-b" not in str(caught.value)

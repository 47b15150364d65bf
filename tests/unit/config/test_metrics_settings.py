"""`metrics:` names where a token lies, and never a token."""

from __future__ import annotations

from pathlib import Path

import pytest

from dr_lib.config import ConfigError, load_config
from dr_lib.model.config import MetricsPolicy

BASE = "regions: {a: {url: s3://bucket}}\nencryption: none\n"


def load(folder: Path, metrics: str) -> MetricsPolicy:
    (folder / "dr.yaml").write_text(f"{BASE}{metrics}")
    return load_config(folder / "dr.yaml").metrics


def test_without_it_there_is_no_token(tmp_path: Path):
    assert load(tmp_path, "").token is None
    assert load(tmp_path, "metrics: {}\n").token is None


@pytest.mark.parametrize("reference", ["env:DR_METRICS_TOKEN", "file:/run/secrets/dr_metrics_token", "airflow:scraper"])
def test_references(tmp_path: Path, reference: str):
    assert load(tmp_path, f"metrics: {{token: '{reference}'}}\n").token == reference


def test_a_relative_file_lies_beside_the_configuration(tmp_path: Path):
    assert load(tmp_path, "metrics: {token: 'file:token'}\n").token == f"file:{tmp_path / 'token'}"


@pytest.mark.parametrize("wrong", ["{token: 0123456789abcdef0123456789abcdef}", "{tokens: env:X}", "{token: 'env:'}"])
def test_mistakes_are_told_and_what_may_be_a_token_is_not_repeated(tmp_path: Path, wrong: str):
    with pytest.raises(ConfigError) as told:
        load(tmp_path, f"metrics: {wrong}\n")
    assert "dr.yaml line 3" in str(told.value)
    assert "0123456789abcdef" not in str(told.value)

"""`catalog:`: where the cache is, and how old its word may be."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from dr_lib.config import load_config
from dr_lib.config.problems import ConfigError
from dr_lib.model.config import CatalogPolicy, Config

BASE = "version: 1\nencryption: none\nregions: {a: {url: /r/a}}\n"


def loaded(folder: Path, more: str = "") -> Config:
    path = folder / "dr.yaml"
    path.write_text(BASE + more)
    return load_config(path)


def test_without_a_word_it_is_a_file_beside_the_configuration(tmp_path: Path):
    assert loaded(tmp_path).catalog == CatalogPolicy("", timedelta(minutes=15), "*/5 * * * *")


def test_all_of_it_can_be_said(tmp_path: Path):
    said = loaded(tmp_path, "catalog: {url: env:DR_CATALOG, stale_after: 1h, schedule: null}\n")
    assert said.catalog == CatalogPolicy("env:DR_CATALOG", timedelta(hours=1), None)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("url: 5", "catalog.url: 5 is no database"),
        ("url: catalog.sqlite", "catalog.url: 'catalog.sqlite' is no database; write sqlite:////path"),
        ("url: 'postgresql://dr:s3cr3t@db/dr'", "catalog.url: a password has no place here"),
        ("stale_after: 0s", "catalog.stale_after: '0s' is no length of time"),
        ("schedule: often", "catalog.schedule"),
        ("path: /x", "catalog.path"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, said: str, problem: str):
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, f"catalog: {{{said}}}\n")
    assert problem in str(raised.value)
    assert "s3cr3t" not in str(raised.value)

"""`retention:` of an asset and `prune:` of the file: what they say, and what is safe when they say nothing."""

from datetime import timedelta
from pathlib import Path

import pytest

from dr_lib.config import load_config
from dr_lib.config.problems import ConfigError
from dr_lib.model.asset import Retention
from dr_lib.model.config import Config
from dr_lib.model.prune import PrunePolicy

BASE = "encryption: none\nregions: {a: {url: s3://bucket}}\n"


def loaded(folder: Path, retention: str = "{}", more: str = "") -> Config:
    path = folder / "dr.yaml"
    asset = f"assets: {{m: {{kind: model, source: /m, regions: [a], retention: {retention}}}}}\n"
    path.write_text(BASE + asset + more)
    return load_config(path)


def test_without_a_word_the_schedule_deletes_nothing_and_a_plan_waits_for_three_days(tmp_path: Path):
    config = loaded(tmp_path)
    assert config.prune == PrunePolicy(schedule="30 5 * * *")
    assert (config.prune.apply, config.prune.grace) == (False, timedelta(hours=72))
    assert config.asset("m").retention == Retention(24, 7, 5, 12)


def test_every_field_is_what_the_file_says(tmp_path: Path):
    config = loaded(
        tmp_path,
        "{hourly: 1, daily: 2, weekly: 3, monthly: 4, yearly: 5, last: 6, keep_within: 2d, max_age: 9w, "
        "quarantined: null}",
        "prune: {apply: true, schedule: null, grace: 4d, objects: 5, bytes: 2GB}\n",
    )
    day = timedelta(days=1)
    assert config.asset("m").retention == Retention(1, 2, 3, 4, 5, 6, 2 * day, 63 * day, 0 * day)
    assert config.prune == PrunePolicy(apply=True, schedule=None, grace=4 * day, objects=5, bytes=2 * 10**9)


@pytest.mark.parametrize("said", ["apply: 1", "grace: 0h", "objects: 0", "bytes: much", "schedule: daily"])
def test_a_wrong_field_is_refused(tmp_path: Path, said: str):
    with pytest.raises(ConfigError, match=f"prune.{said.split(':', maxsplit=1)[0]}"):
        loaded(tmp_path, more=f"prune: {{{said}}}\n")

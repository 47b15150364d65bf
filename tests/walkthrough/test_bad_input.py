"""What a person gets wrong, and what the system then says: the right exit code, the place, and the next step."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from tests.walkthrough.command_line import Drctl

CONFIG = """
encryption: none
regions:
  us-east: {{url: "s3://dr-us-east", endpoint: "{endpoint}", credentials: "env:EAST"}}
assets:
  model: {{kind: model, source: "{source}", regions: [us-east]}}
"""
FIVE_MISTAKES = """\
encryption: none
regions:
  us-east: {url: "s4://dr-us-east"}
assets:
  model:
    kind: modle
    source: file:///models/one
    regions: [us-east, us-west]
    objectives: {rpo: soon}
    shedule: "0 * * * *"
"""


@pytest.fixture
def drctl(tmp_path: Path, seaweed: SeaweedRegion) -> Drctl:
    """One running region, one asset of one file; nothing initialised."""
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "file").write_text("content")
    (tmp_path / "dr.yaml").write_text(CONFIG.format(endpoint=seaweed.endpoint, source=tmp_path / "live"))
    command_line = Drctl(tmp_path)
    command_line.credentials("EAST", seaweed)
    return command_line


def in_own_bucket(drctl: Drctl) -> Drctl:
    """Give this test a bucket that no other test has, and a vault in it."""
    config = drctl.folder / "dr.yaml"
    config.write_text(config.read_text().replace("dr-us-east", f"dr-{drctl.folder.name.replace('_', '-')[-40:]}"))
    assert drctl("init")[0] == 0
    return drctl


def test_five_mistakes_are_told_at_once_each_with_its_line(drctl: Drctl):
    (drctl.folder / "dr.yaml").write_text(FIVE_MISTAKES)
    done = drctl.run("points")
    assert done.returncode == 2
    for line, word in ((3, "s4"), (6, "modle"), (8, "us-west"), (9, "soon"), (10, "shedule")):
        (told,) = [text for text in done.stderr.splitlines() if f"line {line}" in text]
        assert word in told, told
    assert "Traceback" not in done.stderr


def test_a_missing_bucket_is_not_found_and_names_the_region(drctl: Drctl):
    code, document = drctl("backup", "model")
    assert (code, "us-east" in document["error"]["where"]) == (5, True)
    assert "drctl init" in document["error"]["hint"]


def test_a_wrong_key_is_refused_and_names_the_region(drctl: Drctl):
    drctl.environ["EAST_SECRET_ACCESS_KEY"] = "not-the-key-and-not-to-be-shown"
    code, document = drctl("backup", "model")
    assert (code, "us-east" in document["error"]["where"]) == (7, True)
    assert "not-to-be-shown" not in str(document)


def test_a_stopped_server_is_unavailable_and_names_the_region(drctl: Drctl, new_region: Callable[[], SeaweedRegion]):
    region = new_region()
    (drctl.folder / "dr.yaml").write_text(CONFIG.format(endpoint=region.endpoint, source=drctl.folder / "live"))
    drctl.credentials("EAST", region)
    region.stop()
    code, document = drctl("restore", "model", "--to", str(drctl.folder / "back"))
    assert (code, "us-east" in document["error"]["where"]) == (6, True)
    assert drctl("backup", "model")[0] == 6


def test_a_missing_credential_is_a_usage_error_that_names_the_variable(drctl: Drctl):
    del drctl.environ["EAST_ACCESS_KEY_ID"]
    code, document = drctl("backup", "model")
    assert (code, "EAST_ACCESS_KEY_ID" in document["error"]["what"]) == (2, True)


def test_a_source_that_is_not_there_is_not_found(drctl: Drctl):
    (drctl.folder / "live" / "file").unlink()
    (drctl.folder / "live").rmdir()
    code, document = in_own_bucket(drctl)("backup", "model")
    assert (code, str(drctl.folder / "live") in str(document["error"])) == (5, True)


def test_a_source_that_is_still_being_written_is_refused(drctl: Drctl):
    (drctl.folder / "live" / "model.safetensors.incomplete").touch()
    code, document = in_own_bucket(drctl)("backup", "model")
    assert (code, "model.safetensors.incomplete" in document["error"]["what"]) == (8, True)
    assert drctl("points")[1] == []


def test_a_target_that_is_not_empty_is_refused(drctl: Drctl):
    assert in_own_bucket(drctl)("backup", "model")[0] == 0
    code, document = drctl("restore", "model", "--to", str(drctl.folder / "live"))
    assert (code, document["error"]["where"]) == (7, str(drctl.folder / "live"))
    assert (drctl.folder / "live" / "file").read_text() == "content"


def test_a_vault_that_is_there_is_not_made_again(drctl: Drctl):
    code, document = in_own_bucket(drctl)("init")
    assert (code, "already" in document["error"]["what"]) == (7, True)


def test_unknown_assets_and_regions_are_named_with_those_that_exist(drctl: Drctl):
    for arguments in (("backup", "modle"), ("verify", "model", "--region", "us-west")):
        code, document = drctl(*arguments)
        assert code == 5
        assert ("model" if "backup" in arguments else "us-east") in document["error"]["hint"]

"""The demo's keys: made once, named in its dr.yaml, and in no file that others may read."""

from __future__ import annotations

import pytest
import yaml

from dr_lib.config import load_config
from dr_lib.demo.configuration import write_configuration
from dr_lib.demo.keys import KEY_FILES, make_keys
from dr_lib.demo.regions import REGIONS
from dr_lib.demo.workspace import Workspace
from dr_lib.errors import Refused, UsageError
from dr_lib.keys import SecretSource, keyset

ENDPOINTS = dict.fromkeys(REGIONS, "http://127.0.0.1:1")


@pytest.fixture
def demo(tmp_path) -> Workspace:
    made = Workspace(tmp_path / "a folder")
    make_keys(made)
    return made


def contents(demo: Workspace) -> dict[str, str]:
    return {name: (demo.keys / name).read_text() for name in KEY_FILES}


def test_a_second_start_keeps_the_keys(demo):
    before = contents(demo)
    make_keys(demo)
    assert contents(demo) == before


def test_vaults_without_their_keys_are_not_given_others(tmp_path):
    older = Workspace(tmp_path)
    older.region("us-east").mkdir(parents=True)
    with pytest.raises(Refused, match="no keys to them"):
        make_keys(older)
    assert not older.keys.exists()


def test_only_the_owner_can_read_them(demo):
    assert demo.keys.stat().st_mode & 0o077 == 0
    assert {path.stat().st_mode & 0o777 for path in demo.keys.iterdir()} == {0o600}


def test_the_configuration_names_them_and_holds_none(demo):
    write_configuration(demo, ENDPOINTS)
    config = load_config(demo.config_file)
    found = keyset(config.encryption, config.signing, SecretSource({}, None))
    assert found.seals
    assert found.identities
    assert found.writer
    assert found.signer.public in found.trusted
    secrets = [line for text in contents(demo).values() for line in text.splitlines() if not line.startswith("#")]
    assert len(secrets) == len(KEY_FILES)
    assert not [secret for secret in secrets if secret in demo.config_file.read_text()]


def test_the_escrow_key_is_a_recipient_and_used_by_nobody(demo):
    write_configuration(demo, ENDPOINTS)
    said = yaml.safe_load(demo.config_file.read_text())["encryption"]
    assert len(said["recipients"]) == 2
    assert said["identity"].endswith("/keys/ops.agekey")


def test_a_key_file_that_holds_no_key_is_named(demo):
    (demo.keys / "ops.agekey").write_text("nothing\n")
    with pytest.raises(UsageError, match=r"ops\.agekey"):
        write_configuration(demo, ENDPOINTS)

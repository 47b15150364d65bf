"""What doctor says of keys: which role this machine can play, what to set, and which key is wrong."""

from __future__ import annotations

import pytest

from dr_lib.runtime import Runtime
from tests.keys import fresh_keys, keys
from tests.world import ASSET, make_world


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path / "world", environ=keys().all(), **keys().config())


def told(world, environ):
    """The document, and its checks by name."""
    document = Runtime.load(world.config(), environ=environ).doctor()
    checks = {one["name"]: one for one in document["checks"]}
    assert len(checks) == len(document["checks"])
    return document, checks


ROLES = ("backing up", "verifying, drilling", "restoring")


@pytest.mark.parametrize(
    ("environ", "able"),
    [
        (keys().all(), ROLES),
        (keys().backup_host(), ("backing up",)),
        (keys().operator(), ("verifying, drilling", "restoring")),
        ({"DR_IDENTITY": keys().escrow}, ("restoring",)),
    ],
    ids=["all", "backup host", "operator", "bare terminal"],
)
def test_a_role_is_stated_and_what_others_do_is_no_failure(world, environ, able):
    document, checks = told(world, environ | {"DR_KIT": "none"})
    assert tuple(role for role in ROLES if checks[role]["detail"] == "can be done here") == able
    assert document["ok"] is True
    assert document["warnings"] == []


def test_a_region_without_a_recovery_kit_is_told_of(world):
    document, _ = told(world, keys().all())
    assert document["ok"] is True
    assert all("drctl kit build" in text for text in document["warnings"])
    assert document["warnings"]


def test_it_says_which_key_is_missing_and_where_it_was_looked_for(world):
    _, checks = told(world, {"DR_SIGNING_KEY": keys().signer, "DR_IDENTITY": keys().operations})
    assert checks["backing up"]["detail"] == "not from here: no writer key in env:DR_WRITER_KEY"


@pytest.mark.parametrize("environ", [{}, {"DR_WRITER_KEY": keys().writer}, {"DR_SIGNING_KEY": keys().signer}])
def test_a_machine_that_can_play_no_role_is_told_what_to_set(world, environ):
    document, checks = told(world, environ)
    assert document["ok"] is False
    assert checks["keys"]["ok"] is False
    assert "for restoring env:DR_IDENTITY" in checks["keys"]["fix"]


def test_a_signing_key_that_nobody_trusts_is_a_failure(world):
    stranger = fresh_keys()
    document, checks = told(world, keys().all() | {"DR_SIGNING_KEY": stranger.signer})
    assert document["ok"] is False
    assert stranger.public in checks["signing key"]["detail"]
    assert checks["backing up"]["detail"] == "not from here: a wrong signing key in env:DR_SIGNING_KEY"
    assert checks["restoring"]["detail"] == "can be done here"


def test_an_identity_that_is_no_recipient_is_a_failure(world):
    document, checks = told(world, keys().all() | {"DR_IDENTITY": fresh_keys().operations})
    assert document["ok"] is False
    assert checks["age identity"]["ok"] is False
    assert checks["restoring"]["detail"].startswith("not from here: a wrong age identity")


def test_a_secret_that_is_none_is_named_by_its_reference_and_not_shown(world):
    document, checks = told(world, keys().all() | {"DR_WRITER_KEY": "dr-writer:hunter2"})
    assert document["ok"] is False
    assert "env:DR_WRITER_KEY" in checks["keys"]["detail"]
    assert "hunter2" not in str(document)


def test_no_secret_is_in_the_document(world):
    document, _ = told(world, keys().all())
    assert not [secret for secret in keys().all().values() if secret in str(document)]


def test_the_recipients_are_counted(world):
    assert told(world, keys().all())[1]["recipients"]["detail"].startswith("sealed to 2, set ")


def test_vaults_in_the_clear_are_loud_and_ask_for_no_key(tmp_path):
    document, checks = told(make_world(tmp_path / "clear"), {})
    assert document["ok"] is True
    assert not set(ROLES) & set(checks)
    assert "who can read the bucket can read the asset" in document["warnings"][0]
    assert "nothing is signed" in document["warnings"][1]


def test_sealed_and_unsigned_asks_for_no_signing_key(tmp_path):
    world = make_world(tmp_path / "world", environ=keys().all(), **keys().config() | {"signing": "none"})
    document, checks = told(world, {"DR_WRITER_KEY": keys().writer, "DR_KIT": "none"})
    assert checks["backing up"]["detail"] == "can be done here"
    assert [line.partition(":")[0] for line in document["warnings"]] == ["signing"]


def test_a_backup_in_the_clear_says_so_and_a_sealed_one_has_nothing_to_say(world, tmp_path):
    (world.source / "a.txt").write_text("a")
    assert world.runtime.backup(ASSET)["warnings"] == []
    clear = make_world(tmp_path / "clear")
    (clear.source / "a.txt").write_text("a")
    plan = clear.runtime.plan_backup(ASSET)
    for shard in range(plan["shards"]):
        clear.runtime.store_shard(ASSET, "one", plan["run"], shard)
    clear.runtime.record_proof(ASSET, "one", plan["run"])
    for done in (clear.runtime.commit_backup(ASSET, "one", plan["run"]), clear.runtime.backup(ASSET)):
        assert [line.partition(":")[0] for line in done["warnings"]] == ["encryption", "signing"]

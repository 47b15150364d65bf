"""Who opens what: counted from names, proven by opening, and told without a secret."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dr_lib.crypto import age
from dr_lib.crypto.keyset import Keyset
from dr_lib.runtime import Runtime
from dr_lib.storage.counting import CountingStore
from dr_lib.storage.memory import MemoryStore
from dr_lib.vault.run_keys import create_run_key
from dr_lib.workflows.keys.rotate import rotate
from dr_lib.workflows.keys.survey import SAMPLE, survey
from tests.keys import fresh_keys, keys
from tests.world import ASSET, World, change, flip, make_world

OPS, NEW = keys().operations, age.new_identity()[0]
BEFORE, AFTER = keys().recipients, [age.recipient_of(OPS), age.recipient_of(NEW)]
HERE = Keyset(tuple(AFTER), (OPS,))


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path / "w", environ=keys().all(), **keys().config())
    (made.source / "file").write_bytes(os.urandom(1000))
    made.runtime.backup(ASSET)
    return made


def store_of(count: int) -> MemoryStore:
    store = MemoryStore("region one")
    for _ in range(count):
        create_run_key(store, BEFORE)
    return store


def test_run_keys_are_counted_by_whom_their_newest_generation_is_for():
    store = store_of(3)
    rotate(store, AFTER, [OPS], 1)
    for _ in range(2):
        create_run_key(store, BEFORE)
    found = survey(store, HERE, 2, every=True)
    assert (found.run_keys, found.current, found.others) == (5, 3, 2)
    assert (found.newest_generation, found.left_behind) == (1, 3)
    assert (found.opened, found.shut, found.damaged) == (5, 0, 0)


@pytest.mark.parametrize(("every", "reads"), [(False, SAMPLE), (True, SAMPLE + 4)])
def test_a_sample_is_opened_or_every_one(every, reads):
    store = CountingStore(store_of(SAMPLE + 4))
    assert survey(store, HERE, 4, every=every).opened == reads
    assert store.calls == {"list": 1, "get": reads}


def test_without_an_identity_only_names_are_read():
    store = CountingStore(store_of(3))
    assert survey(store, Keyset(tuple(BEFORE)), 1, every=True).current == 3
    assert store.calls == {"list": 1}


def test_an_identity_that_does_not_open_shows():
    found = survey(store_of(3), Keyset(tuple(BEFORE), (NEW,)), 1, every=False)
    assert (found.opened, found.shut) == (0, 3)


def test_all_is_well_where_everything_is_for_todays_recipients(world):
    document = world.runtime.list_keys()
    assert (document["ok"], document["problems"]) == (True, [])
    assert document["recipients"] == BEFORE
    assert document["identities"] == [age.recipient_of(OPS)]
    assert (document["writer"], document["signer"], document["trusted"]) == (True, keys().public, [keys().public])
    assert [(one["region"], one["opened"]) for one in document["regions"]] == [("one", 1), ("two", 1)]
    shown = json.dumps(document)
    assert not [secret for secret in keys().all().values() if secret in shown]


def test_every_problem_is_said(world):
    change(next((world.regions["one"] / "keys").rglob("*.age")), flip)
    config = json.loads(world.config().read_text())
    config["encryption"]["recipients"] = AFTER
    world.config().write_text(json.dumps(config))
    secrets = {"DR_IDENTITY": NEW, "DR_SIGNING_KEY": fresh_keys().signer}
    document = Runtime.load(world.config(), environ=secrets).list_keys(every=True)
    said = "\n".join(document["problems"])
    assert not document["ok"]
    for words in (
        "signing key here is not among the trusted",
        "run keys in two are not for today's",
        "run keys in two do not open",
        "run keys in one are damaged",
    ):
        assert words in said


def test_a_region_that_does_not_answer_is_told_and_the_others_are_shown(world):
    world.regions["one"].rename(world.folder / "gone")
    silent, other = world.runtime.list_keys()["regions"]
    assert (silent["region"], silent["exit_code"] in (5, 6)) == ("one", True)
    assert other["run_keys"] == 1


def test_a_vault_in_the_clear_has_no_keys(tmp_path):
    document = make_world(tmp_path / "clear").runtime.list_keys()
    assert (document["recipients"], document["fingerprint"], document["ok"]) == ([], None, True)
    assert [one["run_keys"] for one in document["regions"]] == [0, 0]

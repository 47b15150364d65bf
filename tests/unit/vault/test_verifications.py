"""Events keep the state of a copy: each is believed as it was written or not at all, and old ones cost nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from dr_lib.errors import IntegrityError, StoreUnavailable, UsageError
from dr_lib.format import layout
from dr_lib.model.copy import Verification
from dr_lib.storage.counting import CountingStore
from dr_lib.storage.memory import MemoryStore
from dr_lib.vault.evidence import last_drill
from dr_lib.vault.opening import create_vault, open_vault
from dr_lib.vault.vault import Vault
from dr_lib.vault.verifications import record_verification, verifications

START = datetime(2026, 1, 1, tzinfo=UTC)
POINT = "20260101T000000000000Z-00000000"


def word(hour: int, mode: str = "full", *findings: str, point: str = POINT) -> Verification:
    return Verification("one", "x", point, "ab" * 32, mode, START + timedelta(hours=hour), 1.5, 7, findings)


def vault_with(*words: Verification) -> Vault:
    vault = Vault("one", MemoryStore("region one"))
    for found in words:
        record_verification(vault, found)
    return vault


def test_what_was_recorded_comes_back_from_the_newest_decisive_word_on():
    words = [word(1), word(2, "full", "bad"), word(3, "structure"), word(4, "structure")]
    assert verifications(vault_with(*words), "x") == {POINT: words[1:]}


def test_the_same_result_twice_is_one_event():
    vault = vault_with(word(1), word(1))
    assert len(list(vault.events("x"))) == 1


def test_a_point_that_was_verified_for_years_costs_one_read():
    store = CountingStore(vault_with(*(word(hour) for hour in range(200))).store)
    assert len(verifications(Vault("one", store), "x")[POINT]) == 1
    assert store.calls["get"] == 1


def test_every_changed_byte_of_an_event_makes_it_unreadable():
    vault = vault_with(word(1))
    [event] = vault.events("x")
    data = vault.store.get(event.key)
    for at in range(len(data)):
        store = MemoryStore()
        store.create(event.key, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert verifications(Vault("one", store), "x") == {POINT: [None]}


@pytest.mark.parametrize("place", ["later", "of another point", "in another region"])
def test_a_replayed_event_is_not_believed(place: str):
    vault = vault_with(word(1))
    [event] = vault.events("x")
    data = vault.store.get(event.key)
    other = "20260101T000000000000Z-11111111" if place == "of another point" else POINT
    hour = 9 if place == "later" else 1
    store = MemoryStore()
    store.create(layout.event_key("x", START + timedelta(hours=hour), "verification", other, data), data)
    region = "two" if place == "in another region" else "one"
    assert verifications(Vault(region, store), "x") == {other: [None]}


def test_a_store_that_stops_answering_is_not_taken_for_damage(monkeypatch):
    vault = vault_with(word(1))

    def mute(key: str) -> bytes:
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(vault.store, "get", mute)
    with pytest.raises(StoreUnavailable):
        verifications(vault, "x")


def test_one_store_is_not_two_regions():
    store = MemoryStore("region two")
    create_vault("one", store, {})
    assert open_vault("one", store).region == "one"
    with pytest.raises(UsageError, match="region 'one'"):
        open_vault("two", store)


@pytest.mark.parametrize("data", [b"{}", b'{"predicate":[]}', b'{"predicate":{"drill":1}}', b"\xff"])
def test_evidence_that_is_none_is_damage_and_other_objects_are_passed_over(data: bytes):
    vault = vault_with()
    vault.store.create("evidence/x/zzz.txt", b"notes")
    assert last_drill(vault, "x") is None
    vault.store.create(layout.evidence_key("x", POINT), data)
    with pytest.raises(IntegrityError):
        last_drill(vault, "x")

"""Evidence holds together: whatever is done to it in a store is found, and said where."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from dr_lib.crypto.signing import PUBLIC_PREFIX, key_id, new_signing_key
from dr_lib.errors import StoreUnavailable
from dr_lib.format import layout
from dr_lib.model.drill import Phase
from dr_lib.model.region import LockMode, LockPolicy
from dr_lib.storage.memory import MemoryStore
from dr_lib.testing.worm_store import WormStore
from dr_lib.vault.evidence import PREDICATE_V1, newest_link, parse_evidence, record_evidence, statement
from dr_lib.vault.expiries import record_expiry
from dr_lib.vault.records import STATEMENT, encode_record
from dr_lib.vault.vault import Vault
from dr_lib.workflows.evidence.keep import keep, spread
from dr_lib.workflows.evidence.prove import EXPIRED, NO_POINT, SAME, UNKNOWN, Proven, prove
from tests.drills import START, edited, filled, keyset, payload, removed, report, vault
from tests.keys import keys

ASSET = "minilm"
UNREACHED = {"point": "", "manifest_sha256": ""}


def key(number: int) -> str:
    return layout.evidence_key(ASSET, report(number).drill)


def without_points(*regions: str, drills: int = 3) -> list[Vault]:
    vaults = [vault(region) for region in regions]
    for number in range(drills):
        keep(vaults, report(number, **UNREACHED))
    return vaults


def found_in(proven: Proven) -> set[str]:
    return {trouble.drill for trouble in proven.troubles}


def test_each_names_the_one_before_it_and_all_hold():
    vaults = without_points("a", "b")
    proven = prove(vaults, ASSET)
    assert (proven.troubles, proven.notes) == ((), ())
    pieces = list(proven.gathered.pieces.values())
    assert [piece.past.previous and piece.past.previous.key for piece in pieces] == [None, key(0), key(1)]
    assert [piece.regions for piece in pieces] == [("a", "b")] * 3
    assert set(proven.points.values()) == {NO_POINT}


def test_the_same_report_recorded_again_is_the_same_object():
    vaults = without_points("a")
    before = vaults[0].store.get(key(2))
    assert keep(vaults, report(2, **UNREACHED)) == ({"a": key(2)}, [])
    assert vaults[0].store.get(key(2)) == before


@pytest.mark.parametrize("number", [0, 1, 2])
def test_any_character_edited_is_found(number: int):
    [whole] = without_points("a")
    data = whole.store.get(key(number))
    for at in {*range(0, len(data), 499), *range(len(data) - 150, len(data), 3)}:  # the signature and its names, too
        spoilt = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        edited(whole, key(number), lambda _, spoilt=spoilt: spoilt)
        assert report(number).drill in found_in(prove([whole], ASSET)), at
    edited(whole, key(number), lambda _: data)
    assert prove([whole], ASSET).troubles == ()


def test_a_white_space_added_is_found():
    vaults = without_points("a")
    edited(vaults[0], key(2), lambda data: data.replace(b'","', b'", "', 1))
    assert found_in(prove(vaults, ASSET)) == {report(2).drill}


def test_removed_from_the_middle_everywhere_is_found_and_in_one_region_is_said():
    vaults = without_points("a", "b")
    removed(vaults[0], key(1))
    proven = prove(vaults, ASSET)
    assert proven.troubles == ()
    assert any(note.startswith("a lacks 1") for note in proven.notes)
    removed(vaults[1], key(1))
    [trouble] = prove(vaults, ASSET).troubles
    assert (trouble.drill, trouble.where) == (report(2).drill, key(2))


def test_signed_by_a_stranger_is_found_and_never_becomes_part_of_the_chain():
    vaults = without_points("a", drills=2)
    stranger = Vault("a", vaults[0].store, replace(keyset(new_signing_key()), trusted=()))
    record_evidence(stranger, report(5, **UNREACHED))
    [trouble] = prove(vaults, ASSET).troubles
    assert trouble.drill == report(5).drill
    assert "signed by nobody who is trusted" in trouble.what
    link = newest_link(vaults, ASSET)
    assert link is not None
    assert link.key == key(1)


def test_two_swapped_are_both_found():
    vaults = without_points("a")
    one, two = (vaults[0].store.get(key(n)) for n in (0, 1))
    edited(vaults[0], key(0), lambda _: two)
    edited(vaults[0], key(1), lambda _: one)
    assert {report(0).drill, report(1).drill} <= found_in(prove(vaults, ASSET))


def test_of_another_asset_under_this_one_is_found():
    vaults = without_points("a", drills=1)
    keep(vaults, report(1, asset="other", **UNREACHED))
    moved = vaults[0].store.get(layout.evidence_key("other", report(1).drill))
    vaults[0].store.create(key(1), moved)
    assert found_in(prove(vaults, ASSET)) == {report(1).drill}


def test_regions_that_hold_different_evidence_of_one_drill_are_found():
    vaults = without_points("a", "b", drills=1)
    edited(
        vaults[1], key(0), lambda _: encode_record(vaults[1], statement(report(0, rto_s=1.0, **UNREACHED)), STATEMENT)
    )
    assert "different evidence" in prove(vaults, ASSET).troubles[0].what


def test_what_is_not_as_its_schema_says_is_found():
    vaults = [vault("a")]
    told = statement(report(0, **UNREACHED))
    told["predicate"]["verdict"] = "splendid"
    vaults[0].store.create(key(0), encode_record(vaults[0], told, STATEMENT))
    assert "$.predicate.verdict" in prove(vaults, ASSET).troubles[0].what


def test_numbers_that_are_none_are_kept_as_text_and_hold():
    vaults = [vault("a")]
    nan = float("nan")
    keep(vaults, report(0, rto_s=nan, phases=(Phase("load", nan),), **UNREACHED))
    assert payload(vaults[0].store.get(key(0)))["predicate"]["rto_s"] == "nan"
    proven = prove(vaults, ASSET)
    assert proven.troubles == ()
    assert proven.gathered.pieces[key(0)].past.rto_s is None


def test_version_one_stays_readable_and_is_followed():
    vaults = [vault("a")]
    old = statement(report(0, **UNREACHED)) | {"predicateType": PREDICATE_V1}
    later = ("expected", "applied", "isolation", "control", "policy_sha256", "predicted", "rpo_by_region", "previous")
    for name in (*later, "detours", "clock_skew_s", "critical"):
        del old["predicate"][name]
    old["subject"][0]["digest"] = {}
    vaults[0].store.create(key(0), encode_record(vaults[0], old, STATEMENT))
    keep(vaults, report(1, **UNREACHED))
    proven = prove(vaults, ASSET)
    assert proven.troubles == ()
    assert any("version 1" in note for note in proven.notes)
    assert proven.gathered.pieces[key(1)].past.previous.key == key(0)
    removed(vaults[0], key(0))
    assert found_in(prove(vaults, ASSET)) == {report(1).drill}


def test_a_region_that_was_down_gets_what_it_lacks():
    vaults = without_points("a", drills=2)
    late = vault("b")
    keep([*vaults, late], report(2, **UNREACHED))
    assert [late.store.get(key(n)) for n in range(3)] == [vaults[0].store.get(key(n)) for n in range(3)]
    third = vault("c")
    assert spread([*vaults, late], [third], ASSET) == ({"c": [key(0), key(1), key(2)]}, [])
    assert spread([*vaults, late], [third], ASSET) == ({"c": []}, [])


def test_what_no_source_can_vouch_for_is_not_spread():
    vaults = without_points("a", drills=1)
    edited(vaults[0], key(0), lambda data: data[:-1])
    assert spread(vaults, [vault("b")], ASSET) == ({"b": []}, [])


def test_a_silent_region_is_said_and_the_others_still_count(monkeypatch):
    vaults = without_points("a", "b")

    def mute(prefix: str):
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(vaults[0].store, "list", mute)
    proven = prove(vaults, ASSET, silent=["c"])
    assert proven.troubles == ()
    assert [note for note in proven.notes if "did not answer" in note] == [
        f"{region} did not answer: what it holds was not looked at" for region in ("a", "c")
    ]
    assert keep(vaults, report(3, **UNREACHED))[0] == {"a": key(3), "b": key(3)}


def test_the_recovery_point_must_be_the_one_that_was_restored():
    vaults = filled("a", drills=1)
    drill = report(0)
    assert "nothing says that it expired" in prove(vaults, ASSET).troubles[0].what
    assert prove(vaults, ASSET, silent=["b"]).points[key(0)] == UNKNOWN
    record_expiry(vaults[0], ASSET, drill.point, "p", START)
    proven = prove(vaults, ASSET)
    assert (proven.troubles, proven.points[key(0)]) == ((), EXPIRED)
    vaults[0].store.create(layout.manifest_key(ASSET, drill.point), b"another")
    assert "is not the one that was restored" in prove(vaults, ASSET).troubles[0].what


def test_the_right_manifest_is_the_right_one():
    vaults = [vault("a")]
    keep(vaults, report(0, manifest_sha256=hashlib.sha256(b"manifest").hexdigest()))
    vaults[0].store.create(layout.manifest_key(ASSET, report(0).point), b"manifest")
    proven = prove(vaults, ASSET)
    assert (proven.troubles, proven.points[key(0)]) == ((), SAME)


def test_where_a_region_locks_it_is_said_until_when_and_where_it_does_not_hold():
    """The bucket's default locks it by itself, and what is locked is read and proven like the rest."""
    policy = LockPolicy(LockMode.COMPLIANCE, 30)
    stores = {"locks": WormStore(MemoryStore("locks"), lambda: START, days=30), "lax": MemoryStore("lax")}
    vaults = [Vault(region, store, keyset(), keyset().trusted, policy) for region, store in stores.items()]
    keep(vaults, report(0, **UNREACHED))
    proven = prove([*vaults, *without_points("plain", drills=1)], ASSET)
    assert proven.troubles == ()
    assert proven.locks == {key(0): {"locks": (START + timedelta(days=30)).isoformat(), "lax": "unlocked"}}
    assert f"{key(0)} is not locked in lax" in proven.notes


def test_unsigned_evidence_is_said_to_be_so():
    vaults = [Vault("a", MemoryStore("a"))]
    keep(vaults, report(0, **UNREACHED))
    proven = prove(vaults, ASSET)
    assert proven.troubles == ()
    assert any("no signers" in note for note in proven.notes)


def test_an_independent_library_accepts_the_signature_and_the_statement():
    """securesystemslib reads the envelope and checks the signature; in-toto's own library reads the statement."""
    from google.protobuf import json_format
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    [found] = filled("a", drills=1)
    envelope = Envelope.from_dict(json.loads(found.store.get(key(0))))
    name, raw = key_id(keys().public), base64.b64decode(keys().public.removeprefix(PUBLIC_PREFIX))
    public = SSlibKey(name, "ed25519", "ed25519", {"public": raw.hex()})
    assert envelope.verify([public], 1) == {name: public}
    message = json_format.ParseDict(json.loads(envelope.payload), statement_pb2.Statement())
    Statement.copy_from_pb(message).validate()
    assert message.predicate_type == "urn:dr:evidence:drill:v2"


def test_parsing_needs_no_schema_and_tells_the_phases():
    [found] = filled("a", drills=1)
    past = parse_evidence(found, ASSET, key(0), found.store.get(key(0)))
    assert past.phases[0] == ("detect", 2.0)
    assert (past.bytes_restored, past.predicted_s) == (90_000_000, 11.0)

"""The corruption campaign in its short form: one object of every class, damaged in every way."""

import pytest

from tests.campaigns.corruption import alarms, examine
from tests.campaigns.damage import class_of, damages
from tests.campaigns.patients import SOUND, Patient, make_patient, objects_of

CLASSES = {"events", "evidence", "index", "packs", "points", "runs", "vault.json"}


@pytest.fixture(scope="module", params=["sealed", "clear"])
def patient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Patient:
    return make_patient(tmp_path_factory.mktemp("patient") / "w", sealed=request.param == "sealed")


def test_an_untouched_vault_gives_no_alarm(patient: Patient):
    assert alarms(patient) == ()
    assert objects_of(patient.world.regions["one"]) == patient.objects


@pytest.mark.parametrize("object_class", sorted(CLASSES | {"keys"}))
def test_no_damage_of_this_class_is_believed(patient: Patient, object_class: str):
    sound = objects_of(patient.world.regions[SOUND])
    cases = [case for case in damages(patient.objects, sound, seldom=True) if case.object_class == object_class]
    if object_class == "keys" and "keys" not in {class_of(key) for key in patient.objects}:
        return  # a clear vault has none
    assert {case.kind.partition(" ")[0] for case in cases} >= {"bit", "truncated", "emptied", "deleted", "replayed"}
    outcomes = [examine(patient, case) for case in cases]
    assert [(outcome.damage.kind, outcome.wrong) for outcome in outcomes if outcome.wrong] == []
    assert [outcome.damage.kind for outcome in outcomes if outcome.missed] == []
    assert [outcome.damage.kind for outcome in outcomes if not outcome.healed] == []

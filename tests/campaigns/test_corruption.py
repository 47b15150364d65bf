"""The corruption campaign in its short form: one object of every class, damaged in every way."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.campaigns.corruption import alarms, examine
from tests.campaigns.damage import damages
from tests.campaigns.patients import SOUND, Patient, make_patient, objects_of

CLASSES = ("events", "evidence", "index", "keys", "packs", "points", "runs", "vault.json")
OTHERWISE_IN_THE_CLEAR = ("packs", "points", "runs")
CASES = [("sealed", one) for one in CLASSES] + [("clear", one) for one in OTHERWISE_IN_THE_CLEAR]


@pytest.fixture(scope="module")
def patient_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Patient]:
    @cache
    def made(vault: str) -> Patient:
        return make_patient(tmp_path_factory.mktemp(vault) / "w", sealed=vault == "sealed")

    return made


@pytest.mark.parametrize("vault", ["sealed", "clear"])
def test_an_untouched_vault_gives_no_alarm(patient_of: Callable[[str], Patient], vault: str):
    patient = patient_of(vault)
    assert alarms(patient) == ()
    assert objects_of(patient.world.regions["one"]) == patient.objects


@pytest.mark.parametrize(("vault", "object_class"), CASES)
def test_damage_is_found_believed_by_nobody_and_healed(
    patient_of: Callable[[str], Patient], vault: str, object_class: str
):
    patient = patient_of(vault)
    sound = objects_of(patient.world.regions[SOUND])
    cases = [case for case in damages(patient.objects, sound, seldom=True) if case.object_class == object_class]
    assert {case.kind.partition(" ")[0] for case in cases} >= {"bit", "truncated", "emptied", "deleted", "replayed"}
    outcomes = [examine(patient, case) for case in cases]
    assert [(outcome.damage.kind, outcome.wrong) for outcome in outcomes if outcome.wrong] == []
    assert [outcome.damage.kind for outcome in outcomes if outcome.missed] == []
    assert [outcome.damage.kind for outcome in outcomes if not outcome.healed] == []


def test_every_class_of_object_is_damaged(patient_of: Callable[[str], Patient]):
    objects = {key.partition("/")[0] for key in patient_of("sealed").objects}
    assert objects == set(CLASSES)

"""One damage at a time: is it found, is none of it believed, is it mended, and is all quiet afterwards?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dr_lib.errors import DrError
from tests.campaigns.damage import Damage
from tests.campaigns.patients import SICK, SOUND, Patient, Tree
from tests.world import ASSET, tree

ALL_FINE, WRONG_CONFIGURATION, INTEGRITY, NOT_FOUND = 0, 2, 4, 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one damage; `wrong` says what should not have been."""

    damage: Damage
    found: bool
    healed: bool
    wrong: tuple[str, ...]

    @property
    def missed(self) -> bool:
        """Whether verification kept silent where it could have known. What the newest verification said of itself is
        known from nowhere else: without it the vault is as it was before, and the lock of its region must keep it."""
        return not (self.found or (self.damage.is_newest_scrub and self.damage.kind == "deleted"))


def examine(patient: Patient, damage: Damage) -> Outcome:
    """Do the damage, see what each command makes of it, and put everything back."""
    allowed = _codes_of(damage)
    try:
        for key, data in damage.changes.items():
            patient.put(key, data)
        wrong = [*_restores(patient, allowed), *_standing(patient)]
        found, problems = _verified(patient, allowed)
        healed, unhealed = _healed(patient)
        return Outcome(damage, found, healed, (*wrong, *problems, *unhealed, *_backed_up(patient)))
    finally:
        patient.recover()


def alarms(patient: Patient) -> tuple[str, ...]:
    """What commands say against an untouched vault: nothing, or the campaign means nothing."""
    found, problems = _verified(patient, ())
    wrong = [*_restores(patient, ()), *_standing(patient), *_backed_up(patient)]
    patient.recover()
    return (*(["verification raised an alarm"] if found else []), *problems, *wrong)


def _codes_of(damage: Damage) -> tuple[int, ...]:
    """Exit codes that say what was done. Another region's vault looks like a mistake of the configuration."""
    swapped = damage.object_class == "vault.json" and damage.kind == "replayed"
    return (WRONG_CONFIGURATION,) if swapped else (INTEGRITY, NOT_FOUND)


def _restores(patient: Patient, allowed: tuple[int, ...]) -> Iterator[str]:
    """What was wrong with restores of every point: with the sound region at hand, and without it."""
    for point, right in patient.trees.items():
        for region in (None, SICK):
            yield from _restored(patient, point, right, region, allowed if region else ())


def _restored(patient: Patient, point: str, right: Tree, region: str | None, allowed: tuple[int, ...]) -> Iterator[str]:
    name = f"restore of {point} from {region or f'{SICK} or {SOUND}'}"
    target = patient.world.folder / "restored"
    code = _code(lambda: patient.world.runtime.restore(ASSET, str(target), point=point, region=region))
    if code == ALL_FINE and tree(target) != right:
        yield f"{name} gave wrong bytes"
    if code != ALL_FINE and (target.exists() or list(patient.world.folder.glob(".restored*"))):
        yield f"{name} failed and left something"
    if code not in (ALL_FINE, *allowed):
        yield f"{name} ended with exit code {code}"
    shutil.rmtree(target, ignore_errors=True)


def _verified(patient: Patient, allowed: tuple[int, ...]) -> tuple[bool, tuple[str, ...]]:
    """Whether a full verification of the sick region finds something, and what is wrong with how it says so."""
    said: list[bool] = []

    def verify() -> None:
        said.append(patient.world.runtime.verify(ASSET, region=SICK, mode="full")["ok"])

    code = _code(verify)
    if code != ALL_FINE:
        return True, () if code in allowed else (f"verification ended with exit code {code}",)
    return not all(said), ()


def _healed(patient: Patient) -> tuple[bool, tuple[str, ...]]:
    """Whether healing made the verification clean again."""
    code = _code(lambda: patient.world.runtime.heal(ASSET, region=SICK))
    if code != ALL_FINE:
        return False, (f"healing ended with exit code {code}",)
    found, problems = _verified(patient, ())
    return not found, (*problems, *(["damaged after healing"] if found else []))


def _standing(patient: Patient) -> Iterator[str]:
    """What was wrong with the status: it must always be told, and what cannot be read is never a proof."""
    runtime = patient.world.runtime
    if (code := _code(lambda: (runtime.status(), runtime.points(ASSET)))) != ALL_FINE:
        yield f"the status ended with exit code {code}"


def _backed_up(patient: Patient) -> Iterator[str]:
    """What was wrong with a backup into the sick region and a restore from it: working memory that lies must not
    reach a new point."""
    made: list[str] = []
    code = _code(lambda: made.append(patient.world.runtime.backup(ASSET, [SICK])["point"]))
    if code != ALL_FINE:
        yield f"a backup ended with exit code {code}"
    for point in made:
        yield from _restored(patient, point, tree(patient.world.source), SICK, ())


def _code(work: Callable[[], object]) -> int:
    try:
        work()
    except DrError as error:
        return error.exit_code
    return ALL_FINE

"""`make corrupt`: damage every object of a vault in every way, one at a time, and see that none of it is believed.

Prints a table by class of object and kind of damage; ends with exit code 1 when anything was missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.campaigns.corruption import Outcome, alarms, examine
from tests.campaigns.damage import damages
from tests.campaigns.patients import SOUND, make_patient, objects_of

VAULTS = {"sealed": True, "clear": False}


def main() -> int:
    """Run the campaign over a sealed and a clear vault."""
    parser = argparse.ArgumentParser(prog="corrupt", description=__doc__)
    parser.add_argument("--seldom", action="store_true", help="one object of each class alone, and one bit of it")
    parser.add_argument("vault", nargs="*", choices=[*VAULTS, []], help="sealed, clear; both when none is named")
    options = parser.parse_args()
    failed = [name for name in options.vault or VAULTS if not campaign(name, seldom=options.seldom)]
    return 1 if failed else 0


def campaign(name: str, *, seldom: bool) -> bool:
    """One vault; whether all was as it must be."""
    with tempfile.TemporaryDirectory(prefix="dr-corrupt-") as folder:
        patient = make_patient(Path(folder) / "w", sealed=VAULTS[name])
        untouched = alarms(patient)
        cases = damages(patient.objects, objects_of(patient.world.regions[SOUND]), seldom=seldom)
        outcomes = []
        for case in cases:
            outcomes.append(examine(patient, case))
            tell(outcomes[-1])
        after = alarms(patient)
    print(f"\n{name} vault: {len(patient.objects)} objects, {len(outcomes)} damages")
    print(table(outcomes))
    for when, said in (("before", untouched), ("after", after)):
        print(f"untouched vault {when} the damages: {'; '.join(said) or 'no alarm'}")
    bad = [outcome for outcome in outcomes if outcome.wrong or outcome.missed]
    print(f"missed or wrong: {len(bad)}\n")
    return not (bad or untouched or after)


def tell(outcome: Outcome) -> None:
    """Say what was wrong as soon as it is known."""
    for problem in (*(["not found by verification"] if outcome.missed else []), *outcome.wrong):
        print(f"WRONG {outcome.damage.key} {outcome.damage.kind}: {problem}", flush=True)


def table(outcomes: Sequence[Outcome]) -> str:
    """Found and healed of all, by class of object and kind of damage."""
    cells: defaultdict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        cells[outcome.damage.object_class, outcome.damage.kind.partition(" ")[0]].append(outcome)
    lines = [f"{'object':<12}{'damage':<12}{'done':>6}{'found':>7}{'healed':>10}{'wrong':>7}"]
    for (kind, damage), found in sorted(cells.items()):
        counts = (
            len(found),
            sum(o.found for o in found),
            sum(o.healed for o in found),
            sum(bool(o.wrong) or o.missed for o in found),
        )
        lines.append("{:<12}{:<12}{:>6}{:>7}{:>10}{:>7}".format(kind, damage, *counts))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

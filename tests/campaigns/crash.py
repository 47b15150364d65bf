"""`make crash`: kill -9 of real commands at random instants on a real server; none may lose a point.

Prints the deaths by command and the points that were lost; ends with exit code 1 when any was, or when a command that
was killed cannot be given again.
"""

from __future__ import annotations

import argparse
import itertools
import random
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from dr_lib.demo.seaweed import SeaweedRegion
from tests.campaigns.killable import COMMANDS, Command
from tests.campaigns.killing import Death, Pace, kill_command, kill_server, measure
from tests.campaigns.scenes import Scene, make_scene

DEATHS_A_SCENE = 10
"""Afterwards the vaults begin anew: every point is restored after every death, which many points would make long."""
SERVER_DIES_EVERY, TELL_EVERY = 7, 20
TRIES = 12
FASTER, SLOWER = 0.8, 1.02
"""A machine's pace changes with what else it does: a command that ended before its instant came is given another, and
instants come sooner from then on, and later again with every death."""


def main() -> int:
    """Run the campaign with the number of deaths and the seed that are asked for."""
    parser = argparse.ArgumentParser(prog="crash", description=__doc__)
    parser.add_argument("--deaths", type=int, default=200)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    options = parser.parse_args()
    print(f"{options.deaths} deaths, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="dr-crash-") as folder:
        server = SeaweedRegion(Path(folder) / "server", "crash-key", "crash-secret")
        server.start()
        try:
            deaths = list(campaign(Path(folder), server, options.deaths, options.seed))
        finally:
            server.stop()
    print(report(deaths))
    return 1 if any(death.lost or death.problems for death in deaths) else 0


def campaign(folder: Path, server: SeaweedRegion, count: int, seed: int) -> Iterator[Death]:
    """So many deaths, the commands in turn, each told as it happens."""
    chance = random.Random(seed)
    scene = make_scene(folder / "measured", server, chance)
    paces = {command.name: measure(scene, command) for command in COMMANDS}
    for name, pace in paces.items():
        print(f"{name}: {pace.whole:.2f} s, of which {pace.start_up:.2f} s until it begins", flush=True)
    for number, command in enumerate(itertools.islice(itertools.cycle(COMMANDS), count)):
        if number % DEATHS_A_SCENE == 0:
            scene = make_scene(folder / f"scene {number}", server, chance)
        death = _death(scene, command, paces, number)
        for problem in (*death.lost, *death.problems):
            print(f"WRONG {command.name} killed after {death.seconds:.3f} s ({death.victim}): {problem}", flush=True)
        if (number + 1) % TELL_EVERY == 0:
            print(f"{number + 1} deaths", flush=True)
        yield death


def _death(scene: Scene, command: Command, paces: dict[str, Pace], number: int) -> Death:
    kill = kill_server if number % SERVER_DIES_EVERY == SERVER_DIES_EVERY - 1 else kill_command
    for _ in range(TRIES):
        death = kill(scene, command, paces[command.name])
        if death is not None:
            paces[command.name] = paces[command.name].scaled(SLOWER)
            return death
        paces[command.name] = paces[command.name].scaled(FASTER)
    raise AssertionError(f"{command.name} always ended before it could be killed")


def report(deaths: Sequence[Death]) -> str:
    """Deaths by command and victim, and the losses."""
    counts = Counter((death.command, death.victim) for death in deaths)
    lines = [f"{command:<10} {victim:<8} killed {count:>4}" for (command, victim), count in sorted(counts.items())]
    lost, bad = (sum(len(death.lost) for death in deaths), sum(bool(death.problems) for death in deaths))
    return "\n".join([*lines, f"{len(deaths)} deaths, points lost: {lost}, commands that went wrong afterwards: {bad}"])


if __name__ == "__main__":
    sys.exit(main())

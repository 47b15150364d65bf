"""Kill a command at a random instant with SIGKILL, give it again, and look for every point that ever was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import psutil

from dr_lib.clock import monotonic
from tests.campaigns.killable import Command
from tests.campaigns.scenes import Scene

LONGEST_S = 120
REFUSED = 7


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that a command takes before it does anything, and in all."""

    start_up: float
    whole: float

    def instant(self, scene: Scene) -> float:
        """A random instant while it works, in seconds from its start."""
        return scene.chance.uniform(self.start_up, self.whole)

    def scaled(self, factor: float) -> Pace:
        """That of a machine that takes so much longer by now."""
        return Pace(self.start_up * factor, self.whole * factor)


@dataclass(frozen=True, slots=True)
class Death:
    """A command that was killed: after how many seconds, and who was. `lost` are points that were gone or came back
    wrong, `problems` whatever else was not as it must be."""

    command: str
    victim: str
    seconds: float
    lost: tuple[str, ...]
    problems: tuple[str, ...]


def measure(scene: Scene, command: Command) -> Pace:
    """How long a command takes here when nobody disturbs it; raises when it does not end well."""
    started = monotonic()
    run_command(scene, ("--help",))
    start_up = monotonic() - started
    command.prepare(scene)
    arguments = command.arguments(scene)
    started = monotonic()
    code, said = run_command(scene, arguments)
    whole = monotonic() - started
    wrong = [] if code else [*command.problems(scene), *scene.losses()]
    if code or wrong:
        raise AssertionError(f"undisturbed, drctl {' '.join(arguments)} ended with {code}: {wrong} {said}")
    return Pace(min(start_up, whole / 2), whole)


def kill_command(scene: Scene, command: Command, pace: Pace) -> Death | None:
    """Kill the command itself; None when it had ended before."""
    return _disturbed(scene, command, pace, "command", lambda process: os.killpg(process.pid, signal.SIGKILL))


def kill_server(scene: Scene, command: Command, pace: Pace) -> Death | None:
    """Kill the server that holds both regions under the command, which is left to see how it ends; None when it had
    ended before. The server is up again before the command is given again."""

    def kill(process: subprocess.Popen[bytes]) -> None:
        server = psutil.Process(scene.server.record.pid)
        server.kill()
        process.wait(LONGEST_S)
        server.wait(LONGEST_S)  # a process that is dying still has its ports
        scene.server.stop()
        scene.server.start()

    return _disturbed(scene, command, pace, "server", kill)


def _disturbed(
    scene: Scene, command: Command, pace: Pace, victim: str, kill: Callable[[subprocess.Popen[bytes]], None]
) -> Death | None:
    command.prepare(scene)
    arguments, seconds = command.arguments(scene), pace.instant(scene)
    process = _start(scene, arguments, subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill(process)
        process.wait(LONGEST_S)
        return _again(scene, command, arguments, Death(command.name, victim, seconds, (), ()))
    problems, lost = tuple(command.problems(scene)), tuple(scene.losses())
    return Death(command.name, victim, seconds, lost, problems) if lost or problems else None


def _again(scene: Scene, command: Command, arguments: tuple[str, ...], death: Death) -> Death:
    """What is wrong after a death: with what it left, with the command given again, and with what that left."""
    lost, finished = list(scene.losses()), command.done(scene)
    code, said = run_command(scene, arguments)
    problems = list(command.problems(scene))
    if code and not (finished and code == REFUSED):
        problems.append(f"given again it ended with exit code {code}: {said[-500:]}")
    return replace(death, lost=(*lost, *scene.losses()), problems=tuple(problems))


def run_command(scene: Scene, arguments: tuple[str, ...]) -> tuple[int, str]:
    """Exit code of a command that is left alone, and what it said."""
    process = _start(scene, arguments, subprocess.PIPE)
    said, _ = process.communicate(timeout=LONGEST_S)
    return process.returncode, said.decode(errors="replace")


def _start(scene: Scene, arguments: tuple[str, ...], output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "dr_lib.cli", *arguments],
        env=dict(os.environ, DR_CONFIG=str(scene.folder / "dr.yaml"), **scene.environ),
        cwd=scene.folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output == subprocess.PIPE else output,
        start_new_session=True,
    )

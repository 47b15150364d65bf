"""`python -m benchmarks.peers`: measure, print the table, write results.md, its picture and its records."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers.bars import rows
from benchmarks.peers.borg import Borg
from benchmarks.peers.figures import Figures
from benchmarks.peers.ours import Ours, clear, sealed
from benchmarks.peers.plot import draw
from benchmarks.peers.rclone import Rclone
from benchmarks.peers.report import PICTURE, Run, markdown, print_table
from benchmarks.peers.restic import Restic
from benchmarks.peers.running import Record, run_scenario
from benchmarks.peers.s5cmd import S5cmd
from benchmarks.peers.scenarios import FULL, LARGE, QUICK, Scenario, is_real, scenarios
from benchmarks.peers.server import running_server
from benchmarks.peers.tool import Tool
from benchmarks.peers.whole_files import whole_file_ratios

HERE = Path(__file__).parents[1]
NEVER = (
    "kopia; and any tool across a real network, where bytes that need not be sent gain more than they do here.",
    "borg against S3, which it does not know; s5cmd and rclone on small files (a request for each).",
    "Other sizes of machine, cold page caches, and several backups at the same time.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when everything ran, whatever the figures say. All temporary files lie below TMPDIR and go."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tools, unmeasured = _present([Ours("ours", sealed), Ours("ours-clear", clear), Restic(), Borg(), S5cmd(), Rclone()])
    chosen = [s for s in scenarios(QUICK if options.quick else FULL, large=options.large) if _wanted(s, options.only)]
    rounds = 1 if options.quick else options.rounds
    with tempfile.TemporaryDirectory(prefix="dr-bench-") as folder:
        records = _measured(chosen, tools, Path(folder), rounds)
        whole_files = whole_file_ratios(Path(folder) / "whole files") if any(map(is_real, chosen)) else {}
    figures = Figures(records)
    run = Run(
        scenarios=chosen,
        figures=figures,
        table=rows(figures, whole_files),
        versions=[tool.version() for tool in tools],
        unmeasured=[*unmeasured, *_left_out(options), *NEVER],
        rounds=rounds,
        date=datetime.now(UTC).date().isoformat(),
    )
    draw(figures, whole_files, options.into / PICTURE)
    (options.into / "results.md").write_text(markdown(run))
    (options.into / "results.json").write_text(json.dumps([asdict(record) for record in records], indent=0) + "\n")
    print_table(run.table)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of what is timed (3)")
    parser.add_argument("--quick", action="store_true", help="one round of small sources: proves that it runs")
    parser.add_argument("--large", action="store_true", help="also a 12 GB model, for the memory; takes 35 GB of disk")
    parser.add_argument("--only", nargs="+", metavar="SCENARIO", help="scenarios whose name starts so")
    parser.add_argument("--into", type=Path, default=HERE, help="where the results go (benchmarks/)")
    return parser.parse_args(arguments)


def _present(tools: Sequence[Tool]) -> tuple[list[Tool], list[str]]:
    absent = {tool.name: reason for tool in tools if (reason := tool.missing())}
    return [tool for tool in tools if tool.name not in absent], [f"{name}: {why}." for name, why in absent.items()]


def _wanted(scenario: Scenario, only: Sequence[str] | None) -> bool:
    return only is None or any(scenario.name.startswith(start) for start in only)


def _left_out(options: argparse.Namespace) -> list[str]:
    return [] if options.large else [f"The {LARGE} (`--large`)."]


def _measured(chosen: Sequence[Scenario], tools: Sequence[Tool], folder: Path, rounds: int) -> list[Record]:
    with running_server(folder / "server") as server:
        return [
            record
            for number, scenario in enumerate(chosen)
            for record in run_scenario(scenario, tools, server, folder / f"scenario-{number}", rounds)
        ]


if __name__ == "__main__":
    sys.exit(main())

"""The picture of a run: seconds of each step and stored bytes of the real weights, a bar a tool."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

from benchmarks.peers.bars import STORED_BARS
from benchmarks.peers.figures import Figures, stored_share, wall
from benchmarks.peers.running import CHANGED, FIRST, RESTORE, UNCHANGED
from benchmarks.peers.scenarios import ALL_TOOLS, MODEL, SMALL, real
from benchmarks.peers.whole_files import Sizes

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

COLOURS = {
    "ours": "#1b5e20", "ours-clear": "#66a36a", "restic": "#c62828", "borg": "#ef8a5a", "s5cmd": "#1565c0",
    "rclone": "#7fb3e6", "zstd-3": "#777777", "zipnn": "#b39ddb",
}  # fmt: skip
Groups = dict[str, dict[str, float]]


def draw(figures: Figures, whole_files: Sizes, path: Path) -> None:
    """Write an SVG that is the same for the same figures."""
    mpl.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 9})
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), width_ratios=(4, 3, 3))
    _panel(axes[0], _seconds(figures, MODEL, (FIRST, UNCHANGED, CHANGED, RESTORE)), "bf16 model, seconds")
    _panel(axes[1], _seconds(figures, SMALL, (FIRST, UNCHANGED, RESTORE)), "small files, seconds")
    _panel(axes[2], _sizes(figures, whole_files), "real weights, stored / logical")
    names = {name: mark for axis in axes for mark, name in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(names.values(), names.keys(), loc="lower center", ncols=len(names) or 1, frameon=False)
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)


def _seconds(figures: Figures, scenario: str, steps: Sequence[str]) -> Groups:
    return {step: _present({tool: figures.of(scenario, step, tool, wall) for tool in ALL_TOOLS}) for step in steps}


def _sizes(figures: Figures, whole_files: Sizes) -> Groups:
    return {
        dtype: _present({tool: figures.of(real(dtype), FIRST, tool, stored_share) for tool in ALL_TOOLS})
        | whole_files.get(dtype, {})
        for dtype in STORED_BARS
    }


def _present(values: dict[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _panel(axes: Axes, groups: Groups, title: str) -> None:
    names = [name for name in COLOURS if any(name in values for values in groups.values())]
    width = 0.8 / max(len(names), 1)
    for at, name in enumerate(names):
        places = [number - 0.4 + width * (at + 0.5) for number, values in enumerate(groups.values()) if name in values]
        heights = [values[name] for values in groups.values() if name in values]
        axes.bar(places, heights, width * 0.9, color=COLOURS[name], label=name)
    axes.set_xticks(range(len(groups)), list(groups))
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)

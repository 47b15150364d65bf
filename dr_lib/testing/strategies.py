"""Hypothesis strategies: small source trees, and points as retention and choice see them.

@given(trees())
def test_it_comes_back(tree):
    with tempfile.TemporaryDirectory() as folder:
        write_tree(tree, Path(folder))
        ...                                       # back it up, restore it, compare
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st

from dr_lib.format import layout
from dr_lib.model.copy import Copy, CopyState, KnownPoint

START = datetime(2026, 1, 1, tzinfo=UTC)
UNFINISHED = (".tmp", ".incomplete", ".part", ".partial", ".crdownload", ".download", ".index.json")
"""How the names of what a backup refuses, or looks into, end."""
MOMENTS = timedelta(days=400) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class SourceTree:
    """A tree by relative paths: contents of files, permission bits of what has other than the usual ones, texts of
    links, and directories, each of which stands before what it holds."""

    directories: tuple[str, ...]
    files: dict[str, bytes]
    links: dict[str, str]
    modes: dict[str, int]


def names() -> st.SearchStrategy[str]:
    """Names of files as they occur: odd letters, spaces, leading dashes; none that says it is unfinished."""
    letters = st.characters(codec="utf-8", exclude_characters="/\0")
    return st.text(letters, min_size=1, max_size=12).filter(_is_name)


def contents() -> st.SearchStrategy[bytes]:
    """Bytes of a small file: none, few, repetitive, or noise of some kilobytes."""
    noise = st.builds(lambda seed, size: seed * size, st.binary(min_size=1, max_size=9), st.integers(1, 900))
    return st.one_of(st.just(b""), st.binary(max_size=64), noise)


@st.composite
def trees(draw: st.DrawFn, *, most: int = 6) -> SourceTree:
    """A tree of at least one file and at most `most` files, of links to them, and directories two deep."""
    tops = draw(st.lists(names(), unique=True, max_size=2))
    nested = [f"{top}/{draw(names())}" for top in tops if draw(st.booleans())]
    directories = (*tops, *nested)
    files: dict[str, bytes] = {}
    for name in draw(st.lists(names().filter(lambda name: name not in tops), unique=True, min_size=1, max_size=most)):
        inside = draw(st.sampled_from(["", *directories]))
        path = f"{inside}/{name}" if inside else name
        if path not in directories:
            files[path] = draw(contents())
    links = {path: target for path in draw(_free_names(tops, files)) if (target := draw(_target(files))) is not None}
    modes = {path: draw(st.sampled_from([0o400, 0o600, 0o755])) for path in files if draw(st.booleans())}
    return SourceTree(directories, files, links, modes)


def write_tree(tree: SourceTree, root: Path) -> None:
    """Make the tree below `root`, an empty directory."""
    for path in tree.directories:
        (root / path).mkdir(exist_ok=True)
    for path, content in tree.files.items():
        (root / path).write_bytes(content)
    for path, target in tree.links.items():
        (root / path).symlink_to(target)
    for path, mode in tree.modes.items():
        (root / path).chmod(mode)


def moments() -> st.SearchStrategy[datetime]:
    """Moments of a year and a month, to the microsecond, aware, UTC."""
    return st.integers(0, MOMENTS).map(lambda number: START + timedelta(microseconds=number))


def point_ids() -> st.SearchStrategy[str]:
    """Ids of points."""
    return st.builds(layout.point_id, moments(), st.binary(min_size=4, max_size=4))


@st.composite
def known_points(
    draw: st.DrawFn, asset: str = "thing", regions: tuple[str, ...] = ("one", "two"), most: int = 8
) -> tuple[KnownPoint, ...]:
    """Points of an asset, newest first, each with a copy of any state in every region."""
    ids = draw(st.lists(point_ids(), unique=True, max_size=most))
    return tuple(
        KnownPoint(
            asset=asset,
            point=point,
            created_at=layout.PointName(asset, point).created_at,
            logical_bytes=draw(st.integers(0, 1 << 40)),
            stored_bytes=draw(st.integers(0, 1 << 40)),
            files=draw(st.integers(0, 1000)),
            copies=tuple(Copy(region, draw(st.sampled_from(CopyState))) for region in regions),
        )
        for point in sorted(ids, reverse=True)
    )


def _is_name(name: str) -> bool:
    return name not in (".", "..") and name.isprintable() and not name.lower().endswith(UNFINISHED)


def _free_names(tops: list[str], files: dict[str, bytes]) -> st.SearchStrategy[list[str]]:
    return st.lists(names().filter(lambda name: name not in tops and name not in files), unique=True, max_size=2)


def _target(files: dict[str, bytes]) -> st.SearchStrategy[str | None]:
    return st.sampled_from(sorted(files)) if files else st.none()

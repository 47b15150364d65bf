"""The control of a dataset. Runs inside the fresh process."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations, islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from dr_lib.model.asset import AssetKind
from dr_lib.model.drill import Control, SmokeCheck
from dr_lib.standby.control.copies import link_all
from dr_lib.standby.control.request import NAMES
from dr_lib.standby.control.rewriting import Change, rewrite
from dr_lib.standby.control.trial import Inapplicable, Meaningless, require_pass, tried
from dr_lib.standby.control.values import can_change, changed
from dr_lib.standby.smoke import dataset_probe
from dr_lib.standby.smoke.table_contents import contents
from dr_lib.standby.smoke.tables import text_of

_PERTURBED, _SWAPPED, _OLDER = NAMES[AssetKind.DATASET]
_LARGE: Final = 1 << 30
"""Above so many bytes a table is left alone where there is a smaller one."""
_TRIES: Final = 8
_NOTHING: Final = "the chosen table has no columns that this can be done to"


@dataclass(frozen=True, slots=True)
class _Damage:
    """A change of the table `name` of the dataset in `directory`, in words."""

    directory: Path
    name: str
    words: str
    change: Change

    def __call__(self, copy: Path) -> str:
        """`Inapplicable` when nothing is another one after it: a column of nulls, or twice the same one."""
        seen = False

        def watched(part: pa.Table) -> pa.Table:
            nonlocal seen
            after = self.change(part)
            seen = seen or not after.equals(part)
            return after

        _written_anew(self.directory, self.name, watched, copy)
        if not seen:
            raise Inapplicable(_NOTHING)
        return f"{self.name}: {self.words}"


def _written_anew(directory: Path, name: str, change: Change, copy: Path) -> None:
    link_all(directory, copy, {name})
    rewrite(directory / name, copy / name, change)


def control(request: dict[str, Any]) -> dict[str, Any]:
    """`{"controls": […], "note"}`: the smoke test's word on copies of what is in `directory`."""
    directory, failed = Path(request["directory"]), partial(_failed, request)
    recorded = dataset_probe.read_recorded(request)
    try:
        table = _table(request, recorded, failed)
    except Meaningless as error:
        found = [Control(name, caught=None, detail=str(error)) for name in (_PERTURBED, _SWAPPED)]
    else:
        order = random.Random(f"{request['seed']}/columns")
        damages = {_PERTURBED: _perturbing(directory, table, order), _SWAPPED: _swapping(directory, table, order)}
        found = [_first(name, candidates, failed) for name, candidates in damages.items()]
    found.append(tried(_OLDER, partial(_older, request, recorded), failed))
    note = "not looked for: values are compared by digest, and the smallest change of one is noticed"
    return {"controls": [asdict(one) for one in found], "note": note}


def _failed(request: dict[str, Any], copy: Path) -> Sequence[SmokeCheck]:
    return [one for one in dataset_probe.answers(request | {"directory": str(copy)}) if not one.passed]


def _table(request: dict[str, Any], recorded: dict[str, dict[str, Any]], failed: Callable[[Path], Any]) -> str:
    """A table whose values are compared, and that still passes when it is only written anew; `Meaningless` for none."""
    directory = Path(request["directory"])
    compared = sorted(name for name, facts in recorded.items() if "contents" in facts and facts["rows"])
    random.Random(f"{request['seed']}/table").shuffle(compared)
    sizes = {name: (directory / name).stat().st_size for name in compared}
    order = sorted(compared, key=lambda name: sizes[name] if sizes[name] > _LARGE else 0)
    problem = Meaningless("no table's values were recorded at backup: back the dataset up again")
    for name in order[:_TRIES]:
        try:
            require_pass(partial(_written_anew, directory, name, lambda part: part), failed)
        except Meaningless as error:
            problem = error
        else:
            return name
    raise problem


def _first(name: str, candidates: Iterator[_Damage], failed: Callable[[Path], Any]) -> Control:
    """The first damage that changes anything, tried."""
    for damage in islice(candidates, _TRIES):
        found = tried(name, damage, failed)
        if found.detail != _NOTHING:
            return found
    return Control(name, caught=None, detail=_NOTHING)


def _schema(path: Path) -> pa.Schema:
    if path.suffix.lower() == ".csv":
        with text_of(path) as reader:
            return reader.schema
    return pq.read_schema(path)


def _perturbing(directory: Path, table: str, order: random.Random) -> Iterator[_Damage]:
    schema = _schema(directory / table)
    places = [place for place, kind in enumerate(schema.types) if can_change(kind)]
    order.shuffle(places)
    for place in places:
        yield _Damage(directory, table, f"every value of {schema.names[place]} a little off", partial(_off, place))


def _swapping(directory: Path, table: str, order: random.Random) -> Iterator[_Damage]:
    schema = _schema(directory / table)
    pairs = [pair for pair in combinations(range(len(schema)), 2) if len({schema.types[place] for place in pair}) == 1]
    order.shuffle(pairs)
    for one, other in pairs:
        words = f"the values of {schema.names[one]} and {schema.names[other]} swapped"
        yield _Damage(directory, table, words, partial(_exchanged, one, other))


def _off(place: int, part: pa.Table) -> pa.Table:
    return part.set_column(place, part.schema.field(place), changed(part.column(place)))


def _exchanged(one: int, other: int, part: pa.Table) -> pa.Table:
    columns = list(part.columns)
    columns[one], columns[other] = columns[other], columns[one]
    return pa.Table.from_arrays(columns, schema=part.schema)


def _older(request: dict[str, Any], recorded: dict[str, dict[str, Any]], copy: Path) -> str:
    older, directory = request["older"], Path(request["directory"])
    path, place = older["path"], Path(older["directory"])
    if not path:
        raise Inapplicable(older["said"])
    known = recorded.get(path, {}).get("contents")
    if known is not None and contents(place, path, known["groups"]) == known:
        raise Inapplicable(f"{path} as {older['said']} has it holds the same values, as far as they are compared")
    link_all(directory, copy, {path})
    shutil.copyfile(place / path, copy / path)
    return f"{path} as {older['said']} has it"

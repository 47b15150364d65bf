"""What is unlike the last good point is found, and ordinary life is not."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from dr_lib.model.gates import ColumnFacts, Gates, Novelty, RunFacts, TableFacts
from dr_lib.model.manifest import FrameRef, TensorEntry, TensorStats
from dr_lib.policy.anomalies import judge, novelty
from dr_lib.policy.anomalies.novelty import REMEMBERED, usual_after

MIB = 1 << 20


def stats(norm: float | None = 50.0, *, nan: int = 0, inf: int = 0, most: float = 2.0) -> TensorStats:
    return TensorStats(-most, most, 0.0, nan, inf, norm)


def tensor(name: str, seen: Any = "", *, file: str = "m.safetensors", **facts: Any) -> TensorEntry:
    digest = hashlib.sha256(f"{name} {seen}".encode()).digest()
    entry = TensorEntry(file, name, "F32", (64, 64), 0, 16384, digest, stats())
    return replace(entry, **facts)


def run(point: str = "new", **facts: Any) -> RunFacts:
    known = {"logical_bytes": 100 * MIB, "files": 20, "forms": {"m.safetensors": "safetensors"}, "tensors": ()}
    return RunFacts(point=point, **(known | facts))


def column(**facts: Any) -> ColumnFacts:
    return ColumnFacts(**({"type": "int64", "nulls": 0, "minimum": 0.0, "maximum": 9.0} | facts))


def table(rows: int = 1000, **columns: ColumnFacts) -> TableFacts:
    return TableFacts(rows, columns or {"id": column()})


def found(past: RunFacts, new: RunFacts, new_bytes: Novelty | None = None, gates: Gates | None = None) -> list[str]:
    return [str(finding) for finding in judge(past, new, new_bytes, gates or Gates()).findings]


LAYERS = tuple(tensor(f"layer.{number}") for number in range(8))
TUNED = tuple(tensor(f"layer.{number}", "tuned", stats=stats(51.0)) for number in range(2))
BAD = {
    "NaN in a tensor": (replace(LAYERS[0], digest=b"2", stats=stats(nan=1)), "NaN appeared in 1 tensor: layer.0"),
    "infinity": (replace(LAYERS[0], digest=b"2", stats=stats(inf=2)), "infinity appeared in 1 tensor: layer.0"),
    "nothing but zeros": (
        replace(LAYERS[0], digest=b"2", stats=TensorStats(0.0, 0.0, 0.0, 0, 0, 0.0)),
        "1 tensor became nothing but zeros: layer.0",
    ),
    "a longer norm": (
        replace(LAYERS[0], digest=b"2", stats=stats(501.0)),
        "the norm of 1 tensor became more than 10 times longer or shorter: layer.0",
    ),
    "a shorter norm": (
        replace(LAYERS[0], digest=b"2", stats=stats(4.9)),
        "the norm of 1 tensor became more than 10 times longer or shorter: layer.0",
    ),
    "another dtype": (replace(LAYERS[0], digest=b"2", dtype="F16"), "the type or shape of 1 tensor changed: layer.0"),
    "another shape": (
        replace(LAYERS[0], digest=b"2", shape=(32, 128)),
        "the type or shape of 1 tensor changed: layer.0",
    ),
    "another name": (replace(LAYERS[0], name="other"), "1 tensor vanished, and 1 tensor appeared: layer.0"),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_a_tensor_gone_bad_is_found_and_named(case: str):
    changed, said = BAD[case]
    assert found(run(tensors=LAYERS), run(tensors=(changed, *LAYERS[1:]))) == [said]


GOOD = {
    "the same": LAYERS,
    "a fine-tune of a quarter": (*TUNED, *LAYERS[2:]),
    "every tensor trained on": tuple(tensor(f"layer.{n}", "on", stats=stats(70.0)) for n in range(8)),
    "other shards": tuple(replace(one, file=f"shard-{n % 2}.safetensors") for n, one in enumerate(LAYERS)),
    "an adapter beside it": (*LAYERS, tensor("lora.a")),
    "a bias that was small": (tensor("layer.0", 2, shape=(64,), stats=stats(9999.0)), *LAYERS[1:]),
    "numbers that nobody reads": (replace(LAYERS[0], digest=b"2", stats=None), *LAYERS[1:]),
}


@pytest.mark.parametrize("case", GOOD, ids=str)
def test_training_is_no_anomaly(case: str):
    small = replace(LAYERS[0], shape=(64,))
    past = (small, *LAYERS[1:]) if case.startswith("a bias") else LAYERS
    assert found(run(tensors=past), run(tensors=GOOD[case])) == []


def test_tensors_that_were_odd_before_are_no_news():
    masked = tensor("mask", stats=stats(None, nan=3, inf=9))
    empty = tensor("zeros", stats=TensorStats(0.0, 0.0, 0.0, 0, 0, 0.0))
    again = (replace(masked, digest=b"2"), replace(empty, digest=b"3"))
    assert found(run(tensors=(masked, empty)), run(tensors=again)) == []


def test_what_starts_from_zero_may_become_anything():
    fresh = tensor("lora.b", stats=TensorStats(0.0, 0.0, 0.0, 0, 0, 0.0))
    assert found(run(tensors=(fresh,)), run(tensors=(replace(fresh, digest=b"2", stats=stats(1e6)),))) == []


def test_not_a_number_in_a_tensor_that_is_new_is_found():
    new = (*LAYERS, tensor("fresh", stats=stats(nan=1)))
    assert found(run(tensors=LAYERS), run(tensors=new)) == ["NaN appeared in 1 tensor: fresh"]


def test_a_checkpoint_may_go_while_others_with_the_same_names_stay():
    files = ("checkpoint-1/m", "checkpoint-2/m", "checkpoint-3/m")
    past = [replace(one, file=file) for file in files[:2] for one in LAYERS]
    new = [replace(one, file=file) for file in files[1:] for one in LAYERS]
    assert found(run(tensors=tuple(past)), run(tensors=tuple(new))) == []


def test_norms_that_are_not_there_are_said_and_are_no_finding():
    old = tuple(replace(one, stats=stats(None)) for one in LAYERS)
    judged = judge(run("old", tensors=old), run(tensors=(*TUNED, *LAYERS[2:])), None, Gates())
    assert judged.findings == ()
    assert judged.untold == ("the norms of 2 changed tensors are not compared: old has none",)


def test_how_many_tensors_may_change_is_the_owners_choice():
    new = run(tensors=(*TUNED, *LAYERS[2:]))
    [said] = found(run(tensors=LAYERS), new, gates=Gates(changed_tensors=0.1))
    assert said == "25 % of the tensors changed, where 10 % may (gates.changed_tensors)"
    assert found(run(tensors=LAYERS), new, gates=Gates(changed_tensors=0.25)) == []


@pytest.mark.parametrize(
    ("past", "new", "said"),
    [
        ({"logical_bytes": 100 * MIB}, {"logical_bytes": 49 * MIB}, "bytes went from 104857600 down to 51380224"),
        ({"logical_bytes": 100 * MIB}, {"logical_bytes": 1001 * MIB}, "bytes went from 104857600 up to 1049624576"),
        ({"logical_bytes": 10}, {"logical_bytes": 0}, "there are no bytes any more"),
        ({"files": 40}, {"files": 19}, "files went from 40 down to 19"),
        ({"files": 3}, {"files": 31}, "files went from 3 up to 31"),
        ({"logical_bytes": 100 * MIB}, {"logical_bytes": 51 * MIB}, None),
        ({"logical_bytes": 100 * MIB}, {"logical_bytes": 900 * MIB}, None),
        ({"logical_bytes": 1000}, {"logical_bytes": 100_000}, None),
        ({"files": 9}, {"files": 1}, None),
        ({"logical_bytes": 0}, {"logical_bytes": 900 * MIB}, None),
    ],
)
def test_a_sudden_change_of_size(past: dict[str, int], new: dict[str, int], said: str | None):
    texts = found(run(**past), run(**new))
    assert (texts == []) if said is None else (len(texts) == 1 and texts[0].startswith(said))


def test_files_that_lose_their_kind_are_found_and_others_may_come_and_go():
    past = {"a.parquet": "parquet", "b.json": "text", "c.bin": "", "d.pt": "zip", "e.csv": "text"}
    new = {"a.parquet": "", "b.json": "", "c.bin": "", "d.pt": "pickle", "f.bin": ""}
    assert found(run(forms=past), run(forms=new)) == [
        "2 files of a known kind (parquet, text) became bytes of no kind: damaged, or encrypted: a.parquet, b.json"
    ]


COLLAPSE = "100 % of the bytes are new, where 30 % at most were new in the runs before"
INCOMPRESSIBLE = (
    "what is new (100 % of the bytes) cannot be compressed, as encrypted bytes cannot: "
    "100 % is left of it, where 66 % was left before"
)


@pytest.mark.parametrize(
    ("news", "said"),
    [
        (Novelty(1.0, 0.99, 0.99, (0.1, 0.3, 0.2)), [COLLAPSE]),
        (Novelty(1.0, 1.0, 0.66), [INCOMPRESSIBLE]),
        (Novelty(1.0, 1.0, 0.66, (0.1, 0.3, 0.2)), [COLLAPSE, INCOMPRESSIBLE]),
        (Novelty(1.0, 0.99, 0.99, (0.1, 0.3)), []),  # what is usual is not known yet
        (Novelty(1.0, 0.99, 0.99, (0.1, 1.0, 0.2)), []),  # it was all new before
        (Novelty(0.9, 0.99, 0.99, (0.1, 0.3, 0.2)), []),
        (Novelty(0.4, 1.0, 0.66), []),  # compressed files came to others
        (Novelty(1.0, 0.7, 0.66), []),
        (Novelty(1.0, 1.0, 0.97), []),  # it never could be compressed
        (Novelty(0.0, None, None), []),
    ],
)
def test_bytes_that_are_suddenly_new_or_random(news: Novelty, said: list[str]):
    assert found(run(), run(), news) == said


def test_a_model_that_is_trained_anew_is_all_new_and_no_anomaly():
    trained = tuple(tensor(f"layer.{number}", "anew") for number in range(8))
    size = sum(one.length for one in trained)
    news = Novelty(1.0, 0.9, 0.9, (0.1, 0.1, 0.1))
    past = run(logical_bytes=size, tensors=LAYERS)
    assert found(past, run(logical_bytes=size, tensors=trained), news) == []


def test_novelty_is_told_by_digests_and_not_by_what_was_uploaded():
    def frame(name: str, stored: int, seal: int = 0) -> FrameRef:
        return FrameRef(0, 0, stored, 100, 1, seal, hashlib.sha256(name.encode()).digest())

    news = novelty([frame("a", 50), frame("b", 50)], [frame("b", 50), frame("c", 96, 1), frame("c", 96, 1)], (0.2,))
    assert news == Novelty(0.5, 0.8, 0.5, (0.2,))
    assert novelty([], []) == Novelty(0.0, None, None)


def test_what_is_usual_forgets_runs_that_changed_nothing_and_those_long_ago():
    assert usual_after((0.1,), 0.0) == (0.1,)
    assert usual_after((0.1,), None) == (0.1,)
    assert usual_after(tuple(range(REMEMBERED)), 0.5) == (*range(1, REMEMBERED), 0.5)


TABLES = {
    "fewer rows": ({"t": table(400)}, ["rows went from 1000 down to 400: less than 50 % is left"]),
    "a column less": (
        {"t": table(id=column(), stars=column())},
        {"t": table(id=column())},
        ["1 column vanished from all tables: stars"],
    ),
    "another type": ({"t": table(id=column(type="string"))}, ["the type of 1 column changed: id"]),
    "nulls": ({"t": table(id=column(nulls=301))}, ["30 % of a column is null, where 0 % was: id"]),
    "one value": (
        {"t": table(id=column(minimum=4.0, maximum=4.0))},
        ["a column became one value in every row: id"],
    ),
    "a far range": (
        {"t": table(id=column(maximum=9e9))},
        ["a column's values spread over more than 1000 times the range: id"],
    ),
    "grown": ({"t": table(1800, id=column(maximum=90.0))}, []),
    "a day more, a day less": ({"u": table(1000)}, []),
    "a column more": ({"t": table(id=column(), more=column())}, []),
    "statistics that are not told": ({"t": table(id=ColumnFacts("int64"))}, []),
}


@pytest.mark.parametrize("case", TABLES, ids=str)
def test_tables(case: str):
    *tables, said = TABLES[case]
    past, new = tables if len(tables) == 2 else ({"t": table()}, tables[0])
    assert found(run(tables=past), run(tables=new)) == said


def test_tables_that_nobody_could_read_are_said_and_are_no_finding():
    judged = judge(run("old", tables={"t": table()}), run(tables=None), None, Gates())
    assert judged.findings == ()
    assert judged.untold == ("rows and columns are not compared: the tables of this point were not read",)


def test_a_broken_expectation_needs_no_earlier_point():
    judged = judge(None, run(broken=("stars are 1 to 5: 3 values break it",)), None, Gates())
    assert [str(one) for one in judged.findings] == [
        "an expectation does not hold: stars are 1 to 5: 3 values break it"
    ]
    assert judged.compared_with is None


def test_structure_may_be_left_to_the_owner():
    past, new = run(tensors=LAYERS), run(tensors=(replace(LAYERS[0], name="other"), *LAYERS[1:]))
    assert found(past, new, gates=Gates(structure=False)) == []


def test_what_everybody_may_read_names_nothing_of_the_content():
    judged = judge(run(tensors=LAYERS), run(tensors=(BAD["NaN in a tensor"][0], *LAYERS[1:])), None, Gates())
    assert [one.said for one in judged.findings] == ["NaN appeared in 1 tensor"]

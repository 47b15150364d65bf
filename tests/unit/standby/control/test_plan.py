"""Which tensors are damaged: every one at some time, and layers only with their like."""

from __future__ import annotations

from itertools import islice

from dr_lib.standby.control.plan import MANY_ELEMENTS, layers, matrices
from dr_lib.standby.control.weights import Named


def named(name: str, *shape: int, dtype: str = "F32", is_float: bool = True) -> Named:
    return Named(f"f:{name}", name, dtype, shape, is_float)


def test_the_seed_decides_and_every_matrix_comes_up():
    tensors = [named(f"m{number}", 4, 4) for number in range(10)]
    assert matrices(tensors, "one") == matrices(tensors, "one")
    assert {matrices(tensors, str(seed))[0].name for seed in range(200)} == {one.name for one in tensors}


def test_matrices_come_before_what_is_very_large_and_what_is_no_matrix():
    tensors = [
        named("bias", 4),
        named("huge", MANY_ELEMENTS + 1, 2),
        named("large", MANY_ELEMENTS + 1),
        named("weight", 4, 4),
        named("ids", 4, 4, dtype="I64", is_float=False),
        named("empty", 0, 4),
    ]
    assert [one.name for one in matrices(tensors, "s")] == ["weight", "large", "huge", "bias"]


def test_layers_are_swapped_whole_and_with_their_like_alone():
    tensors = [named(f"enc.{n}.{part}.weight", 4, 4) for n in range(3) for part in ("k", "v")]
    tensors += [named("enc.3.k.weight", 4, 5), named("enc.3.v.weight", 4, 4), named("head.weight", 4, 4)]
    pairs = list(layers(tensors, "s"))
    assert {frozenset((one.first, one.second)) for one in pairs} == {
        frozenset(("enc.0", "enc.1")), frozenset(("enc.0", "enc.2")), frozenset(("enc.1", "enc.2"))
    }  # fmt: skip
    for one in pairs:
        first, second = one.first.removeprefix("enc."), one.second.removeprefix("enc.")
        assert set(one.pairs) == {(f"f:enc.{first}.{p}.weight", f"f:enc.{second}.{p}.weight") for p in ("k", "v")}


def test_the_outermost_numbering_comes_first():
    tensors = [named(f"h.{n}.experts.{e}.w", 2, 2) for n in range(2) for e in range(2)]
    first = next(layers(tensors, "s"))
    assert {first.first, first.second} == {"h.0", "h.1"}
    assert {one.first[: len("h.0.experts.")] for one in islice(layers(tensors, "s"), 1, None)} == {
        "h.0.experts.", "h.1.experts."
    }  # fmt: skip


def test_numbers_in_words_count_too_and_none_is_no_layer():
    assert [sorted((one.first, one.second)) for one in layers([named("conv1", 2), named("conv2", 2)], "s")] == [
        ["conv1", "conv2"]
    ]
    assert list(layers([named("a", 2), named("b", 2)], "s")) == []

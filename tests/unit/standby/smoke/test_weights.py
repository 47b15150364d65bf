"""Weights as they lie in memory: any that is not the recorded one is named."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dr_lib.standby.smoke.weights import compare, digests


class Model:
    def __init__(self, **tensors: np.ndarray) -> None:
        self.tensors = tensors

    def weights(self) -> Iterator[tuple[str, str, memoryview]]:
        for name, tensor in self.tensors.items():
            yield name, str(tensor.dtype), memoryview(tensor).cast("B")


def test_the_same_weights_have_the_same_digests() -> None:
    one = digests(Model(a=np.ones(3), b=np.zeros(2)))
    found = compare(one, digests(Model(b=np.zeros(2), a=np.ones(3))))
    assert found is not None
    assert (found[0].passed, found[0].measured, found[1]) == (True, "2 as recorded", ())


def test_one_bit_another_type_and_another_set_are_named() -> None:
    recorded = digests(Model(a=np.ones(3), b=np.zeros(2), c=np.zeros(2)))
    found = compare(digests(Model(a=np.ones(3), b=np.full(2, 5e-324), d=np.zeros(2))), recorded)
    assert found is not None
    assert (found[0].passed, found[0].measured, found[1]) == (False, "1 as recorded", ("b", "c", "d"))


def test_a_runtime_that_hides_its_weights_proves_nothing_of_them() -> None:
    assert digests(Model()) == {}
    assert compare({}, {"a": "float32:00"}) is None
    assert compare({"a": "float32:00"}, {}) is None

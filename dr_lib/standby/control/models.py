"""The control of a model. Runs inside the fresh process."""

from __future__ import annotations

import gc
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch

from dr_lib.model.asset import AssetKind
from dr_lib.model.drill import Control, SmokeCheck
from dr_lib.standby.control.copies import empty_folder, link_all
from dr_lib.standby.control.plan import Layers, layers, matrices
from dr_lib.standby.control.request import NAMES
from dr_lib.standby.control.search import smallest
from dr_lib.standby.control.trial import Damage, Inapplicable, Meaningless, require_pass, tried
from dr_lib.standby.control.weights import Named, Weights, weights_of
from dr_lib.standby.smoke import model_probe
from dr_lib.standby.smoke.diagnosis import cause_of
from dr_lib.standby.smoke.weights import CHECK

SHARE: Final = 0.01
"""The noise of the first control, as a share of the tensor's norm."""
_PERTURBED, _SWAPPED, _OLDER = NAMES[AssetKind.MODEL]
_TRIES: Final = 8


def control(request: dict[str, Any]) -> dict[str, Any]:
    """`{"controls": […], "limit", "tensor", "note"}`: the smoke test's word on copies of what is in `directory`."""
    directory, seed = Path(request["directory"]), str(request["seed"])
    failed = partial(_failed, request)
    try:
        weights = weights_of(request["loader"], directory)
    except Inapplicable as error:
        return _without_weights(request, directory, failed, str(error))
    try:
        require_pass(partial(_as_it_is, weights), failed)
    except Meaningless as error:
        return {"controls": [asdict(Control(name, caught=None, detail=str(error))) for name in NAMES[AssetKind.MODEL]]}
    found = [
        tried(_PERTURBED, partial(_perturbed, weights, seed, SHARE), failed),
        tried(_SWAPPED, partial(_swapped, weights, seed), failed),
        tried(_OLDER, _older(request, directory), failed),
    ]
    told: dict[str, Any] = {"controls": [asdict(one) for one in found]}
    return told | _limit(weights, seed, request, found[0])


def _without_weights(request: dict[str, Any], directory: Path, failed: Any, why: str) -> dict[str, Any]:
    """Whatever form the weights have, a file of them can be an older one."""
    found = [Control(name, caught=None, detail=why) for name in (_PERTURBED, _SWAPPED)]
    try:
        require_pass(partial(link_all, directory), failed)
        found.append(tried(_OLDER, _older(request, directory), failed))
    except Meaningless as error:
        found.append(Control(_OLDER, caught=None, detail=str(error)))
    return {"controls": [asdict(one) for one in found]}


def _failed(request: dict[str, Any], copy: Path) -> Sequence[SmokeCheck]:
    gc.collect()  # the model before this one
    return [one for one in model_probe.answers(request | {"directory": str(copy)}).checks if not one.passed]


def _as_it_is(weights: Weights, copy: Path) -> None:
    weights.write(copy, {})


def _perturbed(weights: Weights, seed: str, share: float, copy: Path) -> str:
    chosen, before = _matrix(weights, seed)
    after = _noisy(before, seed, share)
    if torch.equal(after, before):
        raise Inapplicable(f"noise of {share:.2g} of the norm of {chosen.key} rounds away in {chosen.dtype}")
    weights.write(copy, {chosen.key: lambda: after})
    return f"{chosen.key} with noise of {share:.2g} of its norm"


def _matrix(weights: Weights, seed: str) -> tuple[Named, torch.Tensor]:
    """The first that noise can be added to."""
    for one in matrices(weights.tensors, seed):
        tensor = weights.read(one.key)
        norm = torch.linalg.vector_norm(_wide(tensor))
        if norm > 0 and torch.isfinite(norm):
            return one, tensor
    raise Inapplicable("the model holds no floating-point tensor that is finite and not zero")


def _noisy(tensor: torch.Tensor, seed: str, share: float) -> torch.Tensor:
    values = _wide(tensor)
    generator = torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:7], "big"))
    noise = torch.randn(values.shape, generator=generator, dtype=values.dtype)
    noise *= share * torch.linalg.vector_norm(values) / torch.linalg.vector_norm(noise)
    return (values + noise).to(tensor.dtype)


def _wide(tensor: torch.Tensor) -> torch.Tensor:
    return tensor if tensor.dtype is torch.float64 else tensor.to(torch.float32)


def _swapped(weights: Weights, seed: str, copy: Path) -> str:
    for number, found in enumerate(layers(weights.tensors, seed)):
        if number >= _TRIES:
            break
        if any(not _same(weights.read(one), weights.read(other)) for one, other in found.pairs):
            weights.write(copy, dict(_exchanged(weights, found)))
            return f"{found.first} and {found.second} swapped"
    raise Inapplicable("the model has no two layers of one make that differ")


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    # Bit for bit: NaN equals itself, and no dtype lacks it.
    return torch.equal(_bits(one), _bits(other))


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous().reshape(-1).view(torch.uint8)


def _exchanged(weights: Weights, found: Layers) -> Iterator[tuple[str, Any]]:
    for one, other in found.pairs:
        yield one, partial(weights.read, other)
        yield other, partial(weights.read, one)


def _older(request: dict[str, Any], directory: Path) -> Damage:
    older = request["older"]

    def put(copy: Path) -> str:
        if not older["path"]:
            raise Inapplicable(older["said"])
        link_all(directory, copy, {older["path"]})
        shutil.copyfile(Path(older["directory"]) / older["path"], copy / older["path"])
        return f"{older['path']} as {older['said']} has it"

    return put


def _limit(weights: Weights, seed: str, request: dict[str, Any], first: Control) -> dict[str, Any]:
    """By answers alone: a digest of what is in memory notices every bit."""
    if first.caught is None:
        return {"note": f"not looked for: {first.detail}"}
    chosen, _ = _matrix(weights, seed)

    def notices(share: float) -> bool:
        with empty_folder() as copy:
            try:
                _perturbed(weights, seed, share, copy)
            except Inapplicable:
                return False
            return any(check.name != CHECK for check in _failed(request, copy))

    try:
        found = smallest(notices, float(request["search_s"]))
    except Exception as error:  # noqa: BLE001 - the controls stand without it
        return {"tensor": chosen.key, "note": f"the search for it ended early: {cause_of(error)}"}
    note = "" if found else f"its answers do not depend on {chosen.key}: noise of its whole norm does not move them"
    return {"limit": found, "tensor": chosen.key, "note": note}

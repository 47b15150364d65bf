"""What a backup records so that a drill can later judge the restored asset: small files inside the recovery point."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from dr_lib.errors import DrError
from dr_lib.model.asset import Asset, AssetKind
from dr_lib.standby import environment, smoke
from dr_lib.standby.smoke.golden_inputs import golden_inputs, read_named
from dr_lib.standby.smoke.request import EXPECTATIONS, GOLDEN, TABLES, known_policy
from dr_lib.standby.smoke.sentences import SENTENCES
from dr_lib.standby.smoke.suites import parse_suites
from dr_lib.standby.smoke.table_names import holds_tables

_RECORDING: Final = 3
"""Raised when recordings tell more than before: then one is made anew, though the asset is as it was."""


def record_proof(asset: Asset, directory: Path, *, timeout_s: float = smoke.DEFAULT_TIMEOUT_S) -> dict[str, bytes]:
    """Attachments by name for the live asset in `directory`; empty for a model without a smoke policy.

    A model yields `golden.json` (inputs, outputs at full float32 precision, how far they stray when it is asked again,
    digests of its weights in memory, latency, facts of its files, and this environment), a dataset `tables.json` and,
    when the asset names a suite, `expectations.json`. Runs in a fresh process. Raises `SourceUnstable` naming the cause
    when the live asset cannot be loaded, `UsageError` or `NotFound` when a file that the asset names is wrong or not
    there. Writes nothing; safe to repeat.
    """
    if asset.kind is AssetKind.DATASET:
        return _dataset_proof(asset, directory, timeout_s)
    if asset.smoke is None:
        return {}
    policy = known_policy(asset)
    asked = golden_inputs(policy.golden, policy.loader)
    limit = max(timeout_s, policy.timeout_s)
    golden = smoke.record_golden(
        directory, policy.loader, asked.inputs, asked.expected, policy.tolerance, timeout_s=limit
    )
    return {GOLDEN: encoded({**golden, "environment": environment.capture()})}


def gate_facts(
    directory: Path, proof: dict[str, bytes], *, timeout_s: float = smoke.DEFAULT_TIMEOUT_S
) -> dict[str, Any]:
    """What the gates of a backup compare of the live tables in `directory`, after `proof` was recorded of them.

    `tables` as in `tables.json`; `broken` lists expectations that do not hold, and is left out where none are named;
    `untold` says why they could not be evaluated. Runs in a fresh process, raises nothing, and writes nothing.
    """
    if TABLES not in proof:
        return {}
    facts = {"tables": json.loads(proof[TABLES])["tables"]}
    if EXPECTATIONS not in proof or not facts["tables"]:
        return facts
    try:
        suites = proof[EXPECTATIONS].decode(errors="replace")
        return facts | {"broken": smoke.broken_expectations(directory, suites, timeout_s=timeout_s)}
    except DrError as error:
        return facts | {"untold": f"the expectations could not be evaluated: {error.what}"}


def proof_basis(asset: Asset) -> str:
    """A digest of all that `record_proof` depends on besides the asset's files: policy, inputs, suite, libraries.

    A file that the asset names and that cannot be read counts as unlike any other: recording will say so.
    """
    golden, loader = (None, None) if asset.smoke is None else (asset.smoke.golden, asset.smoke.loader)
    named = [path for path in (asset.expectations, golden) if path is not None]
    tolerance = None if asset.smoke is None else asdict(asset.smoke.tolerance)
    facts = [_RECORDING, asset.kind.value, loader, tolerance, SENTENCES, environment.capture()]
    basis = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for path in named:
        basis.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else secrets.token_bytes(32))
    return basis.hexdigest()


def _dataset_proof(asset: Asset, directory: Path, timeout_s: float) -> dict[str, bytes]:
    expectations = {} if asset.expectations is None else {EXPECTATIONS: _suite(asset.expectations)}
    limit = timeout_s if asset.smoke is None else max(timeout_s, asset.smoke.timeout_s)
    tables = smoke.record_tables(directory, timeout_s=limit) if holds_tables(directory) else {"tables": {}}
    return {TABLES: encoded(tables), **expectations}


def _suite(path: Path) -> bytes:
    data = read_named(path, "expectations")
    parse_suites(data, where=str(path))
    return data


def encoded(document: dict[str, Any]) -> bytes:
    """An attachment's bytes."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()

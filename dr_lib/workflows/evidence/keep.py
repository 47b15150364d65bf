"""Keeping evidence: each drill's in every region that takes it, after the one before it."""

from __future__ import annotations

from collections.abc import Sequence

from dr_lib.errors import DrError
from dr_lib.model.drill import DrillReport
from dr_lib.vault.evidence import evidence_keys, newest_link, parse_evidence, record_evidence
from dr_lib.vault.records import add_record
from dr_lib.vault.vault import Vault


def keep(vaults: Sequence[Vault], report: DrillReport) -> tuple[dict[str, str], list[DrError]]:
    """Store a drill's evidence in each of the vaults; its key by region, and what went wrong with the others.

    It names the newest evidence that they hold together, and brings to each what it lacks of it. Safe to retry: the
    same report after the same evidence is one object.
    """
    previous = newest_link(vaults, report.asset, report.drill)
    kept: dict[str, str] = {}
    failed: list[DrError] = []
    for vault in vaults:
        try:
            kept[vault.region] = record_evidence(vault, report, previous)
        except DrError as error:
            failed.append(error)
    spread(vaults, vaults, report.asset)
    return kept, failed


def spread(
    sources: Sequence[Vault], targets: Sequence[Vault], asset: str
) -> tuple[dict[str, list[str]], list[DrError]]:
    """Bring evidence to each target that lacks it, byte for byte, from the first source that has it whole.

    The keys by region, and what went wrong. What no source can vouch for is not copied. Idempotent.
    """
    offers, failed = _offers(sources, asset)
    brought: dict[str, list[str]] = {}
    for target in targets:
        try:
            lacking = offers.keys() - set(evidence_keys(target, asset))
            brought[target.region] = [key for key in sorted(lacking) if _bring(offers[key], target, asset, key)]
        except DrError as error:
            failed.append(error)
    return brought, failed


def _offers(sources: Sequence[Vault], asset: str) -> tuple[dict[str, list[Vault]], list[DrError]]:
    offers: dict[str, list[Vault]] = {}
    failed: list[DrError] = []
    for source in sources:
        try:
            for key in evidence_keys(source, asset):
                offers.setdefault(key, []).append(source)
        except DrError as error:
            failed.append(error)
    return offers, failed


def _bring(sources: Sequence[Vault], target: Vault, asset: str, key: str) -> bool:
    for source in sources:
        try:
            data = source.store.get(key)
            parse_evidence(target, asset, key, data)
        except DrError:
            continue
        add_record(target, key, data)
        return True
    return False

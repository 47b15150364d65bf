"""The world of one drill: this configuration, with the key, link, clock or standby that its scenario pretends."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from dr_lib.catalog.answers import open_ones
from dr_lib.errors import DrError, Refused, UsageError
from dr_lib.format import layout
from dr_lib.keys import SecretSource
from dr_lib.model.asset import Asset
from dr_lib.model.drill import SmokeCheck
from dr_lib.model.kit import KitState
from dr_lib.model.rates import RateLimits, Rates
from dr_lib.model.region import Role
from dr_lib.model.scenario import SCENARIOS
from dr_lib.standby.opening import open_standby
from dr_lib.vault.events import add_event
from dr_lib.vault.kits import examine_kit
from dr_lib.wiring import Wiring, cache_directory, state_directory
from dr_lib.workflows.drill.blows.blow import Tools
from dr_lib.workflows.drill.disaster import Ground
from dr_lib.workflows.drill.journal import Entry, Journal
from dr_lib.workflows.drill.world import World

SKEW: Final = timedelta(hours=6)
CLOCK: Final = "clock"
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Pretence:
    """What the drill itself lives with: its wiring, how far its clock was set off, and words for it."""

    wiring: Wiring
    words: str = ""
    skew: timedelta = timedelta(0)


def world_of(wiring: Wiring, asset: Asset, scenario: str, lost: str) -> World:
    """Everything a drill needs. `UsageError` (2) where the configuration lacks what the scenario pretends."""
    pretence = _pretend(wiring, asset, scenario)
    pretended = pretence.wiring
    policy = wiring.config.standby(asset.drill.standby)
    journal = journal_of(wiring)
    return World(
        answers=lambda: pretended.answers(asset.regions),
        survival_kit=pretended.survival_kit,
        forbidden=pretended.forbidden,
        standby=lambda name, room: open_standby(
            policy if room is None else replace(policy, room_bytes=room), wiring.standby_root, name
        ),
        clock=pretended.clock,
        ground=Ground(
            regions={region: wiring.config.region(region) for region in asset.regions},
            source=_source(asset),
            cache=_cache(wiring.environ),
            words=pretence.words,
        ),
        journal=journal,
        tools=lambda entry: tools_of(wiring, journal, entry),
        store_clock=lambda: _store_clock(pretended, asset, lost),
        skew=pretence.skew,
        link=asset.drill.link if scenario == "slow-link" else None,
        kits=lambda: _kits(wiring, asset),
        try_database=partial(_try_database, wiring) if SCENARIOS[scenario].of_orchestrator else None,
    )


def journal_of(wiring: Wiring) -> Journal:
    """The journal of this configuration's drills: in `DR_STATE_DIR`, else beside dr.yaml, so that every process that
    reads the same file finds it."""
    return Journal(state_directory(wiring.environ, wiring.config.path) / "drills")


def tools_of(wiring: Wiring, journal: Journal, entry: Entry) -> Tools:
    """What an entry's blows are dealt and undone with."""
    return Tools(wiring.janitor, wiring.environ, wiring.config.path.parent, journal.kept(entry.drill))


def _source(asset: Asset) -> str | None:
    url = asset.source.url
    if not asset.drill.takes_source or not url.startswith("file:"):
        return None
    return unquote(urlsplit(url).path).rstrip("/")


def _cache(environ: Mapping[str, str]) -> str | None:
    folder = cache_directory(environ)
    return None if folder is None else str(folder)


def _pretend(wiring: Wiring, asset: Asset, scenario: str) -> Pretence:
    if scenario == "key-lost":
        return Pretence(_with_escrow(wiring), "the standby and the drill got the escrow key alone")
    if scenario == "bare-machine" and wiring.config.encryption is not None:
        if wiring.config.encryption.escrow is None:
            words = (
                "the standby got the recovery kit, and the operations key: dr.yaml does not say where the escrow key is"
            )
            return Pretence(wiring, words)
        return Pretence(_with_escrow(wiring), "the standby got the recovery kit and the escrow key alone")
    if scenario == "slow-link":
        rate = asset.drill.link
        return Pretence(_slowed(wiring, rate), f"every region was read at no more than {rate / 1e6:g} MB/s")
    if scenario == "clock-skewed":
        skew = secrets.choice((SKEW, -SKEW))
        words = (
            f"the drill's clock was set {abs(skew) // timedelta(hours=1)} hours {'ahead' if skew > -skew else 'back'}"
        )
        return Pretence(replace(wiring, clock=lambda: wiring.clock() + skew), words, skew)
    if scenario == "standby-too-small":
        return Pretence(wiring, "the standby was given half the room that the asset needs")
    return Pretence(wiring)


def _kits(wiring: Wiring, asset: Asset) -> tuple[KitState, ...]:
    """The recovery kits of the asset's regions that answer."""
    found = []
    for vault in open_ones(wiring.answers(asset.regions), asset.regions):
        try:
            found.append(examine_kit(vault))
        except DrError as error:
            found.append(KitState(vault.region, problem=f"the recovery kit could not be looked at: {error.what}"))
    return tuple(found)


def _try_database(wiring: Wiring, restored: Path) -> tuple[SmokeCheck, ...]:
    """Airflow's database in a server of its own, as a recovery would have it; errors as `trial.try_database`."""
    from dr_lib.orchestrator import database, dumping, snapshot, trial

    policy = wiring.config.orchestrator
    if not restored.is_dir():
        hint = "give the orchestrator's drills a standby that is a process"
        raise UsageError("the standby is no directory of this machine: no server reads it", hint=hint)
    place = None
    if snapshot.dump_of(restored).name == dumping.DUMP:
        reference = (policy.rehearsal if policy else None) or ""
        url = SecretSource(wiring.environ, wiring.connections).text(reference) if reference else None
        if url is None:
            hint = "let `orchestrator.rehearsal` lead to the URL of an empty PostgreSQL database"
            raise UsageError("there is no database to rehearse with", where=str(wiring.config.path), hint=hint)
        place = database.address(url)
    return trial.try_database(restored, place)


def _with_escrow(wiring: Wiring) -> Wiring:
    sealing = wiring.config.encryption
    where = str(wiring.config.path)
    if sealing is None:
        raise UsageError("nothing is sealed here: there is no key to lose", where=where, hint="choose another scenario")
    if sealing.escrow is None:
        hint = "add `escrow: file:…` to `encryption:`, where the drill's machine finds it for the rehearsal"
        raise UsageError("dr.yaml does not say where the escrow key is", where=where, hint=hint)
    escrowed = replace(wiring, config=replace(wiring.config, encryption=replace(sealing, identity=sealing.escrow)))
    if not escrowed.keys.identities:
        raise UsageError("there is no escrow key", where=sealing.escrow, hint="put it there for the rehearsal")
    if set(escrowed.keys.identities) & set(wiring.keys.identities):
        raise Refused("the escrow key is the operations key: nothing would be lost", where=sealing.escrow)
    return escrowed


def _slowed(wiring: Wiring, rate: int) -> Wiring:
    limit = Rates(None, rate)
    regions = {name: replace(one, limits=RateLimits(limit)) for name, one in wiring.config.regions.items()}
    config = replace(wiring.config, regions=regions)
    return replace(wiring, config=config, throttles=wiring.throttles.forced(limit))


def _store_clock(wiring: Wiring, asset: Asset, lost: str) -> datetime | None:
    """The present as the first region has it that takes an event; the one that is to be lost is asked last."""
    for region in sorted(asset.regions, key=lambda name: name == lost):
        try:
            return _witnessed(wiring, asset.name, region)
        except DrError:
            continue
    return None


def _witnessed(wiring: Wiring, asset: str, region: str) -> datetime:
    """When the store says that it stored a drill's event, which holds what this machine took the time for."""
    vault = wiring.vault(region, Role.VERIFIER)
    now = wiring.clock()
    key = add_event(vault, CLOCK, asset, layout.point_id(now, secrets.token_bytes(4)), now, {})
    stored_at = vault.store.head(key).modified_at
    return stored_at if stored_at.microsecond else stored_at + _SECOND / 2

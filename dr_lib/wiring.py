"""From names in the configuration to open things: stores, vaults, sources, and what a standby is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from dr_lib.catalog.observe import Answer
from dr_lib.clock import Clock
from dr_lib.config.spell import spelled
from dr_lib.crypto.keyset import Keyset
from dr_lib.errors import DrError, StoreUnavailable, UsageError
from dr_lib.keys import SecretSource, keyset
from dr_lib.model.asset import Asset, AssetKind
from dr_lib.model.config import Config
from dr_lib.model.region import Role, StoreRef
from dr_lib.model.standby import Forbidden
from dr_lib.sources.base import Source
from dr_lib.sources.opening import open_source
from dr_lib.standby.orders import port_of
from dr_lib.storage.base import ContainerStore, RegionJanitor
from dr_lib.storage.credentials import Connections, resolve
from dr_lib.storage.hedged import HedgedStore
from dr_lib.storage.opening import open_janitor, open_store
from dr_lib.storage.throttles import Throttles
from dr_lib.vault.opening import open_vault
from dr_lib.vault.summary_cache import SummaryCache, cache_of
from dr_lib.vault.vault import Vault

STANDBY_PREFIX: Final = "DR_STANDBY"
STANDBY_IDENTITY: Final = f"{STANDBY_PREFIX}_IDENTITY"
AMAZON: Final = "https://s3.amazonaws.com"
STATE: Final = "DR_STATE_DIR"
BESIDE: Final = ".dr-state"
SHELF: Final = "DR_KIT"
GONE: Final = "file:///lost-with-the-region"
"""What a standby is told about the source: that there is none."""


@dataclass(frozen=True)
class Wiring:
    """A configuration and what it takes to open what it names. `standby_root` is where standbys are made.

    `throttles` keep the stores of regions to their rates; sources are read as fast as they go.
    """

    config: Config
    environ: Mapping[str, str]
    connections: Connections | None
    clock: Clock
    standby_root: Path
    throttles: Throttles

    @cached_property
    def keys(self) -> Keyset:
        """The keys of this process, read once; `UsageError` for one that is none."""
        secrets = SecretSource(self.environ, self.connections)
        return keyset(self.config.encryption, self.config.signing, secrets)

    def store(self, region: str, role: Role = Role.WRITER) -> ContainerStore:
        """A region's store as that role opens it, not asked anything yet; `Refused` (7) without its credentials."""
        facts = self.config.region(region)
        mode = facts.lock.mode.value if facts.lock else None
        store = HedgedStore(self._open(facts.store_as(role), f"region {region}", lock_mode=mode))
        return self.throttles.over(region, store)

    def vault(self, region: str, role: Role = Role.WRITER) -> Vault:
        """A region's vault as that role opens it, proven to answer; raises what is wrong with it, naming the region."""
        return open_vault(region, self.store(region, role), self.keys, self.config.region(region).lock)

    def janitor(self, region: str, role: Role = Role.JANITOR) -> RegionJanitor:
        """A region's store as the janitor opens it; `Refused` (7) where dr.yaml names no janitor's credentials.

        Another `role` tries the same with its own credentials.
        """
        facts = self.config.region(region)
        return open_janitor(
            facts.store_as(role),
            f"region {region}",
            environ=self.environ,
            connections=self.connections,
            lock_mode=facts.lock.mode.value if facts.lock else None,
        )

    def summaries(self, region: str, asset: str) -> SummaryCache:
        """What this machine keeps of an asset's manifests in a region; nothing where no directory is named for it."""
        ref = self.config.region(region).store
        return cache_of(cache_directory(self.environ), ref.url, ref.endpoint or "", region, asset)

    def answer(self, region: str, role: Role = Role.READER) -> Answer:
        """A region's vault as that role opens it, or why it did not open."""
        try:
            return self.vault(region, role)
        except DrError as error:
            return error

    def answers(self, regions: Sequence[str], role: Role = Role.READER) -> dict[str, Answer]:
        """Every region's vault, or why it did not open, asked at the same time; in the given order."""
        if not regions:
            return {}
        with ThreadPoolExecutor(len(regions)) as pool:
            return dict(zip(regions, pool.map(lambda region: self.answer(region, role), regions), strict=True))

    def first_vault(self, regions: Sequence[str], role: Role = Role.WRITER) -> Vault:
        """The first region's vault that answers; `StoreUnavailable` naming all of them when none does."""
        errors: list[str] = []
        for region in regions:
            found = self.answer(region, role)
            if isinstance(found, Vault):
                return found
            if not isinstance(found, StoreUnavailable):
                raise found
            errors.append(str(found))
        raise StoreUnavailable("no region answers", where="; ".join(errors), hint="`drctl doctor` tells more")

    def source(self, asset: Asset) -> Source:
        """An asset's live source."""
        return open_source(asset.source, open_store=partial(self._open, foreign=True))

    def survival_kit(self, asset: Asset, region: str) -> tuple[str, dict[str, str]]:
        """A standby's whole knowledge: a configuration (JSON is YAML) with one region and no source, and the
        environment with that region's credentials alone."""
        ref = self.config.region(region).store_as(Role.READER)
        store: dict[str, str] = {"url": ref.url} | ({"endpoint": ref.endpoint} if ref.endpoint else {})
        environ = self._standby_environ(ref, region) | self._standby_identity()
        if f"{STANDBY_PREFIX}_ACCESS_KEY_ID" in environ:
            store["credentials"] = f"env:{STANDBY_PREFIX}"
        elif ref.credentials:
            store["credentials"] = ref.credentials
        limits = {"limits": spelled(found)} if (found := self.config.region(region).limits) else {}
        kind = AssetKind.DATASET if asset.kind is AssetKind.ORCHESTRATOR else asset.kind
        facts = {"kind": kind.value, "source": GONE, "regions": [region]}
        config = {"version": 1, "regions": {region: store | limits}, "assets": {asset.name: facts}} | self._reading()
        return json.dumps(config, indent=1), environ

    def forbidden(self, asset: Asset, region: str) -> tuple[Forbidden, ...]:
        """What a standby that knows `region` alone must not reach: the source, and every other region."""
        others = [name for name in self.config.regions if name != region]
        places = [
            ("the source", asset.source),
            *((f"region {name}", self.config.region(name).store) for name in others),
        ]
        return tuple(_forbidden(what, ref) for what, ref in places)

    def _reading(self) -> dict[str, object]:
        """What a reader's configuration says of sealing and signing: everything but writers' secrets."""
        sealing, signing = self.config.encryption, self.config.signing
        said: dict[str, object] = {"encryption": "none", "signing": "none"}
        if sealing is not None:
            said["encryption"] = {"recipients": list(sealing.recipients), "identity": f"env:{STANDBY_IDENTITY}"}
        if signing is not None:
            said["signing"] = {"trusted": list(signing.trusted)}
        return said

    def _standby_identity(self) -> dict[str, str]:
        return {STANDBY_IDENTITY: "\n".join(self.keys.identities)} if self.keys.identities else {}

    def _standby_environ(self, ref: StoreRef, region: str) -> dict[str, str]:
        if ref.url.startswith("rclone:"):
            return {name: value for name, value in self.environ.items() if name.startswith("RCLONE_")}
        if not ref.url.startswith("s3:"):
            return {}
        found = resolve(ref.credentials, f"region {region}", environ=self.environ, connections=self.connections)
        if found.access_key is None or found.secret_key is None:
            from dr_lib.storage.s3_session import frozen

            found = frozen(found, f"region {region}")
            if found.session_token:  # it ends, perhaps before the drill: the SDK has to get another one there
                return {name: value for name, value in self.environ.items() if name.startswith("AWS_")}
        named = {
            "ACCESS_KEY_ID": found.access_key,
            "SECRET_ACCESS_KEY": found.secret_key,
            "SESSION_TOKEN": found.session_token,
        }
        return {f"{STANDBY_PREFIX}_{name}": value for name, value in named.items() if value}

    def _open(
        self, ref: StoreRef, label: str, *, foreign: bool = False, lock_mode: str | None = None
    ) -> ContainerStore:
        return open_store(
            ref, label, environ=self.environ, connections=self.connections, foreign=foreign, lock_mode=lock_mode
        )


def _forbidden(what: str, ref: StoreRef) -> Forbidden:
    if ref.url.startswith("file:"):
        return Forbidden(what, path=unquote(urlsplit(ref.url).path))
    if not ref.url.startswith("s3:"):
        return Forbidden(what)
    endpoint = ref.endpoint or AMAZON
    return Forbidden(what, host=urlsplit(endpoint).hostname or "", port=port_of(endpoint))


def state_directory(environ: Mapping[str, str], config: Path) -> Path:
    """What this configuration's processes on this machine share: `DR_STATE_DIR`, else a directory beside dr.yaml."""
    named = environ.get(STATE)
    return Path(named) if named else config.parent / BESIDE


def cache_directory(environ: Mapping[str, str]) -> Path | None:
    """`DR_CACHE_DIR`, else `dr` in the user's directory for caches."""
    if environ.get("DR_CACHE_DIR"):
        return Path(environ["DR_CACHE_DIR"])
    if environ.get("XDG_CACHE_HOME"):
        return Path(environ["XDG_CACHE_HOME"]) / "dr"
    return Path(environ["HOME"]) / ".cache" / "dr" if environ.get("HOME") else None


def shelf_folder(environ: Mapping[str, str]) -> Path:
    """Where recovery kits are kept on this machine: `DR_KIT` (`none`: nowhere), else in the directory for caches."""
    named, cache = environ.get(SHELF), cache_directory(environ)
    if named == "none" or (named is None and cache is None):
        raise UsageError("there is no place for recovery kits on this machine", hint=f"name a directory in {SHELF}")
    return Path(named) if named else Path(str(cache)) / "kit"

"""A vault that is known by its address and a key alone: what a configuration would say of it, for one asset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dr_lib.errors import NotFound, UsageError
from dr_lib.format import layout, vault_record
from dr_lib.model.region import StoreRef
from dr_lib.storage.opening import open_store
from dr_lib.wiring import GONE


@dataclass(frozen=True, slots=True)
class Address:
    """Where a vault is and what opens it. `key` is a file with an age identity; `trusted` are public keys that signed,
    those that the vault names when empty."""

    url: str
    key: Path
    endpoint: str | None = None
    credentials: str | None = None
    trusted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bare:
    """The configuration as text, and whose signatures it takes."""

    text: str
    signers: tuple[str, ...]


def bare_config(vault: Address, asset: str, kind: str, environ: Mapping[str, str]) -> Bare:
    """A dr.yaml (as JSON, which YAML is) that knows this vault and this asset and nothing else.

    `NotFound` (5) where there is no vault, `UsageError` (2) for a key that is not there; errors of the store as ever.
    """
    if not vault.key.is_file():
        raise UsageError("there is no key file", where=str(vault.key), hint="name the file with the age identity")
    ref = StoreRef(vault.url, vault.endpoint, vault.credentials)
    store = open_store(ref, "the vault", environ=environ, connections=None)
    try:
        data = store.get(layout.VAULT_KEY)
    except NotFound as error:
        hint = "the URL is that of the bucket (or directory) that holds vault.json"
        raise NotFound("there is no vault", where=vault.url, hint=hint) from error
    facts = vault_record.load(data, f"{vault.url}, {layout.VAULT_KEY}")
    place: dict[str, Any] = {"url": vault.url}
    place |= {"endpoint": vault.endpoint} if vault.endpoint else {}
    place |= {"credentials": vault.credentials} if vault.credentials else {}
    region = str(facts.get("region"))
    document = {
        "version": 1,
        "regions": {region: place},
        "encryption": {"identity": f"file:{vault.key.absolute()}"},
        "signing": {"trusted": list(vault.trusted)} if vault.trusted else {},
        "assets": {asset: {"kind": kind, "source": GONE, "regions": [region]}},
    }
    return Bare(json.dumps(document), vault.trusted or tuple(map(str, facts.get("signers", ()))))

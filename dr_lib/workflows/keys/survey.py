"""Who opens what: the run keys of a vault, and whether the identities here open them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from dr_lib.crypto import age
from dr_lib.crypto.keyset import Keyset
from dr_lib.errors import IntegrityError, PermissionDenied
from dr_lib.format.layout import RunKeyName
from dr_lib.storage.base import ObjectStore
from dr_lib.vault.run_keys import open_run_key
from dr_lib.workflows.keys.inventory import take

SAMPLE: Final = 16
"""Run keys that are opened unless all are asked for; their ids are random, so the first of them are a fair sample."""
_OPENED, _SHUT, _DAMAGED = "opened", "shut", "damaged"


@dataclass(frozen=True, slots=True)
class Survey:
    """Run keys of a vault by their newest generation: `current` are for today's recipients, `others` are not.

    Of those that were tried, `opened` gave their secret, `shut` are for nobody here, `damaged` are for nobody at all.
    """

    run_keys: int
    current: int
    others: int
    newest_generation: int
    left_behind: int
    opened: int
    shut: int
    damaged: int


def survey(store: ObjectStore, keys: Keyset, workers: int, *, every: bool) -> Survey:
    """Look at a vault's run keys: one listing, and the reads of a sample, or of `every` one, where identities are."""
    today = age.fingerprint(keys.recipients)
    found = take(store)
    tried = (found.newest if every else found.newest[:SAMPLE]) if keys.identities else ()
    with ThreadPoolExecutor(workers) as pool:
        outcomes = Counter(pool.map(partial(_outcome, store, keys.identities), tried))
    due = len(found.due(today))
    return Survey(
        run_keys=len(found.newest),
        current=len(found.newest) - due,
        others=due,
        newest_generation=max((name.generation for name in found.newest), default=0),
        left_behind=found.left_behind(today),
        opened=outcomes[_OPENED],
        shut=outcomes[_SHUT],
        damaged=outcomes[_DAMAGED],
    )


def problems(keys: Keyset, surveys: Mapping[str, Survey]) -> Iterator[str]:
    """What a person should mend, of the keys here and of those in the vaults."""
    if keys.signer and keys.trusted and keys.signer.public not in keys.trusted:
        yield "the signing key here is not among the trusted ones: nobody will read what is signed with it"
    for region, found in surveys.items():
        if found.others:
            yield f"{found.others} run keys in {region} are not for today's recipients: drctl keys rotate"
        if found.shut:
            yield f"{found.shut} run keys in {region} do not open with the identity here"
        if found.damaged:
            yield f"{found.damaged} run keys in {region} are damaged or forged: points there need another region's copy"


def own_recipients(keys: Keyset) -> list[str]:
    """The public parts of the identities here."""
    return [age.recipient_of(identity) for identity in keys.identities]


def _outcome(store: ObjectStore, identities: Sequence[str], name: RunKeyName) -> str:
    try:
        open_run_key(store, name, identities)
    except PermissionDenied:
        return _SHUT
    except IntegrityError:
        return _DAMAGED
    return _OPENED

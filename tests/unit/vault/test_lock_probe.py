"""A server is believed to lock when it refused to break a lock, and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from dr_lib.clock import utc_now
from dr_lib.crypto.keyset import CLEAR
from dr_lib.errors import NotFound, PermissionDenied, Refused
from dr_lib.format import layout
from dr_lib.model.region import LockMode, LockPolicy, Region, Role, StoreRef
from dr_lib.storage.memory import MemoryStore
from dr_lib.workflows.initialize import Site, initialize

LOCK = LockPolicy(LockMode.COMPLIANCE, 30)


class Server(MemoryStore):
    """Says that everything is locked for `days`, and keeps to it in what `refuses` names."""

    def __init__(self, days: float | None, *refuses: str) -> None:
        super().__init__("region test")
        self._days = days
        self._refuses = refuses
        self._shortened: dict[str, datetime] = {}

    def ensure_container(self, *, lock_mode: str | None, lock_days: int | None) -> bool:
        return (lock_mode, lock_days) == ("never", 0)

    def locked_until(self, key: str) -> datetime | None:
        given = None if self._days is None else self.head(key).modified_at + timedelta(days=self._days)
        return self._shortened.get(key, given)

    def delete(self, key: str, version: str) -> None:
        if "deletion" in self._refuses:
            raise PermissionDenied("it is locked", where=self.label)
        super().delete(key, version)

    def weaken(self, key: str, until: datetime) -> None:
        if "shortening" in self._refuses:
            raise PermissionDenied("it is locked", where=self.label)
        if "every request" in self._refuses:
            raise Refused("such a request is not known here", where=self.label)
        self._shortened[key] = until


def made_on(server: Server) -> Mapping[str, object]:
    region = Region("test", StoreRef("s3://bucket"), LOCK)
    (made,) = initialize([Site(region, server, server, Role.JANITOR)], CLEAR, utc_now)
    return made


def test_a_lock_that_held_is_told_with_what_was_tried():
    made = made_on(Server(30, "deletion", "shortening"))
    assert made["lock"] == {
        "mode": "compliance",
        "days": 30,
        "refused": ["deletion", "shortening"],
        "tried_as": "janitor",
    }
    assert made["warnings"] == []


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (Server(30, "shortening"), "permitted the deletion of what is locked"),
        (Server(30, "deletion"), "permitted the shortening of what is locked"),
        (Server(None, "deletion", "shortening"), "is not locked for as long as dr.yaml demands"),
        (Server(29, "deletion", "shortening"), "is not locked for as long as dr.yaml demands"),
    ],
)
def test_a_lock_that_does_not_hold_makes_no_vault(server: Server, said: str):
    with pytest.raises(Refused, match="lock does not hold") as refusal:
        made_on(server)
    assert said in str(refusal.value)
    with pytest.raises(NotFound):
        server.head(layout.VAULT_KEY)


def test_a_request_that_the_server_does_not_know_proves_nothing():
    made = made_on(Server(30, "deletion", "every request"))
    assert made["lock"]["refused"] == ["deletion"]
    assert "the shortening of what is locked could not be tried as janitor: unproven" in made["warnings"][0]


def test_a_store_that_holds_other_things_is_still_refused():
    server = Server(30, "deletion", "shortening")
    server.create("probes/lock-00", b"of an earlier try")
    server.create("holiday.jpg", b"x")
    with pytest.raises(Refused, match="holds other things"):
        made_on(server)

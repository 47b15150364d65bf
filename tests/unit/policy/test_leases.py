"""Who may take an endpoint's lease."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dr_lib.model.serving import Lease, Site
from dr_lib.policy.leases import CLOCKS_DIFFER, GONE_ON_WITHIN, objection, resumes

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HELD = Lease("api", 7, "anna/1", NOW, NOW + timedelta(minutes=1), 5, Site.STANDBY, "point", "restore", "why")
SECOND = timedelta(seconds=1)


def test_the_first_one_may():
    assert objection(None, "anybody", NOW) is None


def test_another_one_has_to_wait_until_it_ran_out_by_every_clock():
    assert "anna/1 holds it, moves to the standby, and is at `restore`" in str(objection(HELD, "ben/2", NOW))
    assert objection(HELD, "ben/2", HELD.until + CLOCKS_DIFFER) is not None
    assert objection(HELD, "ben/2", HELD.until + CLOCKS_DIFFER + SECOND) is None


def test_its_holder_may_always():
    assert objection(HELD, "anna/1", NOW) is None


def test_one_that_ended_is_free_at_once():
    assert objection(replace(HELD, done="moved"), "ben/2", NOW) is None


def test_a_holder_goes_on_with_what_it_began_but_not_after_long():
    late = HELD.until + GONE_ON_WITHIN
    assert resumes(HELD, "anna/1", Site.STANDBY, late)
    assert not resumes(HELD, "anna/1", Site.STANDBY, late + SECOND)
    assert not resumes(HELD, "anna/1", Site.PRIMARY, NOW)
    assert not resumes(HELD, "ben/2", Site.STANDBY, NOW)
    assert not resumes(replace(HELD, done="failed"), "anna/1", Site.STANDBY, NOW)
    assert not resumes(None, "anna/1", Site.STANDBY, NOW)

"""The course of a drill over two small vaults, with a standby that only says what it was asked to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dr_lib.catalog.observe import Answer
from dr_lib.clock import utc_now
from dr_lib.errors import DrError, IntegrityError, OutOfSpace, Refused, StoreUnavailable, UsageError
from dr_lib.format.evidence_schema import schema_problems
from dr_lib.vault.evidence import statement
from dr_lib.workflows.drill.journal import Busy
from tests.unit.workflows.drill.site import PASSED, PLENTY, Site
from tests.world import ASSET


def test_without_levers_it_keeps_away_and_says_so(site: Site):
    done = site.drill()
    assert (done.verdict, done.reasons) == ("proven", ())
    assert (done.applied.really, done.applied.undone) == (False, None)
    assert any("one was not really down" in text for text in done.unproven)
    assert any("the live data was not touched" in text for text in done.unproven)
    assert (done.restored_from, site.standby.asked, done.lost_region) == ("two", ["two"], "one")
    assert done.policy_sha256 == "digest"
    assert site.standby.was_torn_down


def test_the_phases_add_up_to_the_rto(site: Site):
    done = site.drill()
    names = [phase.name for phase in done.phases]
    assert names == ["detect", "decide", "acquire", "restore", "load", "warm-up", "first output"]
    assert done.rto_s == pytest.approx(sum(phase.seconds for phase in done.phases))
    assert done.rto_s > 3.0


def test_over_a_slow_link_every_byte_takes_its_time(site: Site):
    stored = site.vaults.runtime.points(ASSET)[0]["stored_bytes"]
    site.change(link=stored * 5)
    done = site.drill("slow-link")
    assert done.verdict == "proven"
    assert sum(phase.seconds for phase in done.phases if phase.name == "fetch") == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("scenario", ["region-lost", "catalog-lost", "standby-too-small"])
def test_what_a_drill_states_is_as_the_schema_of_evidence_says(site: Site, scenario: str):
    digest = "cd" * 32
    assert schema_problems(statement(replace(site.drill(scenario), policy_sha256=digest))) == []
    site.standby.smoked = replace(PASSED, passed=False, cause="NaN", load_s=float("nan"))
    assert schema_problems(statement(replace(site.drill(scenario), policy_sha256=digest))) == []


def test_no_correct_output_is_no_rto(site: Site):
    site.standby.smoked = replace(PASSED, passed=False, cause="NaN")
    done = site.drill()
    assert (done.verdict, done.rto_s) == ("not proven", None)
    assert any("NaN" in reason for reason in done.reasons)


def test_a_copy_that_is_found_damaged_sends_it_to_the_next_region(site: Site):
    site.standby.fails = {"one": IntegrityError("rotten")}
    done = site.drill("catalog-lost")
    assert (done.verdict, done.restored_from, site.standby.asked) == ("proven", "two", ["one", "two"])
    assert done.detours == ("one was asked first: rotten",)
    assert [phase.name for phase in done.phases][2:4] == ["acquire", "try one"]
    assert done.rpo_by_region["one"] is None
    assert done.rpo_by_region["two"] == done.rpo_s


@pytest.mark.parametrize("error", [OutOfSpace("the disk is full"), Refused("not permitted")])
def test_what_another_region_does_not_mend_ends_it(site: Site, error: DrError):
    site.standby.fails = {"one": error}
    done = site.drill("catalog-lost")
    assert (done.verdict, site.standby.asked) == ("not proven", ["one"])
    assert any(error.what in reason for reason in done.reasons)


def test_when_no_region_can_give_it_the_first_reason_is_told(site: Site):
    site.standby.fails = {"one": IntegrityError("rotten"), "two": StoreUnavailable("silent")}
    done = site.drill("catalog-lost")
    assert (done.verdict, done.restored_from) == ("not proven", "")
    assert any("rotten" in reason for reason in done.reasons)


def test_damage_that_nothing_notices_is_not_proven(site: Site):
    site.allow(damage=True)
    whole = packs(site)
    seen: list[dict[str, bytes]] = []
    site.standby.on_restore = lambda: seen.append(packs(site))
    done = site.drill("pack-damaged")
    assert done.verdict == "not proven"
    assert any("nothing noticed it" in reason for reason in done.reasons)
    (during,) = seen
    assert len([name for name in whole if during[name] != whole[name]]) == 1, "one was damaged while the drill ran"
    assert packs(site) == whole


def packs(site: Site) -> dict[str, bytes]:
    return {pack.name: pack.read_bytes() for pack in site.vaults.packs("one")}


@pytest.mark.parametrize("hours", [6, -6, 5000])
def test_a_clock_that_is_off_is_noticed_and_no_wrong_rpo_claimed(site: Site, hours: int):
    skew = timedelta(hours=hours)
    site.change(clock=lambda: utc_now() + skew, skew=skew)
    done = site.drill("clock-skewed")
    assert (done.verdict, done.reasons) == ("proven", ())
    assert done.clock_skew_s == pytest.approx(skew.total_seconds(), abs=2)
    assert 0 < done.rpo_s < 600
    assert abs(done.started_at - utc_now()) < timedelta(minutes=5)


def test_a_clock_that_cannot_be_compared_claims_no_rpo(site: Site):
    skew = timedelta(hours=6)
    site.change(clock=lambda: utc_now() + skew, skew=skew, store_clock=lambda: None)
    done = site.drill("clock-skewed")
    assert (done.verdict, done.rpo_s, done.rpo_by_region) == ("not proven", None, {})
    assert any("RPO is not known" in reason for reason in done.reasons)


def test_a_clock_of_its_own_accord_off_is_set_right_in_any_scenario(site: Site):
    site.change(clock=lambda: utc_now() - timedelta(days=3))
    done = site.drill("catalog-lost")
    assert done.verdict == "proven", "by the wrong clock no point is old enough"
    assert done.clock_skew_s == pytest.approx(-3 * 86_400, abs=2)


def test_no_clock_to_compare_with_is_told(site: Site):
    site.change(store_clock=lambda: None)
    assert any("no region told the time" in text for text in site.drill().unproven)


def test_a_standby_that_is_too_small_is_refused_before_a_byte_is_fetched(site: Site):
    done = site.drill("standby-too-small")
    assert (done.verdict, done.expected, done.rto_s) == ("proven", "refusal", None)
    assert site.standby.asked == []


def test_a_standby_that_is_small_in_any_other_scenario_is_a_failure(site: Site):
    site.standby.environment = lambda: {"disk_free_bytes": "1", "ram_bytes": str(PLENTY)}
    done = site.drill()
    assert (done.verdict, done.expected) == ("not proven", "recovery")


def test_a_standby_that_is_not_refused_though_too_small_is_not_proven(site: Site):
    site.standby.environment = lambda: {"disk_free_bytes": str(PLENTY), "ram_bytes": str(PLENTY)}
    done = site.drill("standby-too-small")
    assert (done.verdict, done.rto_s) == ("not proven", None)


def lose(site: Site, *, fails: bool = False) -> Path:
    one = site.vaults.regions["one"]
    gone = one.with_name("gone")
    back = ("sh", "-c", f"test -d '{one}' || mv '{gone}' '{one}'")
    site.allow(lose=("false",) if fails else ("mv", str(one), str(gone)), give_back=back)
    return one


def test_a_region_is_really_lost_and_comes_back(site: Site):
    one = lose(site)
    seen: list[bool] = []
    site.standby.on_restore = lambda: seen.append(one.exists())
    done = site.drill()
    assert (done.verdict, done.applied.really, done.applied.undone) == ("proven", True, True)
    assert seen == [False]
    assert one.is_dir()


def test_it_is_undone_also_when_the_drill_breaks_down(site: Site):
    one = lose(site)
    site.standby.on_restore = interrupt
    with pytest.raises(KeyboardInterrupt):
        site.drill()
    assert one.is_dir()
    assert site.world.journal.entries() == []
    assert site.standby.was_torn_down


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_lever_that_fails_is_a_failed_drill_and_undone(site: Site):
    one = lose(site, fails=True)
    done = site.drill()
    assert (done.verdict, done.applied.really, done.applied.undone) == ("not proven", False, True)
    assert any("lose failed with exit code 1" in reason for reason in done.reasons)
    assert one.is_dir()


def test_a_lever_that_does_nothing_is_not_believed(site: Site):
    site.allow(lose=("true",), give_back=("true",))
    done = site.drill()
    assert done.applied.really is False
    assert any("one was not really down" in text for text in done.unproven)


def test_what_cannot_be_undone_is_told_and_stops_the_next_drill(site: Site):
    one = site.vaults.regions["one"]
    site.allow(lose=("mv", str(one), str(one.with_name("gone"))), give_back=("false",))
    done = site.drill()
    assert (done.verdict, done.applied.undone) == ("not proven", False)
    assert any("not as before" in reason for reason in done.reasons)
    with pytest.raises(Refused, match="could not be undone"):
        site.drill()


def test_a_drill_of_the_same_target_is_refused_while_one_is_at_it(site: Site):
    lose(site)
    refused: list[int] = []

    def another() -> None:
        site.standby.on_restore = lambda: None
        with pytest.raises(Busy) as busy:
            site.drill()
        refused.append(busy.value.exit_code)

    site.standby.on_restore = another
    assert site.drill().verdict == "proven"
    assert refused == [7]


def test_what_another_hand_did_is_not_done_again(site: Site):
    one = lose(site)
    moved = one.rename(one.with_name("lost by another hand"))
    at = utc_now()
    done = site.drill(at=at)
    moved.rename(one)
    assert (done.verdict, done.disaster_at, done.applied.really, done.applied.undone) == ("proven", at, True, None)


def answers_without(region: str, site: Site) -> dict[str, Answer]:
    return {**site.vaults.runtime._wiring.answers(("one", "two")), region: StoreUnavailable("silent")}


def test_nothing_that_answers_is_not_proven_and_no_rpo(site: Site):
    site.change(answers=lambda: answers_without("two", site))
    done = site.drill()
    assert (done.verdict, done.rpo_s, done.rto_s) == ("not proven", None, None)


@pytest.mark.parametrize(
    ("scenario", "lost", "at", "words"),
    [
        ("meteor", "one", None, "no drill scenario is called 'meteor'"),
        ("region-lost", "three", None, "has no copy in 'three'"),
        ("region-lost", "one", datetime(2999, 1, 1, tzinfo=UTC), "in the future"),
        ("key-lost", "one", datetime(2026, 1, 1, tzinfo=UTC), "nothing that another hand does"),
    ],
)
def test_what_cannot_be_drilled_is_refused(site: Site, scenario, lost, at, words: str):
    with pytest.raises(UsageError, match=words):
        site.drill(scenario, lost=lost, at=at)
    assert site.standby.asked == []

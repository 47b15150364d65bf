"""What bounded a recovery is named, with what it waits for."""

from dr_lib.model.drill import Phase
from dr_lib.policy.critical_path import critical_path


def test_the_longest_phases_until_half_of_the_time_is_told():
    phases = [Phase("detect", 1.0), Phase("fetch", 4.0), Phase("decode", 3.0), Phase("load", 2.0)]
    told = critical_path(phases)
    assert [text.partition(",")[0] for text in told] == ["fetch", "decode"]
    assert told[0] == "fetch, 40%: the link to the surviving region"


def test_a_phase_that_came_twice_counts_as_one():
    assert critical_path([Phase("acquire", 2.0), Phase("fetch", 3.0), Phase("acquire", 2.0)])[0].startswith(
        "acquire, 57%"
    )


def test_no_time_at_all_has_no_path():
    assert critical_path([]) == ()
    assert critical_path([Phase("detect", 0.0)]) == ()
    assert critical_path([Phase("detect", float("nan"))]) == ()

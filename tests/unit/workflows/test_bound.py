"""What holds a restore up: the link while a slot for decoding is free, this machine when none is."""

from dr_lib.workflows.restore.flow import Bound


class Time:
    """A clock that is turned by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_overlapping_work_is_counted_once_and_for_what_held_it_up():
    time = Time()
    bound = Bound(1, time)
    with bound.fetching():
        time.now = 2.0  # the link alone
        with bound.decoding():
            time.now = 5.0  # the one slot is taken
        time.now = 6.0
    time.now = 9.0  # neither
    with bound.decoding():
        time.now = 10.0
    assert (bound.fetch_s, bound.decode_s) == (3.0, 4.0)


def test_with_a_free_slot_the_link_is_what_is_waited_for():
    time = Time()
    bound = Bound(2, time)
    with bound.fetching(), bound.decoding():
        time.now = 4.0
        with bound.decoding():
            time.now = 5.0
    assert (bound.fetch_s, bound.decode_s) == (4.0, 1.0)

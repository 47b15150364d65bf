"""A read that stalls is asked for again, the first answer wins, and nothing is waited for without end."""

import subprocess
import sys
import threading

import pytest

from dr_lib.errors import NotFound, StoreUnavailable
from dr_lib.policy.patience import Patience
from dr_lib.storage.hedged import SPARES, HedgedStore
from dr_lib.storage.memory import MemoryStore

AT_ONCE = Patience(floor=0.0, unknown=0.0, least=60.0)
SOON_LOST = Patience(floor=0.0, unknown=0.0, least=0.05)

HANGING = """
import threading
from dr_lib.errors import StoreUnavailable
from dr_lib.policy.patience import Patience
from dr_lib.storage.hedged import HedgedStore
from dr_lib.storage.memory import MemoryStore

class Hanging(MemoryStore):
    def get(self, key):
        threading.Event().wait()

try:
    HedgedStore(Hanging(), Patience(unknown=0.0, least=0.01, slowest=1e12)).get("key")
except StoreUnavailable:
    print("unavailable")
"""


class Stalling(MemoryStore):
    """Requests wait for the event of their turn, if it has one."""

    def __init__(self, *turns: threading.Event | Exception | None) -> None:
        super().__init__()
        self.create("key", b"0123456789")
        self._turns = list(turns)
        self.asked = 0
        self.second = threading.Event()

    def get_range(self, key: str, start: int, length: int) -> bytes:
        turn = self._turns[self.asked] if self.asked < len(self._turns) else None
        self.asked += 1
        if self.asked == 2:
            self.second.set()
        if isinstance(turn, Exception):
            raise turn
        if turn is not None:
            turn.wait()
        return super().get_range(key, start, length)


@pytest.fixture
def stall():
    event = threading.Event()
    yield event
    event.set()


def test_the_second_request_answers_for_one_that_stalls(stall):
    store = Stalling(stall)
    assert HedgedStore(store, AT_ONCE).get_range("key", 2, 3) == b"234"
    assert store.asked == 2


def test_the_first_request_may_still_win(stall):
    first = threading.Event()
    store = Stalling(first, stall)
    threading.Thread(target=lambda: (store.second.wait(), first.set())).start()
    assert HedgedStore(store, AT_ONCE).get_range("key", 2, 3) == b"234"


def test_an_error_of_one_request_waits_for_the_other(stall):
    first = threading.Event()
    store = Stalling(first, StoreUnavailable("cut off"))
    threading.Thread(target=lambda: (store.second.wait(), first.set())).start()
    assert HedgedStore(store, AT_ONCE).get_range("key", 2, 3) == b"234"


def test_what_hangs_always_is_unavailable(stall):
    store = Stalling(stall, stall)
    with pytest.raises(StoreUnavailable, match="no answer"):
        HedgedStore(store, SOON_LOST).get_range("key", 0, 1)
    assert store.asked == 2


def test_where_everything_is_slow_not_everything_is_asked_for_twice(stall):
    store = Stalling(stall)
    hedged = HedgedStore(store, SOON_LOST)
    for _ in range(SPARES):
        hedged._spares.acquire()
    with pytest.raises(StoreUnavailable):
        hedged.get_range("key", 0, 1)
    assert store.asked == 1


def test_an_answer_is_an_answer_and_asked_for_once():
    store = Stalling()
    hedged = HedgedStore(store)
    with pytest.raises(NotFound):
        hedged.get_range("nothing", 0, 1)
    assert store.asked == 1


def test_a_request_that_hangs_does_not_keep_the_process_alive():
    done = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "unavailable\n")

"""Plans and choices against the plainest model of what they promise."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_lib.errors import DrError, IntegrityError, NotFound, PermissionDenied, Refused, StoreUnavailable
from dr_lib.model.copy import Copy, CopyState, KnownPoint, Verification
from dr_lib.model.hold import Quarantine
from dr_lib.model.manifest import FrameRef
from dr_lib.policy.choice import choose
from dr_lib.policy.copy_state import derive
from dr_lib.policy.failover import decisive, decisive_of_pack
from dr_lib.policy.restore_plan import MAX_GAP, MAX_RANGE, part_of_file, plan_fetches, whole_file
from dr_lib.policy.rpo import newest_verified, rpo_seconds
from dr_lib.policy.shard_plan import LEAST_LOCAL, ROUNDS, local_shard_bytes, plan_shards
from tests.properties.manifests import file_entry

quick = settings(max_examples=150, deadline=None)
START = datetime(2026, 1, 1, tzinfo=UTC)
REGIONS = ("a", "b", "c")


@quick
@given(st.lists(st.integers(0, 300), max_size=12), st.integers(1, 120), st.integers(1, 50))
def test_shards_cover_every_byte_once_in_order_within_their_size(sizes, shard_bytes, step):
    shards = plan_shards(sizes, shard_bytes, lambda number: range(step, sizes[number], step))
    pieces = [piece for shard in shards for piece in shard]
    for number, size in enumerate(sizes):
        mine = [p for p in pieces if p.file == number]
        assert [mine[0].start, mine[-1].end] == [0, size]
        assert all(left.end == right.start for left, right in pairwise(mine))
        assert all(p.start % step == 0 for p in mine)
    assert [p.file for p in pieces] == sorted(p.file for p in pieces)
    assert all(sum(p.end - p.start for p in s) <= shard_bytes or len(s) == 1 for s in shards)
    assert all(p.end - p.start <= max(shard_bytes, step) for p in pieces)
    assert all(shards) or (not sizes and shards == ((),))


@st.composite
def restored_files(draw):
    """Files over packs whose frames lie apart by gaps below, at and above what a fetch bridges."""
    frames = []
    for number in range(draw(st.integers(1, 2))):
        offset = 8
        for _ in range(draw(st.integers(1, 6))):
            length = draw(st.sampled_from([1, 1000, MAX_RANGE // 2, MAX_RANGE]))
            frames.append(FrameRef(number, offset, length, draw(st.integers(1, 99)), 0, 0, bytes([len(frames)]) * 32))
            offset += length + draw(st.sampled_from([0, 5, MAX_GAP, MAX_GAP + 1]))
    chosen = st.lists(st.sampled_from(frames), max_size=5)
    return [file_entry(str(n), tuple(found)) for n, found in enumerate(draw(st.lists(chosen, max_size=4)))]


@quick
@given(restored_files())
def test_fetches_bring_every_frame_once_to_every_place(files):
    fetches = plan_fetches([whole_file(file) for file in files])
    uses = [(fetch, use) for fetch in fetches for use in fetch.frames]
    assert len({(u.frame.pack, u.frame.offset) for _, u in uses}) == len(uses)
    for fetch, use in uses:
        assert fetch.pack == use.frame.pack
        assert fetch.start <= use.frame.offset
        assert use.frame.offset + use.frame.length <= fetch.start + fetch.length <= fetch.start + MAX_RANGE
    wanted = []
    for number, file in enumerate(files):
        at = 0
        for frame in file.frames:
            wanted.append((frame, number, at, 0, frame.raw))
            at += frame.raw
    written = [(use.frame, w.output, w.offset, w.start, w.end) for _, use in uses for w in use.writes]
    assert sum(fetch.wanted for fetch in fetches) == sum(file.size for file in files)
    assert sorted(written, key=repr) == sorted(wanted, key=repr)
    for left, right in pairwise(fetches):
        gap = right.start - left.start - left.length
        together = right.frames[0].frame.offset + right.frames[0].frame.length - left.start
        assert left.pack != right.pack or gap > MAX_GAP or together > MAX_RANGE, "neighbours are fetched together"


@quick
@given(restored_files(), st.data())
def test_part_of_a_file_is_that_part_and_no_frame_more(files, data):
    for file in files:
        offset = data.draw(st.integers(0, file.size))
        length = data.draw(st.integers(0, file.size - offset))
        content = [(frame, at) for frame in file.frames for at in range(frame.raw)]
        pieces = part_of_file(file, offset, length)
        assert [(p.frame, at) for p in pieces for at in range(p.start, p.end)] == content[offset : offset + length]
        assert all(piece.start < piece.end for piece in pieces)


@st.composite
def known_points(draw):
    """Points with distinct times, newest first, in every mix of states."""
    ages = draw(st.lists(st.integers(0, 50), unique=True, max_size=5))
    states = st.sampled_from(list(CopyState))
    return [
        KnownPoint(
            "x",
            f"{age:03d}",
            START + timedelta(hours=age),
            1,
            1,
            1,
            tuple(Copy(r, draw(states)) for r in REGIONS),
            draw(st.sampled_from([None, None, Quarantine("x", f"{age:03d}", None, START)])),
        )
        for age in sorted(ages, reverse=True)
    ]


def naive_choice(points, wanted, at):
    good = {CopyState.VERIFIED} if wanted == "latest-verified" else {CopyState.VERIFIED, CopyState.COMPLETE}
    for point in points:
        if point.quarantine is not None and wanted != point.point:
            continue
        if wanted in ("latest", "latest-verified", point.point) and (at is None or point.created_at <= at):
            regions = [c.region for c in point.copies if c.state in good]
            if regions:
                return point, sorted(regions, key=lambda r: (point.copy_in(r).state is not CopyState.VERIFIED, r))
    return None


@quick
@given(
    known_points(),
    st.sampled_from(["latest", "latest-verified", "007", "020"]),
    st.none() | st.integers(0, 50).map(lambda hours: START + timedelta(hours=hours)),
    st.sampled_from([(), ("c",)]),
)
def test_the_choice_is_the_newest_restorable_point_and_unknown_is_never_absent(points, wanted, at, silent):
    expected = naive_choice(points, wanted, at)
    if expected is not None:
        found = choose("x", points, wanted, at=at, silent=silent)
        assert (found.point, list(found.regions)) == expected
        return
    with pytest.raises((NotFound, StoreUnavailable, IntegrityError, Refused)) as raised:
        choose("x", points, wanted, at=at, silent=silent)
    candidates = [
        p for p in points if wanted in ("latest", "latest-verified", p.point) and (at is None or p.created_at <= at)
    ]
    states = {c.state for p in candidates for c in p.copies}
    mute = silent or CopyState.UNKNOWN in states
    distrusted = any(p.quarantine and {CopyState.VERIFIED, CopyState.COMPLETE} & _states(p) for p in candidates)
    damaged = IntegrityError if CopyState.DAMAGED in states else NotFound
    assert raised.type is (StoreUnavailable if mute else Refused if distrusted and wanted[0] == "l" else damaged)


def _states(point):
    return {copy.state for copy in point.copies}


def verification(word: str, hour: int) -> Verification | None:
    if word == "unreadable":
        return None
    mode, findings = ("structure", ("bad",)) if word == "damage" else (word, ())
    return Verification("a", "x", "p", "00", mode, START + timedelta(hours=hour), 0.0, 0, findings)


@quick
@given(
    st.lists(st.sampled_from(["structure", "full", "damage", "unreadable"]), max_size=8), st.booleans(), st.booleans()
)
def test_the_newest_word_on_a_copy_counts(words, committed, planned):
    copy = derive("a", [verification(w, n) for n, w in enumerate(words)], committed=committed, planned=planned)
    if not committed:
        assert copy.state is (CopyState.PENDING if planned else CopyState.MISSING)
        return
    decisive_words = [w for w in words if w in ("full", "damage")]
    last = decisive_words[-1] if decisive_words else ""
    doubted = "unreadable" in words[len(words) - words[::-1].index(last) :] if last else True
    verified = CopyState.COMPLETE if doubted else CopyState.VERIFIED
    assert copy.state is {"damage": CopyState.DAMAGED, "full": verified, "": CopyState.COMPLETE}[last]
    assert (copy.verified_at is not None) is (copy.state is CopyState.VERIFIED)


@quick
@given(known_points(), st.integers(0, 50), st.sets(st.sampled_from(REGIONS)))
def test_the_rpo_counts_from_the_newest_verified_survivor(points, hour, survivors):
    at = START + timedelta(hours=hour)
    ages = [
        (at - p.created_at).total_seconds()
        for p in points
        if p.created_at <= at
        and p.quarantine is None
        and any(p.copy_in(r).state is CopyState.VERIFIED for r in survivors)
    ]
    assert rpo_seconds(newest_verified(points, survivors, at), at) == min(ages, default=None)


ERRORS = (StoreUnavailable, PermissionDenied, IntegrityError, NotFound)


@quick
@given(st.lists(st.sampled_from(ERRORS).map(lambda kind: kind("what")), min_size=1, max_size=4))
def test_what_a_silent_region_may_hold_is_not_called_damaged_or_absent(errors: list[DrError]):
    assert type(decisive(errors)) is min((type(e) for e in errors), key=ERRORS.index)
    assert not isinstance(decisive_of_pack(errors), NotFound)


@given(st.integers(0, 1 << 50), st.integers(1, 64), st.integers(1, 1 << 40))
def test_local_shards_keep_all_workers_busy_and_never_exceed_the_limit(total, workers, most):
    length = local_shard_bytes(total, workers=workers, most=most)
    assert 0 < length <= most
    assert length in (most, LEAST_LOCAL) or total // length >= workers * ROUNDS

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_lib.errors import Refused
from dr_lib.storage.base import ObjectInfo
from dr_lib.storage.keys import check_key, encoded, in_key_order

PARTS = st.text(alphabet="ab-./0é", min_size=1, max_size=4).filter(lambda part: "/" not in part)
KEYS = st.lists(st.lists(PARTS, min_size=1, max_size=4).map("/".join), unique=True, max_size=40)
PREFIXES = st.sampled_from(["", "a", "a/", "a/b", "b-"])


def info(key: str) -> ObjectInfo:
    return ObjectInfo(key, 0, datetime(2026, 1, 1, tzinfo=UTC), "tag")


def by_component(key: str) -> list[bytes]:
    return [encoded(part) for part in key.split("/")]


@given(KEYS, PREFIXES)
def test_a_listing_by_path_component_comes_out_in_byte_order(keys: list[str], prefix: str) -> None:
    found = [key for key in keys if key.startswith(prefix)]
    walked = [info(key) for key in sorted(found, key=by_component)]
    assert [i.key for i in in_key_order(walked, prefix)] == sorted(found, key=encoded)


@given(KEYS, PREFIXES)
def test_a_listing_in_byte_order_stays_so(keys: list[str], prefix: str) -> None:
    found = sorted((key for key in keys if key.startswith(prefix)), key=encoded)
    assert [i.key for i in in_key_order(map(info, found), prefix)] == found


def test_a_flat_listing_is_passed_on_at_once() -> None:
    asked: list[str] = []

    def listing() -> object:
        for key in ("packs/aa/1", "packs/ab/1", "packs/ac/1"):
            asked.append(key)
            yield info(key)

    first = next(in_key_order(listing(), "packs/aa/"))
    assert (first.key, asked) == ("packs/aa/1", ["packs/aa/1"])


def test_no_more_than_one_directory_is_held_back() -> None:
    asked: list[str] = []

    def listing() -> object:
        for key in ("packs/aa/1", "packs/aa/2", "packs/ab/1", "packs/ac/1"):
            asked.append(key)
            yield info(key)

    first = next(in_key_order(listing(), "packs/"))
    assert (first.key, asked[-1]) == ("packs/aa/1", "packs/ab/1")


@pytest.mark.parametrize("key", ["a", "a/b", "-a", "a b", "…", "a/.hidden/c", "a..b"])
def test_plain_relative_paths_are_keys(key: str) -> None:
    assert check_key(key, "region x") == key


@pytest.mark.parametrize("key", ["", "/", "/etc/passwd", "a/../../etc", "a//b", "a/./b", "a\x00", "a\x7f", "é" * 451])
def test_everything_else_is_refused_with_the_store_named(key: str) -> None:
    with pytest.raises(Refused, match="region x"):
        check_key(key, "region x")

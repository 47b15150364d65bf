"""Single values: every form that is promised is read, and nothing near it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_lib.config import values


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("30s", timedelta(seconds=30)),
        ("1.5h", timedelta(minutes=90)),
        ("15m", timedelta(minutes=15)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_durations(text, length):
    assert values.duration(text) == length


@pytest.mark.parametrize("wrong", ["", "1", "h", "1 h", "1H", "-1h", "1h30m", "inf", "1e3s", "٣h\n", None, 3, [], "0s"])
def test_what_is_no_duration(wrong):
    with pytest.raises(ValueError, match="no length of time"):
        values.duration(wrong)


@pytest.mark.parametrize(
    ("text", "count"),
    [("1KiB", 1024), ("512MiB", 512 << 20), ("1.5 GiB", 3 << 29), ("2TiB", 2 << 40), ("1KB", 1000), ("3GB", 3 * 10**9)],
)
def test_sizes(text, count):
    assert values.size(text) == count


@pytest.mark.parametrize("wrong", ["", "512", "MiB", "512mib", "-1MiB", "0MiB", "512MiBs", None, 512])
def test_what_is_no_size(wrong):
    with pytest.raises(ValueError, match="no size"):
        values.size(wrong)


@pytest.mark.parametrize("line", ["0 2 * * *", "*/5 0-6 1,15 * MON-FRI", "0 0 29 2 *"])
def test_a_cron_line_is_kept_as_written(line):
    assert values.schedule(line) == line


def test_the_usual_names_of_schedules_are_spelled_out():
    assert values.schedule("@weekly") == "0 0 * * 0"
    assert values.schedule(None) is None


@pytest.mark.parametrize("wrong", ["", "@once", "@continuous", "0 2 * *", "0 2 * * * *", "60 * * * *", "a b c d e", 5])
def test_what_is_no_schedule(wrong):
    with pytest.raises(ValueError, match="no cron line"):
        values.schedule(wrong)


@pytest.mark.parametrize(
    "reference", ["env:DR_US_EAST", "profile:backup-2", "airflow:aws_default", "profile:me@team.x"]
)
def test_references_to_credentials(reference):
    assert values.credentials(reference) == reference


@pytest.mark.parametrize(
    "wrong", ["env:", "env:1X", "env:A-B", "vault:x", "profile:", "profile:a b", "", 5, {"key": "x"}]
)
def test_what_is_no_reference_to_credentials(wrong):
    with pytest.raises(ValueError, match="no reference to credentials"):
        values.credentials(wrong)


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=16))
def test_no_access_key_passes_or_is_repeated(tail):
    with pytest.raises(ValueError, match="looks like a secret") as caught:
        values.credentials(f"env:AKIA{tail}")
    assert tail not in str(caught.value)


@pytest.mark.parametrize("name", ["a", "0", "us-east-1", "a" * 63])
def test_names(name):
    assert values.name(name) == name


@pytest.mark.parametrize("wrong", ["", "-a", "A", "a_b", "a b", "a\n", "ä", "a/b", "..", "a" * 64, 7])
def test_what_is_no_name(wrong):
    with pytest.raises(ValueError, match="no name"):
        values.name(wrong)

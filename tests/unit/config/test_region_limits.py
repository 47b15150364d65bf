"""`limits:` of a region: rates, hours, a time zone, and every mistake in them."""

import json
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dr_lib.config import ConfigError, load_config
from dr_lib.config.spell import spelled
from dr_lib.model.rates import Hours, RateLimits, Rates
from dr_lib.policy.throttling import rates_at

WHOLE = """
regions:
  us-east:
    url: s3://bucket
    limits:
      upload: 50MB/s
      download: 512KiB/s
      timezone: Europe/Berlin
      hours:
        - {from: "08:00", to: "18:00", upload: 5MB/s}
        - {from: "22:30", to: "06:00", download: 1.5GB/s}
encryption: none
"""
WRONG = """
regions:
  a:
    url: s3://bucket
    limits:
      upload: 50MB
      downlod: 1MB/s
      timezone: Mars/Olympus
      hours:
        - {from: 18:00, to: "24:00", upload: 0MB/s}
        - {form: "08:00", to: "09:00", upload: 5MB/s}
        - {from: "08:00", to: "09:00"}
        - {from: "08:00", to: "08:00", upload: 5MB/s}
encryption: none
"""


def load(folder: Path, text: str):
    (folder / "dr.yaml").write_text(text)
    return load_config(folder / "dr.yaml")


def test_limits_are_what_the_file_says(tmp_path):
    assert load(tmp_path, WHOLE).region("us-east").limits == RateLimits(
        Rates(50_000_000, 512 * 1024),
        (
            Hours(time(8), time(18), Rates(upload=5_000_000)),
            Hours(time(22, 30), time(6), Rates(download=1_500_000_000)),
        ),
        ZoneInfo("Europe/Berlin"),
    )


def test_without_a_time_zone_hours_are_those_of_utc(tmp_path):
    text = WHOLE.replace("      timezone: Europe/Berlin\n", "")
    limits = load(tmp_path, text).region("us-east").limits
    assert rates_at(limits, datetime(2026, 7, 1, 8, tzinfo=UTC)).upload == 5_000_000
    assert rates_at(limits, datetime(2026, 7, 1, 7, 59, tzinfo=UTC)).upload == 50_000_000


def test_a_region_without_limits_has_none(tmp_path):
    assert load(tmp_path, "regions: {a: {url: s3://bucket}}\nencryption: none\n").region("a").limits is None


def test_every_mistake_is_named_with_its_line(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, WRONG)
    rate = "write a number and its unit: 512KiB/s, 20MB/s, 1GB/s"
    clock = 'write hours and minutes in quotes: "08:00"'
    zone = "write UTC or one like Europe/Berlin"
    at = "regions.a.limits"
    assert [str(problem) for problem in caught.value.problems] == [
        f"line 6: {at}.upload: '50MB' is no rate; {rate}",
        f"line 7: {at}.downlod: there is no such field; did you mean 'download'?",
        f"line 8: {at}.timezone: 'Mars/Olympus' is no time zone that is known here; {zone}",
        f"line 10: {at}.hours[0].from: 1080 is no time of day; {clock}",
        f"line 10: {at}.hours[0].to: '24:00' is no time of day; {clock}",
        f"line 10: {at}.hours[0].upload: '0MB/s' is no rate; {rate}",
        f"line 11: {at}.hours[1].form: there is no such field; did you mean 'from'?",
        f'line 11: {at}.hours[1].from: this field is required; add `from: "08:00"`',
        f"line 12: {at}.hours[2]: these hours limit nothing; add upload: or download:",
        f"line 13: {at}.hours[3]: these hours begin and end at once; for the whole day put the rate beside hours:",
    ]


def test_what_a_standby_is_told_is_read_as_the_same(tmp_path):
    limits = load(tmp_path, WHOLE).region("us-east").limits
    again = {"regions": {"a": {"url": "s3://bucket", "limits": spelled(limits)}}, "encryption": "none"}
    assert load(tmp_path, json.dumps(again)).region("a").limits == limits

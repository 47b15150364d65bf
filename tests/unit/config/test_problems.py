"""A wrong `dr.yaml` is refused whole, and every mistake in it is named at once with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dr_lib.config import ConfigError, load_config

FORMS = "write s3://bucket/prefix, file:///directory or rclone:remote:path"
LENGTHS = "write a number and its unit: 30s, 15m, 1h, 7d"
NAMES = "use 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit"
SAME_PLACE = "this is the same place as region 'a', and would be lost with it; give each region a store of its own"
FIVE = """\
regions:
  us-east: {url: s3://dr-us-east}
  eu-west: {url: gs://dr-eu-west}
encryption: none
assets:
  minilm:
    kind: model
    source: file:///models/minilm
    regions: [us-east, eu-wst]
    objectives: {rpo: 1 hour}
    shedule: "0 * * * *"
  Reviews:
    kind: dataset
    source: s3://lake/reviews
    regions: [us-east]
"""
REGIONS = "regions: {a: {url: s3://bucket-a}, b: {url: s3://bucket-b}, d: {url: file:///d}}\nencryption: none\n"


def problems(folder: Path, text: str | bytes) -> list[str]:
    path = folder / "dr.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return [str(problem) for problem in caught.value.problems]


def asset(fields: str) -> str:
    return f"{REGIONS}assets:\n  m: {{kind: model, source: /m, regions: [a], {fields}}}\n"


def region(fields: str) -> str:
    return f"regions:\n  a: {{{fields}}}\nencryption: none\n"


def test_five_mistakes_show_five_lines(tmp_path):
    assert problems(tmp_path, FIVE) == [
        f"line 3: regions.eu-west.url: 'gs://dr-eu-west' has no scheme that is known; {FORMS}",
        "line 9: assets.minilm.regions[1]: there is no region 'eu-wst'; did you mean 'eu-west'?",
        f"line 10: assets.minilm.objectives.rpo: '1 hour' is no length of time; {LENGTHS}",
        "line 11: assets.minilm.shedule: there is no such field; did you mean 'schedule'?",
        f"line 12: assets.Reviews: 'Reviews' is no name; {NAMES}",
    ]


def test_the_error_is_a_usage_error_that_prints_the_file_and_every_line(tmp_path):
    (tmp_path / "dr.yaml").write_text(FIVE)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "dr.yaml")
    lines = str(caught.value).splitlines()
    assert caught.value.exit_code == 2
    assert lines[0] == f"the configuration has 5 problems [{tmp_path / 'dr.yaml'}]"
    assert [line[:18] for line in lines[1:3]] == ["  dr.yaml line 3: ", "  dr.yaml line 9: "]
    assert len(lines) == 6


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("schedule: '0 2 * *'", "assets.m.schedule: '0 2 * *' is no cron line"),
        ("schedule: '99 2 * * *'", "assets.m.schedule: '99 2 * * *' is no cron line"),
        ("schedule: '* * * * * *'", "assets.m.schedule: '* * * * * *' is no cron line"),
        ("verify: {heal: sometimes}", "assets.m.verify.heal: 'sometimes' is no switch; write true or false"),
        ("verify: {within: soon}", "assets.m.verify.within: 'soon' is no length of time"),
        ("verify: {schedule: nightly}", "assets.m.verify.schedule: 'nightly' is no cron line"),
        ("objectives: {rto: 15}", "assets.m.objectives.rto: 15 is no length of time"),
        ("objectives: {rto: 0m}", "assets.m.objectives.rto: '0m' is no length of time"),
        ("objectives: {rto: 99999999999999d}", "assets.m.objectives.rto: '99999999999999d' is no length of time"),
        ("objectives: null", "assets.m.objectives: this must hold fields"),
        ("gates: {norm_jump: 1}", "assets.m.gates.norm_jump: 1 is not allowed; write a number above 1"),
        ("gates: {growth: fast}", "assets.m.gates.growth: 'fast' is not allowed; write a number above 1"),
        ("gates: {growth: yes}", "assets.m.gates.growth: True is not allowed"),
        ("gates: {shrink: 0}", "assets.m.gates.shrink: 0 is no share; write a number above 0, up to 1"),
        ("gates: {nulls: 1.1}", "assets.m.gates.nulls: 1.1 is no share"),
        ("gates: {new_bytes: .nan}", "assets.m.gates.new_bytes: nan is no share"),
        ("gates: {structure: 1}", "assets.m.gates.structure: 1 is no switch; write true or false"),
        ("gates: {norm_jumps: 3}", "assets.m.gates.norm_jumps: there is no such field; did you mean 'norm_jump'?"),
        ("gates: null", "assets.m.gates: this must hold thresholds; write `gates: {norm_jump: 10}`, or `gates: none`"),
        ("gates: off", "assets.m.gates: this must hold thresholds"),
        ("retention: {hourly: -1}", "assets.m.retention.hourly: -1 is not allowed"),
        ("retention: {keep_within: soon}", "assets.m.retention.keep_within: 'soon' is no length of time"),
        ("retention: {max_age: 0d}", "assets.m.retention.max_age: '0d' is no length of time"),
        ("retention: {hourly: yes}", "assets.m.retention.hourly: True is not allowed"),
        (
            "smoke: {golden: g.jsonl}",
            "assets.m.smoke: a model's smoke test needs a loader; add `loader: sente",
        ),
        (
            "smoke: {loader: sentence-transformers, device: tpu}",
            "assets.m.smoke.device: 'tpu' is not known; write auto",
        ),
        ("smoke: {loader: torch}", "assets.m.smoke.loader: 'torch' is not known; write sentence-transformers"),
        ("smoke: {loader: sentence-transformers, tolerance: {cosine: 1.5}}", "assets.m.smoke.tolerance.cosine: 1.5 is"),
        ("smoke: {loader: sentence-transformers, tolerance: {max_abs: .nan}}", "assets.m.smoke.tolerance.max_abs: nan"),
        ("drill: {scenario: meteor}", "assets.m.drill.scenario: 'meteor' is not known; write region-lost"),
        ("drill: {standby: 'GPU 1'}", "assets.m.drill.standby: 'GPU 1' is no name"),
        ("expectations: e.json", "assets.m.expectations: only a dataset has expectations; remove it, or kind: dataset"),
        ("retension: {}", "assets.m.retension: there is no such field; did you mean 'retention'?"),
    ],
)
def test_a_wrong_field_of_an_asset(tmp_path, fields, problem):
    found = problems(tmp_path, asset(fields))
    assert len(found) == 1
    assert found[0].startswith(f"line 4: {problem}")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            "kind: model, source: /m, regions: []",
            "assets.m.regions: the asset is in no region; name at least one of: a",
        ),
        ("kind: model, source: /m, regions: [a, a]", "assets.m.regions[1]: region 'a' stands here twice; remove one"),
        ("kind: model, source: /m, regions: [zz]", "assets.m.regions[0]: there is no region 'zz'; known here: a, b, d"),
        ("kind: model, source: /m, regions: [no]", "assets.m.regions[0]: this must be text; put it in quotes"),
        ("kind: model, source: /m, regions: a", "assets.m.regions: this must be a list"),
        ("kind: model, source: /m", "assets.m.regions: this field is required"),
        ("kind: modell, source: /m, regions: [a]", "assets.m.kind: 'modell' is not known; write model or dataset"),
        ("source: /m, regions: [a]", "assets.m.kind: this field is required; add `kind: model` or `kind: dataset`"),
        ("kind: model, regions: [a]", "assets.m.source: this field is required; add `source: file:///directory`"),
        ("kind: model, source: m, regions: [a]", "assets.m.source: 'm' has no scheme that is known"),
        ("kind: model, source: 7, regions: [a]", "assets.m.source: this must be text; put it in quotes"),
        ("kind: model, source: {}, regions: [a]", "assets.m.source.url: this field is required"),
        ("kind: model, source: file://mnt/m, regions: [a]", "assets.m.source: 'file://mnt/m' names a host"),
        (
            "kind: dataset, source: /m, regions: [a], smoke: {loader: sentence-transformers}",
            "assets.m.smoke.loader: only a model has loader; remove it",
        ),
        (
            "kind: model, source: /m, regions: [a], smoke: {loader: transformers, reader: torch}",
            "assets.m.smoke.reader: only a dataset has reader; remove it",
        ),
        (
            "kind: dataset, source: /m, regions: [a], smoke: {reader: spark}",
            "assets.m.smoke.reader: 'spark' is not known; write pandas, torch, or module:function",
        ),
        ("kind: model, source: {url: /m, endpoint: 'http://x'}, regions: [a]", "assets.m.source.endpoint: only s3://"),
    ],
)
def test_a_wrong_asset(tmp_path, fields, problem):
    found = problems(tmp_path, f"{REGIONS}assets:\n  m: {{{fields}}}\n")
    assert len(found) == 1
    assert found[0].startswith(f"line 4: {problem}")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("", "regions.a.url: this field is required; add `url: s3://bucket/prefix`"),
        ("url: s3://UPPER", "regions.a.url: 's3://UPPER' names no bucket"),
        ("url: s3://ab", "regions.a.url: 's3://ab' names no bucket"),
        ("url: 'http://host/x'", "regions.a.url: 'http://host/x' has no scheme that is known"),
        ("url: 'rclone:nowhere'", "regions.a.url: this names no rclone remote"),
        ("url: 'file://'", "regions.a.url: 'file://' names a host"),
        ("url: s3://bucket, endpoint: '127.0.0.1:8333'", "regions.a.endpoint: '127.0.0.1:8333' is no address"),
        ("url: s3://bucket, endpoint: 'http://h:99999'", "regions.a.endpoint: 'http://h:99999' is no address"),
        ("url: s3://bucket, endpoint: 'http://h/bucket'", "regions.a.endpoint: the endpoint has more than a host"),
        ("url: s3://bucket, credentials: mykey", "regions.a.credentials: this is no reference to credentials"),
        ("url: s3://bucket, lock: {mode: forever, days: 3}", "regions.a.lock.mode: 'forever' is not known"),
        ("url: s3://bucket, lock: {mode: compliance}", "regions.a.lock.days: this field is required; add `days: 30`"),
        ("url: s3://bucket, lock: {mode: compliance, days: 0}", "regions.a.lock.days: 0 is not allowed"),
        ("url: file:///v, lock: {mode: compliance, days: 3}", "regions.a.lock: only s3:// can lock objects; remove it"),
        ("url: s3://bucket, credentials: {writer: key}", "regions.a.credentials.writer: this is no reference to cred"),
        ("url: s3://bucket, credentials: {owner: env:X}", "regions.a.credentials.owner: there is no such field"),
        ("url: s3://bucket, credentials: {}", "regions.a.credentials: this names no role's credentials"),
        ("url: 'rclone:r:v', credentials: env:X", "regions.a.credentials: only s3:// takes credentials here"),
    ],
)
def test_a_wrong_region(tmp_path, fields, problem):
    found = problems(tmp_path, region(fields))
    assert len(found) == 1
    assert found[0].startswith(f"line 2: {problem}")


def test_two_regions_in_one_place_would_be_lost_together(tmp_path):
    text = "encryption: none\nregions:\n  a: {url: s3://bucket}\n  b: {url: s3://bucket/}\n"
    assert problems(tmp_path, text) == [f"line 4: regions.b.url: {SAME_PLACE}"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("regions: {a: {url: s3://bucket}}\n", "line 1: encryption: this field is required; add `encryption: {re"),
        (
            "regions: {a: {url: s3://bucket}}\nsigning: none\nencryption: {recipients: [age1x]}\n",
            "line 3: encryption.recipients: 'age1x' is no age recipient",
        ),
        ("regions: {a: {url: s3://bucket}}\nencryption: aes\n", "line 2: encryption: this is no way to encrypt"),
        ("regions: {a: {url: s3://bucket}}\nencryption:\n", "line 2: encryption: this is no way to encrypt"),
        ("regions: {}\nencryption: none\n", "line 1: regions: there is no region; name at least one"),
        ("regions: [a]\nencryption: none\n", "line 1: regions: this must hold fields"),
        ("encryption: none\n", "line 1: regions: this field is required"),
        (f"version: 2\n{REGIONS}", "line 1: version: version 2 cannot be read by this release; write version: 1"),
        (f"{REGIONS}limits: {{shard: 512}}\n", "line 3: limits.shard: 512 is no size"),
        (f"{REGIONS}limits: {{shard: 512 megabytes}}\n", "line 3: limits.shard: '512 megabytes' is no size"),
        (f"{REGIONS}limits: {{workers: 0}}\n", "line 3: limits.workers: 0 is not allowed"),
    ],
)
def test_a_wrong_field_on_top(tmp_path, text, problem):
    found = problems(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith(problem)


@pytest.mark.parametrize(
    ("fields", "secret"),
    [
        ("url: s3://bucket, credentials: AKIAIOSFODNN7EXAMPLE", "IOSFODNN"),
        ("url: s3://bucket, credentials: env:AKIAIOSFODNN7EXAMPLE", "IOSFODNN"),
        ("url: s3://bucket, credentials: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalr"),
        ("url: s3://bucket, credentials: profile:wJalrXUtnFEMI7K7MDENG7bPxRfiCYEXAMPLEKEY", "wJalr"),
        ("url: s3://bucket, credentials: {key: hunter2}", "hunter2"),
        ("url: s3://bucket, credentials: {writer: AKIAIOSFODNN7EXAMPLE}", "IOSFODNN"),
        ("url: s3://user:hunter2@bucket", "hunter2"),
        ("url: s3://bucket, endpoint: 'http://user:hunter2@host'", "hunter2"),
        ("url: 'sftp://user:hunter2@host/dir'", "hunter2"),
        ("url: 'rclone:r,pass=hunter2:dir'", "hunter2"),
        ("url: s3://bucket, secret_access_key: hunter2", "hunter2"),
        ("url: s3://bucket/x?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE", "IOSFODNN"),
    ],
)
def test_a_secret_is_refused_and_never_repeated(tmp_path, fields, secret):
    found = problems(tmp_path, region(fields))
    assert found != []
    assert all(secret not in problem for problem in found)

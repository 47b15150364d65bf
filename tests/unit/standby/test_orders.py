"""An order crosses a stream whole, or is refused; what may be reached is read from the survivors' configuration."""

from __future__ import annotations

import io
import json

import pytest

from dr_lib.standby.orders import Order, Reach


def test_an_order_crosses_a_stream_and_takes_no_more_of_it():
    order = Order(
        "dr_lib.cli", ("restore", "a b"), {"K": "v\n"}, {"dr.yaml": "é"}, b"\x00\xff", Reach(("/v",), (80,)), "/r", 7
    )
    stream = io.BytesIO(order.frame() + b"more")
    assert Order.read(stream) == order
    assert stream.read() == b"more"
    everything = Order("m", reach=Reach(ports=None))
    assert Order.read(io.BytesIO(everything.frame())) == everything


@pytest.mark.parametrize("cut", [0, 1, 5, -1])
def test_less_than_an_order_is_refused(cut):
    with pytest.raises(ValueError, match="order"):
        Order.read(io.BytesIO(Order("m").frame()[:cut]))


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ({"url": "file:///mnt/a%20b/dr"}, Reach(("/mnt/a b/dr",), ())),
        ({"url": "s3://b", "endpoint": "http://10.0.0.1:8333", "credentials": "env:X"}, Reach((), (8333,))),
        ({"url": "s3://b", "endpoint": "http://host", "credentials": "env:X"}, Reach((), (80,))),
        ({"url": "s3://b", "endpoint": "https://host", "credentials": "env:X"}, Reach((), (443,))),
        ({"url": "s3://b", "credentials": "env:X"}, Reach((), (443,))),
        ({"url": "s3://b", "endpoint": "http://host:9000"}, Reach((), (80, 443, 9000))),
        ({"url": "s3://b", "credentials": "profile:p"}, Reach((), (80, 443))),
        ({"url": "rclone:remote:x"}, Reach(("/",), None)),
    ],
)
def test_reach_is_that_of_the_region(region, expected):
    assert Reach.of(json.dumps({"regions": {"a": region}}), {}) == expected


def test_several_survivors_are_reached_together():
    regions = {"a": {"url": "file:///a"}, "b": {"url": "s3://b", "endpoint": "http://h:1"}, "c": {"url": "s3://c"}}
    assert Reach.of(json.dumps({"regions": regions}), {}) == Reach(("/a",), (1, 80, 443))


def test_files_that_hold_aws_credentials_are_reached_where_they_are_named():
    region = {"url": "s3://b", "credentials": "profile:p"}
    environ = {"AWS_CONFIG_FILE": "/etc/aws/config", "AWS_PROFILE": "p"}
    assert Reach.of(json.dumps({"regions": {"a": region}}), environ).paths == ("/etc/aws/config",)


@pytest.mark.parametrize("text", ["", "[]", "version: [", '{"regions": 3}', '{"regions": {"a": 1}}'])
def test_a_text_that_is_no_kit_opens_nothing(text):
    assert Reach.of(text, {}) == Reach()

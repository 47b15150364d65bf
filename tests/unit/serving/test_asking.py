"""Asking a server whether it serves: right, wrong, nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_lib.errors import IntegrityError, NotFound, UsageError
from dr_lib.model.serving import HealthPolicy
from dr_lib.policy.health import Said
from dr_lib.serving.asking import Asker, Question, answers_of, difference, read_questions
from tests.toy_server import MODEL, ToyServer


def policy(answers: Path | None = None, contains: str = "") -> HealthPolicy:
    short = timedelta(seconds=0.3)
    return HealthPolicy("/healthz", short, short, 5, 3, 3, contains, answers, 0.001)


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[ToyServer]:
    (tmp_path / MODEL).write_bytes(b"weights")
    with ToyServer(tmp_path) as server:
        yield server


@pytest.fixture
def questions(tmp_path: Path, toy: ToyServer) -> Path:
    path = tmp_path / "answers.jsonl"
    line = {"path": "/ask", "request": {"text": "x"}, "answer": {"digest": toy.digest, "norm": 1.0005}}
    path.write_text(json.dumps(line) + "\n\n")
    return path


def said(toy: ToyServer, health: HealthPolicy) -> tuple[Said, str]:
    with Asker(health) as asker:
        heard = asker.ask(toy.url)
    return heard.said, heard.why


def test_a_server_that_answers_rightly(toy: ToyServer, questions: Path):
    assert said(toy, policy(questions, contains="ok")) == (Said.RIGHT, "")
    assert toy.asked == 1


@pytest.mark.parametrize(
    ("mood", "heard", "why"),
    [
        ("503", Said.NOTHING, "it answers 503"),
        ("hangs", Said.NOTHING, "no answer: ReadTimeout"),
        ("drips", Said.NOTHING, "no answer: ReadTimeout"),
        ("wrong", Said.WRONG, "question 1: answer.digest is not what it should be"),
        ("garbage", Said.WRONG, "its answer does not hold 'ok'"),
        ("endless", Said.WRONG, "its answer does not hold 'ok'"),
    ],
)
def test_what_is_heard_of_one_that_does_not(toy: ToyServer, questions: Path, mood: str, heard: Said, why: str):
    toy.mood = mood
    assert said(toy, policy(questions, contains="ok")) == (heard, why)


def test_an_answer_to_a_question_that_is_no_json(toy: ToyServer, questions: Path):
    toy.mood = "garbage"
    assert said(toy, policy(questions)) == (Said.WRONG, "its answer 200 to question 1 is no JSON")


def test_nobody_there(questions: Path):
    with ToyServer() as gone:
        pass
    assert said(gone, policy(questions)) == (Said.NOTHING, "no answer: ConnectError")


def test_a_server_without_a_model(tmp_path: Path):
    with ToyServer(tmp_path / "absent") as empty:
        assert said(empty, policy()) == (Said.NOTHING, "it answers 503")


def test_a_proxy_of_the_environment_answers_for_nobody(
    toy: ToyServer, questions: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert said(toy, policy(questions)) == (Said.RIGHT, "")


def test_answers_are_recorded_to_be_compared_with(toy: ToyServer):
    asked = [Question("/ask", {"text": "x"}, None)]
    (found,) = answers_of(policy(), toy.url, asked)
    assert found.answer == {"digest": toy.digest, "norm": 1.0}
    toy.mood = "503"
    with pytest.raises(NotFound, match="it answers 503"):
        answers_of(policy(), toy.url, asked)


@pytest.mark.parametrize(
    ("text", "error", "what"),
    [
        (None, NotFound, "is not there"),
        ("\n", UsageError, "holds no question"),
        ("{}\n", IntegrityError, "no question"),
        ('{"path": "ask", "request": 1}\n', IntegrityError, "no question"),
        ("[" * 100_000, IntegrityError, "no question"),
        ("\ud800", IntegrityError, "cannot be read"),
    ],
)
def test_a_file_of_questions_that_is_none(tmp_path: Path, text: str | None, error: type[Exception], what: str):
    path = tmp_path / "questions.jsonl"
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(error, match=what):
        read_questions(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=3), parts, max_size=4),
    max_leaves=12,
)


@given(JSON, JSON)
def test_only_the_same_answer_is_right(one: object, other: object):
    assert difference(one, one, 0.0) == ""
    if not isinstance(one, dict) and not isinstance(other, dict) and "{" not in repr((one, other)):
        assert (difference(one, other, 0.0) == "") == (one == other and repr(one) == repr(other))


@pytest.mark.parametrize(
    ("right", "found", "same"),
    [
        (1.0, 1.0009, True), (1.0, 1.002, False), (0.0, 0.0009, True), (1, True, False), (True, 1, False),
        ([1.0, 2.0], [1.0], False), ({"a": 1}, {"a": 1, "id": "x"}, True), ({"a": 1}, {"id": "x"}, False),
        (1.0, "1.0", False), (None, None, True), (1.0, float("nan"), False), ([{"a": 1.0}], [{"a": 3}], False),
    ],
)  # fmt: skip
def test_numbers_may_differ_a_little_and_nothing_else(right: object, found: object, same: object):
    assert (difference(right, found, 0.001) == "") == same

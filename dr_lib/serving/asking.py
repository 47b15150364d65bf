"""Asking a site whether it serves: one request, and what came of it. What a server answers is not to be trusted."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import httpx

from dr_lib.clock import monotonic
from dr_lib.errors import IntegrityError, NotFound, UsageError
from dr_lib.model.serving import HealthPolicy
from dr_lib.policy.health import Said

LARGEST: Final = 16 << 20
_CANNOT: Final = range(500, 600)
_PATIENCE: Final = 5
"""How many time-outs a whole answer may take: each is for a part of it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of asking a site once, and why it was not right."""

    said: Said
    why: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A request with its right answer."""

    path: str
    request: Any
    answer: Any


class Asker:
    """Asks sites, over connections of its own; a context manager. May be used by one thread at a time."""

    def __init__(self, health: HealthPolicy) -> None:
        """Reads the questions at once; errors as `read_questions`."""
        self._health = health
        self._questions = read_questions(health.answers) if health.answers else ()
        # No proxy of the environment's stands between: it would answer for a site that is gone.
        self._client = httpx.Client(timeout=health.timeout.total_seconds(), trust_env=False, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def alive(self, url: str) -> Heard:
        """Whether the server at `url` answers its health check as it should."""
        try:
            status, body = self._get("GET", url + self._health.path)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Heard(Said.NOTHING, f"no answer: {type(error).__name__}")
        if status in _CANNOT:
            return Heard(Said.NOTHING, f"it answers {status}")
        if status != httpx.codes.OK:
            return Heard(Said.WRONG, f"it answers {status} instead of 200")
        if self._health.contains and self._health.contains.encode() not in body:
            return Heard(Said.WRONG, f"its answer does not hold {self._health.contains!r}")
        return Heard(Said.RIGHT)

    def ask(self, url: str) -> Heard:
        """As `alive`, then every question: the first answer that is not right is what was heard."""
        heard = self.alive(url)
        for number, question in enumerate(self._questions, 1):
            if heard.said is not Said.RIGHT:
                return heard
            heard = self._answered(url, number, question)
        return heard

    def answer(self, url: str, question: Question) -> Any:
        """What the server answers to a question; `NotFound` (5) where that is no JSON."""
        try:
            status, body = self._get("POST", url + question.path, question.request)
            found = json.loads(body) if status == httpx.codes.OK else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError):
            status, found = 0, None
        if found is None:
            told = f"it answers {status}" if status else "it does not answer"
            raise NotFound(f"no answer to {question.path}: {told}", where=url, hint="is the model loaded?")
        return found

    def _answered(self, url: str, number: int, question: Question) -> Heard:
        try:
            status, body = self._get("POST", url + question.path, question.request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Heard(Said.NOTHING, f"no answer to question {number}: {type(error).__name__}")
        if status in _CANNOT:
            return Heard(Said.NOTHING, f"it answers {status} to question {number}")
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            return Heard(Said.WRONG, f"its answer {status} to question {number} is no JSON")
        strays = difference(question.answer, found, self._health.tolerance)
        return Heard(Said.WRONG, f"question {number}: {strays}") if strays else Heard(Said.RIGHT)

    def _get(self, method: str, url: str, document: Any = None) -> tuple[int, bytes]:
        """Status and body; a body that never ends is cut off, and one that drips is no answer."""
        late = monotonic() + _PATIENCE * self._health.timeout.total_seconds()
        with self._client.stream(method, url, json=document) as answer:
            body = bytearray()
            for part in answer.iter_bytes():
                body += part
                if monotonic() > late:
                    raise httpx.ReadTimeout("the answer drips")
                if len(body) > LARGEST:
                    break
            return answer.status_code, bytes(body[:LARGEST])


def answers_of(health: HealthPolicy, url: str, questions: Sequence[Question]) -> list[Question]:
    """The questions with what the server at `url` answers now. `NotFound` (5) for one that it does not answer."""
    with Asker(replace(health, answers=None)) as asker:
        return [replace(question, answer=asker.answer(url, question)) for question in questions]


def read_questions(path: Path) -> tuple[Question, ...]:
    """The questions of a file of JSON lines: `{"path": "/embed", "request": …, "answer": …}`.

    `NotFound` (5) without the file, `IntegrityError` (4) for one that cannot be read, `UsageError` (2) for an empty
    one.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        hint = "`drctl serving record` makes it from what the site answers now"
        raise NotFound("the file of questions is not there", where=str(path), hint=hint) from None
    except (OSError, UnicodeDecodeError) as error:
        raise IntegrityError(f"the file of questions cannot be read: {error}", where=str(path)) from error
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            found.append(_question(line, f"{path}:{number}"))
    if not found:
        raise UsageError("the file holds no question", where=str(path), hint='{"path": "/embed", "request": …, …}')
    return tuple(found)


def _question(line: str, where: str) -> Question:
    try:
        found = json.loads(line)
        path = found["path"]
        question = Question(path, found["request"], found.get("answer"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        path, question = None, Question("", None, None)
    if not isinstance(path, str) or not path.startswith("/"):
        hint = 'a line is {"path": "/embed", "request": …, "answer": …}'
        raise IntegrityError("this is no question", where=where, hint=hint)
    return question


def difference(right: Any, found: Any, tolerance: float, at: str = "answer") -> str:
    """Where `found` is not `right`; empty when it is. Numbers may differ by `tolerance`, absolutely or relatively.

    What the answer holds beyond `right` is nobody's business: a server may add a request's id and the time.
    """
    if isinstance(right, dict):
        if not isinstance(found, dict):
            return f"{at} is no object"
        missing = next((name for name in right if name not in found), None)
        if missing is not None:
            return f"{at} lacks {missing!r}"
        parts = ((right[name], found[name], f"{at}.{name}") for name in right)
    elif isinstance(right, list):
        if not isinstance(found, list) or len(found) != len(right):
            return f"{at} is no list of {len(right)}"
        parts = ((one, found[place], f"{at}[{place}]") for place, one in enumerate(right))
    else:
        return "" if _is_same(right, found, tolerance) else f"{at} is not what it should be"
    return next((text for part in parts if (text := difference(part[0], part[1], tolerance, part[2]))), "")


def _is_same(right: Any, found: Any, tolerance: float) -> bool:
    if isinstance(right, bool) or isinstance(found, bool) or not isinstance(right, int | float):
        return bool(right == found) and type(right) is type(found)
    if not isinstance(found, int | float):
        return False
    return math.isclose(right, found, rel_tol=tolerance, abs_tol=tolerance)

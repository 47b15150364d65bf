"""What an S3 server and the two client libraries answer, in terms of this project's errors.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dr_lib.errors import AlreadyExists, DrError, IntegrityError, PermissionDenied, Refused, StoreUnavailable
from dr_lib.storage.missing import container_missing, key_missing

NO_SUCH_KEY = "NoSuchKey"
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_TRANSPORT = re.compile(r"HTTP error: ([^\n]+)")
_PASSING_CODES = frozenset({"RequestTimeout", "SlowDown", "Throttling", "RequestTimeTooSkewed", "OperationAborted"})
_CREDENTIAL_CODES = frozenset({"ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a refusal: HTTP status and S3 error code, each None when no answer came; `detail` for people."""

    status: int | None
    code: str | None
    detail: str


def boto_answer(error: Exception) -> Answer:
    """What a botocore exception says."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return Answer(None, None, type(error).__name__)
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return Answer(status, code, code)


def obstore_answer(error: Exception) -> Answer:
    """What an obstore exception says; the library gives status and code only as text."""
    text = str(error)
    status = _STATUS.search(text)
    code = _CODE.search(text)
    transport = _TRANSPORT.search(text)
    if status is None:
        return Answer(None, None, transport.group(1) if transport else text.splitlines()[0][:200])
    name = code.group(1) if code else None
    return Answer(int(status.group(1)), name, name or f"status {status.group(1)}")


def translated(answer: Answer, *, label: str, bucket: str, endpoint: str, key: str | None = None) -> DrError:
    """The error to raise. An answer of "no such key" must have been checked for a missing bucket before."""
    if answer.status == 404:
        if answer.code == "NoSuchBucket" or key is None:
            return container_missing(label, f"bucket {bucket!r}")
        return key_missing(label, key)
    if answer.code == "ObjectLocked":
        return PermissionDenied(f"{endpoint} keeps what is locked ({answer.detail})", where=label)
    if answer.status in (401, 403) or answer.code in _CREDENTIAL_CODES:
        hint = "check the access key and secret of this region, and what its policy permits"
        return PermissionDenied(f"{endpoint} refused the credentials ({answer.detail})", where=label, hint=hint)
    if answer.status in (409, 412) and key is not None and answer.code not in _PASSING_CODES:
        return AlreadyExists(f"object {key!r} exists", where=label)
    if answer.status == 416:
        return IntegrityError(f"object {key!r} ends before the bytes asked for", where=label, hint="verify the copy")
    if _is_final(answer):
        return Refused(f"{endpoint} refused the request ({answer.detail})", where=label)
    hint = "check that the server runs and can be reached, then run it again"
    return StoreUnavailable(f"{endpoint} does not answer ({answer.detail})", where=label, hint=hint)


def _is_final(answer: Answer) -> bool:
    """True for a client error that the same request would meet again."""
    if answer.status is None or answer.code in _PASSING_CODES:
        return False
    return 300 <= answer.status < 500 and answer.status not in (408, 409, 412, 425, 429)

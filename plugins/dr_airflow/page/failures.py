"""From an error of the library to what the page and its JSON say of it: never a stack trace."""

from __future__ import annotations

from typing import Any

from dr_lib.errors import DrError, NotFound, PermissionDenied, Refused

_STATUS = ((PermissionDenied, 403), (NotFound, 404), (Refused, 409))


def status_of(error: DrError) -> int:
    """404 for what is not there, 403 for what this server may not read, 409 for what is refused, 503 for a
    configuration or database that must be mended."""
    return next((code for kind, code in _STATUS if isinstance(error, kind)), 503)


def document_of(error: DrError) -> dict[str, Any]:
    """`{"error": {"type", "what", "where", "hint", "retryable"}}`."""
    said = {"type": type(error).__name__, "what": error.what, "where": error.where, "hint": error.hint}
    return {"error": said | {"retryable": error.retryable}}

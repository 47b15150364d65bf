"""Sends through Apprise: mail, Slack, Teams, pagers, SMS gateways, webhooks (https://github.com/caronc/apprise/wiki)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from dr_lib.errors import StoreUnavailable, UsageError
from dr_lib.model.alert import Severity
from dr_lib.notices.message import Message

_LIST: Final = "https://github.com/caronc/apprise/wiki"
_KINDS: Final = {None: "success", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}


def send(urls: Sequence[str], message: Message, label: str) -> None:
    """Send to every one of the URLs, which hold secrets: errors name `label` and never them.

    `UsageError` (2) for a URL that Apprise does not know, before anything is sent; `StoreUnavailable` (6) when one of
    them did not take the message: others may have it. A retry sends it again to all.
    """
    import apprise

    sender = apprise.Apprise()
    with _silently():
        are_known = bool(urls) and all(sender.add(url) for url in urls)
    if not are_known:
        what = (
            "no message can be sent: not every URL there is one of Apprise's" if urls else "no URL to send to is there"
        )
        raise UsageError(what, where=label, hint=f"{_LIST} lists them; then `drctl alerts --test`")
    kind, plain = apprise.NotifyType(_KINDS[message.severity]), apprise.NotifyFormat.TEXT
    with _silently():
        is_taken = sender.notify(title=message.title, body=message.body, notify_type=kind, body_format=plain)
    if not is_taken:
        raise StoreUnavailable(
            "a message was not taken", where=label, hint="`drctl alerts --test` tries again; until then it is not told"
        )


@contextmanager
def _silently() -> Iterator[None]:
    """What the libraries log holds the addresses of recipients, and their tokens."""
    loggers = [logging.getLogger(name) for name in ("apprise", "urllib3", "requests", "smtplib")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)

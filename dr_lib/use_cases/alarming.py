"""Telling people: what is news is told once, and that it is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from dr_lib.errors import DrError, UsageError
from dr_lib.format.canonical import time_text
from dr_lib.keys import SecretSource
from dr_lib.model.alert import Condition, Recipient, Severity
from dr_lib.policy.alerting import News, news
from dr_lib.policy.checking import is_late
from dr_lib.use_cases.cataloguing import Cataloguing
from dr_lib.use_cases.over_config import Document

if TYPE_CHECKING:
    from dr_lib.notices.message import Message

ASSET, RUN = "asset:", "run:"


class Alarming(Cataloguing):
    """Alerts. Who is told says `alerts:` of dr.yaml; what they were told stands in the catalog's database."""

    def alarm_assets(self) -> Document:
        """Tell what is new about the assets, by the catalog's word; as `alarm`."""
        return self.alarm(self._asset_conditions(), lambda key: key.startswith(ASSET))

    def alarm(self, conditions: Sequence[Condition], sees: Callable[[str], bool]) -> Document:
        """Hold `conditions` against what people were told of the keys that this look `sees`, and tell them the news.

        `{"raised", "still", "cleared", "quiet"}` (counts) and `recipients`. When one of the recipients did not take the
        message, its error is raised after the others were tried, and all of it counts as not told: a retry tells it
        again. Two looks at the same time may tell the same news twice.
        """
        from dr_lib.catalog.db.alerts import open_alerts, put_alerts

        database = self._catalog()
        with database.writing() as connection:
            known = {one.key: one for one in open_alerts(connection) if sees(one.key)}
        now = self._wiring.clock()
        found = news(known, conditions, now, self.config.alerts.repeat)
        failed = [] if found.is_empty else self._tell(found)
        left = found.after(None if failed else now)
        if set(left) != set(known.values()):  # every run that succeeds asks, and hardly ever has news
            with database.writing() as connection:
                put_alerts(connection, known, left)
        if failed:
            raise failed[0]
        counts = {name: len(getattr(found, name)) for name in ("raised", "still", "cleared", "quiet")}
        return {**counts, "recipients": [one.reference for one in self.config.alerts.to]}

    def tell(self, severity: Severity, text: str) -> Document:
        """Tell something that happened, at once and without remembering it. `{"recipients"}`; raises as `alarm`."""
        from dr_lib.notices.message import Message

        heard = [one for one in self.config.alerts.to if severity.rank >= one.at_least.rank]
        message = Message(f"Disaster recovery, {severity.value}", text, severity)
        if failed := _each(heard, lambda one: self._send(one, message)):
            raise failed[0]
        return {"recipients": [one.reference for one in heard]}

    def open_alerts(self) -> Document:
        """`{"alerts": [{"key", "severity", "text", "since", "told_at"}], "recipients"}`, the oldest first."""
        from dr_lib.catalog.db.alerts import open_alerts

        with self._catalog().reading() as connection:
            found = open_alerts(connection)
        told = [
            asdict(one)
            | {"severity": one.severity.value, "since": time_text(one.since)}
            | {"told_at": time_text(one.told_at) if one.told_at else None}
            for one in found
        ]
        return {"alerts": told, "recipients": [one.reference for one in self.config.alerts.to]}

    def _tell(self, found: News) -> list[DrError]:
        from dr_lib.notices.message import message_of

        heard = [(one, part) for one in self.config.alerts.to if not (part := found.at_least(one.at_least)).is_empty]
        parts = dict(heard)
        return _each(list(parts), lambda one: self._send(one, message_of(parts[one])))

    def _send(self, recipient: Recipient, message: Message) -> None:
        from dr_lib.notices.sending import send

        secrets = SecretSource(self._wiring.environ, self._wiring.connections)
        urls = secrets.text(recipient.reference)
        if urls is None:
            hint = "set it to URLs of Apprise where this runs, or take it out of alerts: in dr.yaml"
            raise UsageError("nobody can be told: nothing is there", where=recipient.reference, hint=hint)
        send(urls.split(), message, recipient.reference)

    def _asset_conditions(self) -> list[Condition]:
        views = self.every_asset_view()
        seen = {one["asset"] for one in views}
        never = [name for name in self.config.assets if name not in seen]
        text = "was never looked at: nothing is known of it"
        found = [Condition(ASSET + name, Severity.CRITICAL, f"{name} {text}") for name in never]
        return found + [_condition(one) for one in views if one["protection"] != "protected"]


def _condition(view: Document) -> Condition:
    """Critical when there is no point as young as promised, or nobody knows; else there is still a way back."""
    rpo, name = view["rpo_s"], view["asset"]
    late = is_late(rpo, view["rpo_objective_s"])
    if view["protection"] == "unknown":
        text = f"{name} is unknown: nobody looked at it since {view['observed_at'][:19]} UTC"
        return Condition(ASSET + name, Severity.CRITICAL, text)
    why = "; ".join(view["problems"]) or "the newest verified point is older than promised"
    severity = Severity.CRITICAL if late else Severity.WARNING
    return Condition(ASSET + name, severity, f"{name} is not protected: {why}")


def _each(recipients: Sequence[Recipient], act: Callable[[Recipient], None]) -> list[DrError]:
    """Try every recipient; the errors of those that could not be told."""
    failed: list[DrError] = []
    for one in recipients:
        try:
            act(one)
        except DrError as error:
            failed.append(error)
    return failed

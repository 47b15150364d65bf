"""`drctl check`: what monitoring systems run. Every way to end speaks their protocol."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from dr_lib.cli import plugin_protocol
from dr_lib.cli.output import error_document, print_json
from dr_lib.cli.session import Session, command
from dr_lib.errors import DrError

EXAMPLES = (
    "drctl check",
    "drctl check minilm --warning 90",
    "drctl check --from catalog --timeout 10",
    "drctl check --format zabbix --from catalog",
)


class Origin(StrEnum):
    """What is asked."""

    REGIONS = "regions"
    CATALOG = "catalog"


class Format(StrEnum):
    """How the answer is written."""

    NAGIOS = "nagios"
    ZABBIX = "zabbix"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "check", examples=EXAMPLES)
    def check(
        session: Session,
        asset: Annotated[str | None, typer.Argument(help="Else all of dr.yaml.", show_default=False)] = None,
        origin: Annotated[Origin, typer.Option("--from", help="Regions: now. Catalog: fast.")] = Origin.REGIONS,
        warning: Annotated[int, typer.Option("--warning", min=1, max=100, help="Percent of the RPO used up.")] = 80,
        timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds; then it is unknown.")] = 50.0,
        form: Annotated[Format, typer.Option("--format", help="Zabbix: one JSON document.")] = Format.NAGIOS,
    ) -> int:
        """Tell Nagios, Icinga or Zabbix how assets stand, as a plugin does.

        Exit codes are the protocol's, not drctl's: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, also for a wrong flag or
        configuration. With --format zabbix it is 0 always: the state is in the document.
        """
        by_catalog = origin is Origin.CATALOG
        found = session.runtime().check(asset, by_catalog=by_catalog, warning_share=warning / 100, patience=timeout)
        if session.as_json or form is Format.ZABBIX:
            print_json(_document(found))
        else:
            print(plugin_protocol.answer(found), flush=True)
        return 0 if form is Format.ZABBIX else int(found["state_code"])


def _document(found: dict[str, Any]) -> dict[str, Any]:
    """With its text, all regions in one list (Zabbix discovers from no list within a list), and no key for
    what is not known, so that an item has no value rather than a wrong one."""
    regions = [{"asset": one["asset"], **region} for one in found["assets"] for region in one["regions"]]
    assets = [{name: value for name, value in one.items() if value is not None} for one in found["assets"]]
    return found | {"assets": assets} | {"text": plugin_protocol.answer(found).partition(" | ")[0], "regions": regions}


def tell(session: Session, given: Sequence[str], error: DrError) -> int:
    """An error as the protocol has it: UNKNOWN on stdout, nothing on stderr, which Zabbix takes for the answer, too.

    The document has no `assets`: what is discovered by them must not be taken for gone.
    """
    problems = [str(one) for one in getattr(error, "problems", ())]
    text = plugin_protocol.unknown(error.what, error.where, problems, error.hint)
    zabbix = _for_zabbix(given)
    if zabbix or session.as_json or "--json" in given:
        unknown: dict[str, Any] = {"state": "unknown", "state_code": plugin_protocol.UNKNOWN, "text": text}
        print_json(unknown | error_document(error))
    else:
        print(text, flush=True)
    return 0 if zabbix else plugin_protocol.UNKNOWN


def _for_zabbix(given: Sequence[str]) -> bool:
    pairs = zip(given, [*given[1:], ""], strict=True)
    return any(pair == ("--format", "zabbix") for pair in pairs) or "--format=zabbix" in given

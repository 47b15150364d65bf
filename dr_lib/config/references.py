"""Mistakes between fields: names that point nowhere, and fields that contradict each other.

They are looked for in the plain document, so that they are found even where other fields are wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dr_lib.config.document import Document
from dr_lib.config.locations import scheme
from dr_lib.config.problems import Problem, did_you_mean
from dr_lib.config.serving_references import check_serving
from dr_lib.config.standbys import ONLY
from dr_lib.config.values import NAME, NAME_RULE
from dr_lib.model.orchestrator import NAME as NAME_OF_IT
from dr_lib.model.smoke import LOADERS
from dr_lib.model.standby import LOCAL, StandbyKind

S3_ONLY = {
    "endpoint": "only s3:// has an endpoint",
    "credentials": "only s3:// takes credentials here; rclone keeps its own, a directory needs none",
    "lock": "only s3:// can lock objects",
}
KIND_ONLY = {"expectations": "dataset"}
SMOKE_OF = {"model": frozenset({"loader", "golden", "tolerance", "device"}), "dataset": frozenset({"reader"})}


def check_references(document: Document) -> Iterator[Problem]:
    """Every mistake between fields."""
    data = document.data or {}
    regions, assets = _mapping(data.get("regions")), _mapping(data.get("assets"))
    if isinstance(data.get("regions"), dict) and not regions:
        yield document.problem(("regions",), "there is no region", "name at least one")
    if isinstance(data.get("encryption"), dict) and "signing" not in data:
        right = "add `signing: {trusted: [ed25519:…]}`, which `drctl keys generate` makes, or `signing: none`"
        yield document.problem(("encryption",), "sealed vaults say who may sign", right)
    yield from _names(document, "regions", regions)
    yield from _names(document, "assets", assets)
    yield from _stores(document, regions)
    standbys = _mapping(data.get("standbys"))
    yield from _names(document, "standbys", standbys)
    if isinstance(data.get("orchestrator"), dict):
        yield from _orchestrator(document, data, list(regions), [LOCAL.name, *standbys])
    served = _mapping(data.get("serving"))
    yield from _names(document, "serving", served)
    yield from check_serving(document, served, assets, list(regions))
    for name, standby in standbys.items():
        yield from _standby(document, name, _mapping(standby))
    for name, asset in assets.items():
        yield from _asset(document, name, _mapping(asset), list(regions))
        yield from _drilled_where(document, ("assets", name), _mapping(asset), [LOCAL.name, *standbys])


def _orchestrator(
    document: Document, data: dict[str, Any], regions: list[str], standbys: list[str]
) -> Iterator[Problem]:
    saved, at = _mapping(data["orchestrator"]), ("orchestrator",)
    if data.get("encryption") == "none":
        right = "seal the vaults (`drctl keys generate`), or leave `orchestrator:` out"
        yield document.problem(at, "Airflow's connections would lie in the vaults in clear", right)
    if NAME_OF_IT in _mapping(data.get("assets")):
        right = "give the asset another name"
        yield document.problem(("assets", NAME_OF_IT), "this is the name of the orchestrator itself", right)
    if isinstance(saved.get("regions"), list):
        yield from _asset_regions(document, at, saved["regions"], regions)
    yield from _drilled_where(document, at, saved, standbys)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(document: Document, group: str, found: dict[str, Any]) -> Iterator[Problem]:
    for name in found:
        if not NAME.fullmatch(name):
            yield document.problem((group, name), f"{name!r} is no name", NAME_RULE)


def _stores(document: Document, regions: dict[str, Any]) -> Iterator[Problem]:
    taken: dict[tuple[str, str], str] = {}
    for name, region in regions.items():
        fields = _mapping(region)
        yield from _s3_only(document, ("regions", name), fields)
        if not isinstance(fields.get("url"), str):
            continue
        place = (fields["url"].rstrip("/"), str(fields.get("endpoint") or "").rstrip("/"))
        if place in taken:
            what = f"this is the same place as region {taken[place]!r}, and would be lost with it"
            yield document.problem(("regions", name, "url"), what, "give each region a store of its own")
        taken.setdefault(place, name)


def _s3_only(document: Document, at: tuple[str, ...], fields: dict[str, Any]) -> Iterator[Problem]:
    url = fields.get("url")
    if not isinstance(url, str) or scheme(url) not in ("file", "rclone"):
        return
    for field, why in S3_ONLY.items():
        if fields.get(field) is not None:
            yield document.problem((*at, field), why, "remove it")


def _asset(document: Document, name: str, asset: dict[str, Any], regions: list[str]) -> Iterator[Problem]:
    yield from _s3_only(document, ("assets", name, "source"), _mapping(asset.get("source")))
    for field, kind in KIND_ONLY.items():
        if asset.get(field) is not None and asset.get("kind") in SMOKE_OF.keys() - {kind}:
            yield document.problem(("assets", name, field), f"only a {kind} has {field}", f"remove it, or kind: {kind}")
    yield from _smoke(document, name, asset)
    url = _mapping(asset.get("source")).get("url", asset.get("source"))
    if _mapping(asset.get("drill")).get("takes_source") is True and isinstance(url, str) and scheme(url) != "file":
        at = ("assets", name, "drill", "takes_source")
        yield document.problem(at, "only a directory can be taken aside", "remove it")
    named = asset.get("regions")
    if isinstance(named, list):
        yield from _asset_regions(document, ("assets", name), named, regions)


def _smoke(document: Document, name: str, asset: dict[str, Any]) -> Iterator[Problem]:
    at, kind, smoke = ("assets", name, "smoke"), asset.get("kind"), asset.get("smoke")
    if not isinstance(smoke, dict) or kind not in SMOKE_OF:
        return
    for other in SMOKE_OF.keys() - {kind}:
        for field in sorted(SMOKE_OF[other] & smoke.keys()):
            yield document.problem((*at, field), f"only a {other} has {field}", "remove it")
    if kind == "model" and "loader" not in smoke:
        yield document.problem(at, "a model's smoke test needs a loader", f"add `loader: {LOADERS[0]}`")


def _asset_regions(document: Document, of: tuple[str, ...], named: list[Any], regions: list[str]) -> Iterator[Problem]:
    at = (*of, "regions")
    if not named:
        yield document.problem(at, "the asset is in no region", f"name at least one of: {', '.join(regions)}")
    for number, region in enumerate(named):
        if not isinstance(region, str):
            continue
        if region not in regions:
            yield document.problem((*at, number), f"there is no region {region!r}", did_you_mean(region, regions))
        elif region in named[:number]:
            yield document.problem((*at, number), f"region {region!r} stands here twice", "remove one")


def _standby(document: Document, name: str, fields: dict[str, Any]) -> Iterator[Problem]:
    kind = fields.get("kind", StandbyKind.PROCESS.value)
    if not isinstance(kind, str) or kind not in ONLY:
        return
    for field in sorted(frozenset().union(*ONLY.values()) - ONLY[kind]):
        if field in fields:
            yield document.problem(("standbys", name, field), f"a {kind} standby has no {field}", "remove it")
    if "image" in ONLY[kind] and not fields.get("image"):
        right = "add `image: name@sha256:…`"
        yield document.problem(("standbys", name), f"a {kind} standby needs an image", right)


def _drilled_where(
    document: Document, of: tuple[str, ...], asset: dict[str, Any], known: list[str]
) -> Iterator[Problem]:
    chosen = _mapping(asset.get("drill")).get("standby", LOCAL.name)
    if isinstance(chosen, str) and NAME.fullmatch(chosen) and chosen not in known:
        at = (*of, "drill", "standby")
        yield document.problem(at, f"there is no standby {chosen!r}", did_you_mean(chosen, known))

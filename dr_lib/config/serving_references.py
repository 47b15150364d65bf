"""Mistakes between the fields of `serving:` and the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dr_lib.config.document import Document
from dr_lib.config.problems import Problem, did_you_mean


def check_serving(
    document: Document, served: Mapping[str, Any], assets: Mapping[str, Any], regions: list[str]
) -> Iterator[Problem]:
    """Assets and regions that are not there, leases that no majority survives, and two sites that are one."""
    for name, endpoint in served.items():
        if isinstance(endpoint, dict):
            yield from _asset(document, name, endpoint, assets)
            yield from _sites(document, name, endpoint)
            yield from _lease(document, name, endpoint, regions)


def _asset(document: Document, name: str, endpoint: Mapping[str, Any], assets: Mapping[str, Any]) -> Iterator[Problem]:
    named = endpoint.get("asset")
    if not isinstance(named, str):
        return
    at = ("serving", name, "asset")
    if named not in assets:
        yield document.problem(at, f"there is no asset {named!r}", did_you_mean(named, assets))
    elif isinstance(assets[named], dict) and assets[named].get("kind") == "dataset":
        yield document.problem(at, f"{named!r} is a dataset, and a dataset is not served", "name a model")


def _sites(document: Document, name: str, endpoint: Mapping[str, Any]) -> Iterator[Problem]:
    urls = [site.get("url") for part in ("primary", "standby") if isinstance(site := endpoint.get(part), dict)]
    if len(urls) == 2 and urls[0] == urls[1] and urls[0] is not None:
        right = "each site has a server of its own; `url` of the endpoint is what callers use"
        yield document.problem(("serving", name, "standby", "url"), "this is the primary's server", right)
    standby = endpoint.get("standby")
    if isinstance(standby, dict) and not standby.get("directory"):
        right = "add `directory: /srv/models`; the server loads `current` in it"
        yield document.problem(("serving", name, "standby"), "nothing says where a point is restored to", right)


def _lease(document: Document, name: str, endpoint: Mapping[str, Any], regions: list[str]) -> Iterator[Problem]:
    lease = endpoint.get("lease")
    named = lease.get("regions") if isinstance(lease, dict) else None
    at: tuple[str | int, ...] = ("serving", name, "lease", "regions")
    if not isinstance(named, list) or not named:
        return
    for number, region in enumerate(named):
        if isinstance(region, str) and region not in regions:
            yield document.problem((*at, number), f"there is no region {region!r}", did_you_mean(region, regions))
    if len(named) % 2 == 0 or len(set(map(str, named))) < len(named):
        right = "name one, three or five different ones: of an even number no more survive than of one fewer"
        yield document.problem(at, f"{len(named)} regions make no good majority", right)

"""The page, its JSON and its metrics, behind Airflow's own login: who may look at Airflow's interface may look here.

Everything is read from the catalog: no region is asked, so a lost one makes nothing slow. What acts is Airflow's: the
buttons start DAG runs through its own API, as the user who presses them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from dr_airflow.page import metrics, runbooks, views
from dr_airflow.page.admission import READERS, SCRAPERS, SOURCE
from dr_airflow.page.failures import document_of, status_of
from dr_lib.errors import DrError

MOST: Final = 500
METRICS: Final = "/metrics"

Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Text = Annotated[str, Query(max_length=200)]

app = FastAPI(title="Disaster Recovery", docs_url=None, redoc_url=None, openapi_url=None)
read = APIRouter(dependencies=READERS)
"""All that is not the metrics: nothing is added to `app` itself but what says who may see it."""


@app.middleware("http")
async def _guarded(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """What is shown may hold nothing that runs but the page's own script, and is shown in Airflow alone."""
    answer = await go_on(request)
    answer.headers["Content-Security-Policy"] = views.content_security_policy()
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@app.exception_handler(DrError)
async def _failed(request: Request, error: DrError) -> Response:
    """JSON for programs, a line for scrapers, a page for people; never a stack trace."""
    if request.url.path.endswith(METRICS):
        return PlainTextResponse(f"{error}\n", status_code=503)
    if "/view" in request.url.path:
        return HTMLResponse(views.failure(error), status_code=status_of(error))
    return JSONResponse(document_of(error), status_code=status_of(error))


@read.get("/api")
def description() -> dict[str, Any]:
    """What there is to ask, as OpenAPI."""
    return app.openapi()


@read.get("/api/overview")
def overview() -> dict[str, Any]:
    """`{"protected", "failing", "unknown", "never_seen", "failing_since", "observed_at"}` of all assets."""
    return SOURCE.runtime().overview()


@read.get("/api/endpoints")
def endpoints() -> dict[str, Any]:
    """`{"endpoints": […]}`: who served each endpoint when it was last looked at, and what was wrong with it."""
    return {"endpoints": SOURCE.runtime().serving_views()}


@read.get("/api/assets")
def assets(search: Text = "", offset: Offset = 0, limit: Limit = 100) -> dict[str, Any]:
    """`{"assets": […], "offset", "next"}`: a page of assets with their regions, those that fail first."""
    found = SOURCE.runtime().asset_views(search, offset, limit)
    return {"assets": found, "offset": offset, "next": offset + limit if len(found) == limit else None}


@read.get("/api/assets/{asset}")
def asset(asset: str) -> dict[str, Any]:
    """One asset with its regions; 404 when it was never observed."""
    return SOURCE.runtime().asset_view(asset)


@read.get("/api/assets/{asset}/points")
def points(asset: str, before: Text = "", limit: Limit = 100) -> dict[str, Any]:
    """`{"points": […], "next"}`: a page of points, newest first; `next` is the `before` of the next page."""
    found = SOURCE.runtime().point_views(asset, before, limit)
    return {"points": found, "next": found[-1]["point"] if len(found) == limit else None}


@read.get("/api/assets/{asset}/points/{point}")
def point(asset: str, point: str) -> dict[str, Any]:
    """One point with its copies; 404 when the catalog does not know it."""
    return SOURCE.runtime().point_view(asset, point)


@read.get("/api/assets/{asset}/points/{point}/contents")
def contents(asset: str, point: str, search: Text = "", offset: Offset = 0, limit: Limit = 100) -> dict[str, Any]:
    """A page of the point's files and tensors, asked of a region; 403 where this server holds no key for them."""
    return SOURCE.runtime().contents(asset, point, search=search, offset=offset, limit=limit)


@read.get("/api/assets/{asset}/drills/{drill}")
def evidence(asset: str, drill: str) -> dict[str, Any]:
    """What a drill states, asked of the regions and proven; 404 without it."""
    return SOURCE.runtime().show_evidence(asset, drill)


@read.get("/api/assets/{asset}/drills")
def drills(asset: str, scenario: Text = "", limit: Limit = 60) -> dict[str, Any]:
    """`{"drills": […]}`: the newest drills, the newest first."""
    return {"drills": SOURCE.runtime().drill_views(asset, scenario, limit)}


@app.get(METRICS, dependencies=SCRAPERS)
def prometheus() -> Response:
    """The recovery figures for Prometheus, which sends the token that dr.yaml names, or one of Airflow's."""
    return Response(metrics.exposition(SOURCE.runtime().figures()), media_type=metrics.CONTENT_TYPE)


@read.get("/view")
def view(search: Text = "", offset: Offset = 0) -> HTMLResponse:
    """Is everything protected, and since when not; then the assets, and who serves."""
    runtime = SOURCE.runtime()
    shown = runtime.asset_views(search, offset, views.PAGE)
    endpoints = runtime.serving_views()
    return HTMLResponse(views.front(runtime.overview(), shown, endpoints, search=search, offset=offset))


@read.get("/view/assets/{asset}")
def view_asset(asset: str, before: Text = "") -> HTMLResponse:
    """One asset: its regions, its drills, its points."""
    runtime = SOURCE.runtime()
    shown = runtime.point_views(asset, before, views.PAGE)
    return HTMLResponse(views.asset(runtime.asset_view(asset), shown, runtime.drill_views(asset)))


@read.get("/view/assets/{asset}/points/{point}")
def view_point(asset: str, point: str, search: Text = "", offset: Offset = 0) -> HTMLResponse:
    """One point: its copies, its files and tensors where this server may read them, and the form to restore it."""
    runtime = SOURCE.runtime()
    found = runtime.point_view(asset, point)
    try:
        held, trouble = runtime.contents(asset, point, search=search, offset=offset, limit=views.PAGE), None
    except DrError as error:
        held, trouble = None, error
    return HTMLResponse(views.point(asset, found, held, trouble, search=search, offset=offset))


@read.get("/view/assets/{asset}/drills/{drill}")
def view_drill(asset: str, drill: str) -> HTMLResponse:
    """The evidence of one drill, proven by what the regions hold now."""
    return HTMLResponse(SOURCE.runtime().evidence_page(asset, drill))


@read.get("/view/runbooks/{name}")
def view_runbook(name: str) -> HTMLResponse:
    """What to do, step by step."""
    return HTMLResponse(views.runbook(name, runbooks.html_of(name)))


app.include_router(read)

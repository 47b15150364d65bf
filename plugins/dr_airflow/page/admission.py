"""Who may look: everybody who may look at Airflow's interface, and at the metrics a scraper with its token, too."""

from __future__ import annotations

import logging
from typing import Annotated, Final

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import bearer_scheme, get_user, requires_access_view
from fastapi import Depends, HTTPException, Request, status
from fastapi.security import HTTPAuthorizationCredentials
from starlette.concurrency import run_in_threadpool

from dr_airflow.connections import connection_credentials
from dr_airflow.page.source import RuntimeSource
from dr_lib.errors import DrError

SOURCE: Final = RuntimeSource()
_LOG: Final = logging.getLogger(__name__)
_MAY_READ: Final = requires_access_view(AccessView.WEBSITE)
READERS: Final = [Depends(_MAY_READ)]

_Sent = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer_scheme)]


async def scraper_or_reader(request: Request, sent: _Sent) -> None:
    """Lets in who sends the token that dr.yaml names, and who may look at Airflow's interface.

    401 for anybody else; 503 for a token while it cannot be known whether it is the right one, and why that is so is
    told to the log alone.
    """
    doubt: DrError | None = None
    if sent is not None and sent.scheme.lower() == "bearer":
        try:
            if await run_in_threadpool(_is_scraper, sent.credentials):
                return
        except DrError as error:
            doubt = error
    try:
        user = await get_user(request, None, sent)
    except HTTPException as refused:
        raise _refusal(refused, doubt) from None
    await run_in_threadpool(_MAY_READ, request, user)


def _is_scraper(token: str) -> bool:
    return SOURCE.runtime().may_scrape(token, connection_credentials)


def _refusal(refused: HTTPException, doubt: DrError | None) -> HTTPException:
    if doubt is None:
        return HTTPException(status.HTTP_401_UNAUTHORIZED, refused.detail, {"WWW-Authenticate": "Bearer"})
    _LOG.error("nobody can be let in to the metrics by a token: %s", doubt)
    detail = "whether this token is right cannot be known now: see the log of Airflow's API server"
    return HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, detail)


SCRAPERS: Final = [Depends(scraper_or_reader)]

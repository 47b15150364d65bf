"""Where the page hangs in Airflow: its application, and its place in the navigation."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from dr_airflow.page.app import app

PREFIX = "/dr"


class DisasterRecoveryPlugin(AirflowPlugin):
    """The page, under `/dr`; every component of Airflow loads this, so nothing is opened here."""

    name = "disaster_recovery"
    fastapi_apps: list[Any] = [{"app": app, "url_prefix": PREFIX, "name": "Disaster Recovery"}]
    external_views: list[Any] = [
        {
            "name": "Disaster Recovery",
            "href": f"{PREFIX}/view",
            "destination": "nav",
            "category": "browse",
            "url_route": "disaster-recovery",
        }
    ]

"""The plugin that Airflow loads: the page Disaster Recovery. All of it is in `dr_airflow.page`."""

from __future__ import annotations

from dr_airflow.page.plugin import DisasterRecoveryPlugin

__all__ = ["DisasterRecoveryPlugin"]

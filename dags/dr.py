"""Every Airflow DAG of disaster recovery, built from dr.yaml; nothing else is opened here."""

from __future__ import annotations

from airflow.sdk import get_parsing_context
from dr_airflow.configuration import config_file
from dr_airflow.dag_factory import build_dags

from dr_lib.config import load_config

globals().update(build_dags(load_config(config_file()), get_parsing_context().dag_id))

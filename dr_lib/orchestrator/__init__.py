"""Airflow as seen from outside of it: its database, its settings, its versions, its processes."""

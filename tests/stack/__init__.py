"""Airflow as it stands in production, as real processes on this machine: for tests that need all of it."""

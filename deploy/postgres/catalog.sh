#!/bin/sh
# Runs once, when PostgreSQL makes its data directory: the catalog's own database and role, which cannot look into Airflow's.
# The password goes over standard input: arguments of a process are for everyone to read.
set -eu
psql --set ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname postgres <<SQL
CREATE ROLE dr_catalog LOGIN PASSWORD '$(cat "${CATALOG_PASSWORD_FILE:-/run/secrets/catalog_password}")';
CREATE DATABASE dr_catalog OWNER dr_catalog;
REVOKE CONNECT ON DATABASE "$POSTGRES_DB" FROM PUBLIC;
REVOKE CONNECT ON DATABASE dr_catalog FROM PUBLIC;
SQL

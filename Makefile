# Every path here is relative: make cannot name a target with a space in it, and a checkout may lie under one.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PY := .venv/bin/python
STAMP := .venv/.installed

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: env
env: $(STAMP) ## .venv with the locked packages and this project in it

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml tools/bootstrap.sh
	@bash tools/bootstrap.sh
	@touch $(STAMP)

.PHONY: demo
demo: env ## three regions, Airflow and the main job; leaves them up for a look
	@$(PY) -m dr_lib.cli demo up
	@$(PY) -m dr_lib.cli demo run

.PHONY: demo-down
demo-down: env ## end what `make demo` left up
	@$(PY) -m dr_lib.cli demo down

.PHONY: test
test: env ## all tests, three files at a time (WORKERS=3), for they wait for servers half of the time; the last lines count passed, failed and not run
	@bash tools/system.sh age chromium haproxy nagios4-core postgresql prometheus redis-server zabbix-agent libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
	@$(PY) -m pytest -n $(or $(WORKERS),3) --dist loadfile

.PHONY: test-gpu
test-gpu: env ## what needs a CUDA device; without one these tests are not run, and say so
	@$(PY) -m pytest tests/gpu tests/unit/standby/test_confinement.py

.PHONY: check
check: env ## what CI demands of the source: ruff, mypy, layers, no duplicates
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -c 'from importlinter.cli import lint_imports_command as check; check()' --no-logo
	@$(PY) -m pylint --score=n dr_lib plugins dags tools

.PHONY: format
format: env ## rewrite the source as ruff wants it
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

.PHONY: bench
bench: env ## measure the stores, the codecs, verification and the engine against their peers (ARGS=--large: 12 GB too)
	@bash tools/system.sh restic borgbackup
	@$(PY) benchmarks/stores.py
	@$(PY) benchmarks/codecs.py
	@$(PY) -m benchmarks.verification
	@$(PY) -m benchmarks.peers $(ARGS)

.PHONY: crash
crash: env ## kill -9 of real commands at 200 random instants; no point may be lost (ARGS='--deaths 500 --seed 1')
	@$(PY) -m tests.campaigns.crash $(ARGS)

.PHONY: corrupt
corrupt: env ## damage every object of a vault in every way; all of it must be found, none of it restored
	@$(PY) -m tests.campaigns.corrupt $(ARGS)

.PHONY: sensitivity
sensitivity: env ## noise in any weight matrix must fail the smoke test, the right model never (ARGS='--times 50 --share 0.01')
	@$(PY) -m tests.campaigns.sensitivity $(ARGS)

.PHONY: machine
machine: env ## the state machine of the vault, at length (RUNS=2000)
	@DR_MACHINE_RUNS=$(or $(RUNS),500) DR_MACHINE_STEPS=50 $(PY) -m pytest --timeout=7200 tests/properties/test_vault_machine.py

.PHONY: screenshots
screenshots: env ## pictures of the running demo for the README
	@bash tools/system.sh chromium
	@$(PY) tools/screenshots.py

.PHONY: lock
lock: ## resolve requirements*.in afresh into requirements*.txt
	@source tools/python.sh && "$$PYTHON" tools/lock.py

.PHONY: clean
clean: ## remove the environment and every cache
	@rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Two commands matter: `make run` and `make test`. Both set up everything they need. `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON := .venv/bin/python
export PYTHONDONTWRITEBYTECODE = 1

.PHONY: help setup run try check test test-redmine test-rt lint bench storm simulate soak weather golden pictures check-commands cause package unpacked infra docs clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 15

setup: .venv/.ready node_modules/.ready

.venv/.ready: requirements.txt requirements-terminal.txt requirements-dev.txt tools/find-python
	@python=$$(tools/find-python) && echo "Setting up .venv with $$($$python --version) …" && \
	$$python -m venv --clear .venv && .venv/bin/pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@.venv/bin/python -m compileall -q .venv/lib || true
	@touch $@

node_modules/.ready: package-lock.json
	@command -v npm >/dev/null || { echo "Node.js 20 with npm is needed for Azurite, the storage emulator." >&2; exit 1; }
	@echo "Installing Azurite …" && npm ci --silent --no-audit --no-fund
	@touch $@

run: setup ## the sandbox: fires one alert per scenario, shows the tickets (ONCE=1: end by itself; SCENARIO=name: only that one)
	@$(PYTHON) -m sandbox $(if $(ONCE),--once) $(if $(SCENARIO),--scenario $(SCENARIO))

try: setup ## a terminal command against the simulated Azure: make try ARGS="failures --diagnose" (SCENARIO=name: only that one)
	@$(PYTHON) -m sandbox.terminal $(ARGS)

WITH_SERVERS = azure bench cli end_to_end faults records sandbox stories tickets/targets web

check: setup lint ## the quick answer: lint, and the tests that start nothing and try few inputs (under 20 s)
	@$(PYTHON) -m pytest -q -n 2 -m "not server and not slow" $(addprefix --ignore=tests/,$(WITH_SERVERS))

test: setup lint ## everything: lint and all tests, on two workers
	@$(PYTHON) -m pytest -n 2 --dist loadscope

test-redmine: setup ## play an incident's life in a real Redmine, and the whole app before it (Debian 12, as root: installs it)
	@tools/redmine install && $(PYTHON) -m pytest tests/tickets/targets/test_redmine_server.py tests/faults/test_real_systems.py -k redmine

test-rt: setup ## the same in a real Request Tracker 5 (Debian 12, as root: installs it)
	@tools/request_tracker install && $(PYTHON) -m pytest tests/tickets/targets/test_request_tracker_server.py tests/faults/test_real_systems.py -k request_tracker

lint: setup
	@.venv/bin/ruff check . && .venv/bin/ruff format --check --quiet . && .venv/bin/mypy

bench: setup ## speed and memory against a naive twin, as ratios
	@.venv/bin/pip install -qq --disable-pip-version-check -r requirements-bench.txt
	@$(PYTHON) -m bench

storm: setup ## 10,000 alerts at once against a throttled Azure, with goals (ALERTS=1000: fewer)
	@.venv/bin/pip install -qq --disable-pip-version-check -r requirements-bench.txt
	@$(PYTHON) -m bench.storm $(if $(ALERTS),--alerts $(ALERTS))

simulate: setup ## what binds first from 1,000 to 1,000,000 protected items: writes docs/scale.md and its plots (MEASURE=1: counts the costs anew first, fifteen minutes)
	@.venv/bin/pip install -qq --disable-pip-version-check -r requirements-bench.txt
	@$(PYTHON) -m bench.simulate $(if $(MEASURE),--measure)

soak: setup ## the weather run, then every fault again and again, with load: no alert lost, none told twice (MINUTES=15; SEED=n repeats a run)
	@$(PYTHON) -m bench.weather && $(PYTHON) -m bench.soak --minutes $(or $(MINUTES),15) $(if $(SEED),--seed $(SEED))

weather: setup ## 120 failures at once while the ticket system is unwell and the host is killed, 30 while single tickets refuse, with goals
	@$(PYTHON) -m bench.weather

golden: setup ## write the golden runbooks in tests/golden anew; look at the diff
	@$(PYTHON) -m tests.golden

pictures: setup ## one ticket in the desk, Roundup and Redmine (if installed) as docs/images/*.png, in each language; look at them
	@$(PYTHON) -m tests.pictures

check-commands: setup ## every command of every runbook: az, Bash and PowerShell checked, reads run with the real az (QUICK=1: not run)
	@tools/check-commands $(if $(QUICK),--quick)

cause: setup ## write the stubs of a new cause: make cause ID=some_wrong_condition
	@$(PYTHON) -m tools.new_cause "$(ID)"

package: setup ## build/backup-runbooks.zip: what is deployed
	@$(PYTHON) -m tools.package

unpacked: setup ## build/package: the same, unpacked, which azd uploads; left alone when nothing changed
	@$(PYTHON) -m tools.package --unpacked

infra: ## check the Bicep: build and lint where there is a bicep command, the offline checker where it lies beside the project
	@tools/check-infra

docs: setup ## write what docs/ and infra/ say of the code, and the workbook, anew
	@$(PYTHON) -m tools.docs && $(PYTHON) -m tools.workbook

clean: ## remove what was installed and built
	@rm -rf .venv node_modules build templates/compiled .mypy_cache .pytest_cache .ruff_cache .hypothesis

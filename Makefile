# Everything a person or CI does here. `make` lists it. Needs Python 3.11+ and make, nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
ARGS ?=
# Relative, so that a checkout in a path with spaces works.
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
PIP := $(PY) -m pip --disable-pip-version-check --no-input --quiet

.PHONY: help setup up down logs demo test lint test-clean bench bench-peers faults fuzz model contracts lock clean

help: ## Show this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/p' Makefile | while IFS='|' read -r name what; do printf '%-18s %s\n' "$$name" "$$what"; done

setup: $(READY) ## Install the pinned versions into .venv

$(READY): requirements.lock pyproject.toml libs/pyproject.toml
	@.ci/venv "$(PYTHON)" $(VENV)
	@echo "Installing the pinned versions into $(VENV) (about a minute the first time) …" >&2
	@$(PIP) install --require-hashes -r requirements.lock >&2
	@$(PIP) install --no-build-isolation --no-deps -e libs -e . >&2
	@touch $@

up: $(READY) ## Start everything in the background and print the URL; ARGS="--port 9000 --data-dir DIR PATH…"
	@$(PY) -m linstock up --detach $(ARGS)

down: $(READY) ## Stop what `make up` started (same ARGS)
	@$(PY) -m linstock down $(ARGS)

demo: $(READY) ## Start another Linstock with a generated library, and show its first scheduled scan
	@$(PY) -m linstock demo $(ARGS)

logs: $(READY) ## Follow the log (same ARGS)
	@$(PY) -m linstock logs --follow $(ARGS)

lint: $(READY)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports

test: lint ## Lint, types, import rules, then every test (ARGS go to pytest)
	@$(PY) -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

test-clean: ## Clone into a path with a space; run `make up`, `make down`, `make test` there as root and as an ordinary user
	@.ci/clean-clone

bench: $(READY) ## Measure, compare with the targets, write docs/bench/*.json
	@$(PY) -m tests.bench $(ARGS)

bench-peers: $(READY) ## Install other job queues into .peers, measure them in one run, write docs/bench/peers.json
	@$(PY) -m tests.bench.peers $(ARGS)

faults: $(READY) ## Kill everything, again and again, and count what was lost (nothing) or doubled (nothing)
	@$(PY) -m tests.faults $(ARGS)

fuzz: $(READY) ## Fuzz the API by its own OpenAPI document, for minutes (LINSTOCK_FUZZ_SEED, LINSTOCK_FUZZ_EXAMPLES)
	@LINSTOCK_FUZZ_EXAMPLES=$${LINSTOCK_FUZZ_EXAMPLES:-100} LINSTOCK_FUZZ_SEED=$${LINSTOCK_FUZZ_SEED:-$$RANDOM} \
		$(PY) -m pytest tests/system/test_fuzz.py $(ARGS)

model: $(READY) ## Try the scanner against its model for minutes (LINSTOCK_MODEL_SEED, LINSTOCK_MODEL_EXAMPLES)
	@LINSTOCK_MODEL_EXAMPLES=$${LINSTOCK_MODEL_EXAMPLES:-500} LINSTOCK_MODEL_SEED=$${LINSTOCK_MODEL_SEED:-$$RANDOM} \
		$(PY) -m pytest tests/model -rP $(ARGS)

contracts: $(READY) ## Regenerate contracts/ from the code
	@$(PY) -m tests.contract.generate $(ARGS)

lock: $(READY) ## Resolve the newest allowed versions into requirements.lock
	@$(PY) -m uv pip compile libs/pyproject.toml --extra server --group pyproject.toml:dev --upgrade \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--quiet --output-file requirements.lock > /dev/null

clean: ## Remove .venv and caches (never data)
	@rm -rf $(VENV) .peers .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build

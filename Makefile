# What a developer runs. `make` alone prints this list; CI runs `make check test` and nothing that a laptop cannot.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := app graph resolvers domain db gpu prompts
PAGES := graph/pages
CLIENTS := tests/clients
PAGE_SOURCES := $(wildcard $(PAGES)/*.json $(PAGES)/*.mjs $(PAGES)/source/* $(PAGES)/source/*/* graph/operations/*.graphql)
LINTED := schema.graphql graph/operations $(PAGES)/source $(wildcard $(PAGES)/*.mjs $(CLIENTS)/*.mjs bench/peers/*.mjs)
# All tests: a module at a time in each process, which has a PostgreSQL of its own.
PROCESSES ?= 2
AT_ONCE := --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder
# A test that takes an hour is no test that hangs.
SOAK := $(BIN)/python -m pytest -q -o faulthandler_timeout=7200
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The lock files must not depend on how this machine's pip is set up.
COMPILE = env PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= PIP_EXTRA_INDEX_URL= CUSTOM_COMPILE_COMMAND="make lock" \
	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --build-deps-for editable \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links $(ARGS)

.PHONY: help run test check soak bench format schema lock clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime $(PAGES)/dist/.built ## Serve Velocity here, with its own PostgreSQL and the demo tenant
	@exec $(BIN)/velocity serve --demo

test: $(VENV)/.development $(PAGES)/dist/.built $(CLIENTS)/node_modules/.installed ## Run the tests; choose with ARGS="tests/domain -k stage"
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	VELOCITY_TEST_SERVER=tcp $(BIN)/python -m pytest $(AT_ONCE) -m server tests/db tests/graph
	$(BIN)/python -m pytest $(AT_ONCE)
endif

check: $(VENV)/.development $(CLIENTS)/node_modules/.installed ## Format, lint, types, import contracts, schema and migration drift, dead links
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/velocity schema | diff schema.graphql -
	$(CLIENTS)/node_modules/.bin/eslint --config $(CLIENTS)/eslint.config.mjs $(LINTED)
	$(BIN)/python -m tests.clients.released $(CLIENTS)/node_modules/.bin/graphql-inspector
	$(BIN)/python -m db.migrations.check
	$(BIN)/python -m pytest -q tests/test_documents.py

bench: $(VENV)/.development ## Compare with other servers and write the README's tables (35 minutes); ARGS=--quick is short
	$(BIN)/python -m bench $(ARGS)

soak: $(VENV)/.development $(PAGES)/dist/.built ## Slow, silent and endless clients by the thousand, and many more random documents and requests
	$(BIN)/python -m soak.abuse
	VELOCITY_FUZZ=$${VELOCITY_FUZZ:-20} $(SOAK) tests/fuzz
	VELOCITY_EQUALITY_DOCUMENTS=$${VELOCITY_EQUALITY_DOCUMENTS:-50000} $(SOAK) tests/graph/test_equality.py
	VELOCITY_ABRUPT_ENDS=5000 $(SOAK) tests/graph/test_protocol.py tests/graph/test_event_streams.py -k abrupt
	VELOCITY_KILLS=20 $(SOAK) tests/app/test_faults.py
	VELOCITY_WORKER_KILLS=100 $(SOAK) tests/app/test_worker_faults.py

format: $(VENV)/.development ## Format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: $(VENV)/.development ## Print schema.graphql from the code
	$(BIN)/velocity schema > $(VENV)/schema.graphql
	mv $(VENV)/schema.graphql schema.graphql

lock: $(VENV)/.development ## Resolve the lock files again; newer versions with ARGS=--upgrade
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
	npm --prefix $(PAGES) run --silent lock
	npm --prefix bench/peers run --silent lock
	npm --prefix $(CLIENTS) run --silent lock

clean: ## Remove what make built; the data folder stays
	rm -rf $(VENV) $(PAGES)/node_modules $(PAGES)/dist $(CLIENTS)/node_modules bench/peers/node_modules velocity.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find $(PACKAGES) bench tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The empty files below record that a step was done, so that a second start skips it.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Velocity needs Python 3.11 or newer; name one with PYTHON=…" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(BIN)/pip requirements.lock pyproject.toml
	$(INSTALL) --require-hashes --requirement requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.development: $(BIN)/pip requirements-dev.lock pyproject.toml
	$(INSTALL) --require-hashes --requirement requirements-dev.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(PAGES)/node_modules/.installed: $(PAGES)/package.json $(PAGES)/package-lock.json
	@command -v npm > /dev/null || { echo "The web pages are built with npm (Node.js 20 or newer), which is missing." >&2; exit 1; }
	npm --prefix $(PAGES) ci --loglevel=error
	@touch $@

$(CLIENTS)/node_modules/.installed: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json
	@command -v npm > /dev/null || { echo "Others' clients come from npm (Node.js 20 or newer), which is missing." >&2; exit 1; }
	npm --prefix $(CLIENTS) ci --loglevel=error
	@touch $@

$(PAGES)/dist/.built: $(PAGES)/node_modules/.installed $(PAGE_SOURCES)
	npm --prefix $(PAGES) run --silent build
	@touch $@

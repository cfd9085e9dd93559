# Tasks of qlive. `make` or `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: help run test check unit deep contract big bench docs clean

help: ## List the tasks
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: $(BIN)/.runtime ## Install what is needed and run the server on the embedded store
	$(BIN)/qlive -f qlive.conf $(ARGS)

test: check deep contract ## Lint, types, layers and all tests, with real parts (this is what CI runs)

check: $(BIN)/.dev ## The fast part: lint, types, layers, unit tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/unit -q -n 2

unit: $(BIN)/.dev ## Unit tests only
	$(BIN)/pytest tests/unit -q -n 2 $(ARGS)

deep: $(BIN)/.dev ## The machines and the races of the core once more, with many more examples
	QLIVE_TEST_EFFORT=14 $(BIN)/pytest tests/unit/core/test_machine.py tests/unit/core/test_races.py -q -n 2

contract: $(BIN)/.dev ## Contract tests only: stores, and the running server over real sockets
	$(BIN)/pytest tests/contract -q -n 3 --dist loadfile $(ARGS)

big: $(BIN)/.dev ## Starts and sweeps with 3 million accounts and 200 000 viewers; takes ten minutes
	$(BIN)/pytest tests/contract/big -m big -s -q $(ARGS)

bench: $(BIN)/.runtime ## Measure this machine; ARGS="--quick" for a glance
	$(BIN)/qlive bench $(ARGS)

docs: $(BIN)/.dev ## Draw the diagrams and write the reference anew
	$(BIN)/python docs/make_diagrams.py
	$(BIN)/python docs/make_reference.py

clean: ## Remove what was built or installed here; the database in data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A fresh Debian has python3 without ensurepip; then its package is installed (as root) and it is tried again.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "qlive needs Python 3.11 or newer: apt-get install python3"; exit 1; }
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 || { \
		rm -rf .venv; echo "installing python3-venv"; \
		$$( [ "$$(id -u)" = 0 ] || echo sudo ) sh -c 'apt-get update -qq && apt-get install -y -qq python3-venv' \
		&& $(PYTHON) -m venv .venv; }

$(BIN)/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(BIN)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(BIN)/.runtime

# One command each: everything below sets itself up (a virtual environment, packages by name).

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
KUBECTL_MINORS ?= 27 29 31 35 37

.PHONY: help setup demo test check lint types unit processes compose bench soak clean

help:  ## what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 12

$(VENV)/.installed: pyproject.toml .ci/venv
	@.ci/venv "$(PYTHON)" $(VENV)
	@touch $@

$(VENV)/.kubectl: .ci/install-kubectl $(VENV)/.installed
	@$(BIN)/python .ci/install-kubectl $(VENV)/kubectl $(KUBECTL_MINORS)
	@touch $@

setup: $(VENV)/.installed  ## the virtual environment with kubehop in it

demo: setup  ## bring up a three-node cluster, walk the scenarios, show each hop, clean up
	@$(BIN)/kubehop demo

# Tests that bring up real processes wait much; the others compute: one run of each, side by side.
PROCESSES := tests/processes tests/scenarios tests/benchmarks tests/compose
PYTEST := KUBEHOP_KUBECTL_DIR=$(abspath $(VENV)/kubectl) $(BIN)/python -m pytest

test: setup $(VENV)/.kubectl  ## every test (TESTS=path to choose)
ifdef TESTS
	@$(PYTEST) $(TESTS) $(PYTEST_ARGS)
else
	@$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) unit processes
endif

unit: setup $(VENV)/.kubectl  ## the tests of functions, and of parts on real sockets
	@$(PYTEST) tests $(PROCESSES:%=--ignore=%) $(PYTEST_ARGS)

processes: setup $(VENV)/.kubectl  ## the tests of whole clusters, with real clients
	@$(PYTEST) $(PROCESSES) $(PYTEST_ARGS)

lint: setup  ## style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup  ## mypy --strict
	@$(BIN)/mypy

check: lint types test  ## what CI runs on one machine, but for the compose test

compose: setup $(VENV)/.kubectl  ## the compose file against a real engine (needs docker-compose)
	@KUBEHOP_KUBECTL_DIR=$(abspath $(VENV)/kubectl) $(BIN)/python -m pytest tests/compose $(PYTEST_ARGS)

bench: setup  ## measure; peers in the same run, medians, results to docs/benchmarks.md
	@.ci/install-peers $(BIN)/python $(VENV)/peers
	@$(BIN)/python -m tests.benchmarks $(BENCH_ARGS)

soak: setup  ## half load for MINUTES=10 with changes all the time; result to docs/benchmarks.md
	@$(BIN)/python -m tests.benchmarks.soak --minutes $(or $(MINUTES),10)

clean:  ## what make made
	rm -rf $(VENV) build dist *.egg-info

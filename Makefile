# Trivium. `make help` lists the targets.
PYTHON  ?= python3
VENV    ?= .venv
BIN     := $(VENV)/bin
PROJECTS := common federation edge bffs/web bffs/mobile bffs/iot cli demo
SOURCES := $(PROJECTS:%=%/src)
ARGS    ?=

.DEFAULT_GOAL := help
.PHONY: help install up test conformance check format bench bench-federation federation-audit fuzz isolate lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

install: ## create the virtual environment and install the workspace into it
	@$(PYTHON) cli/bootstrap.py $(VENV)

up: install ## start the whole stack in this terminal (ARGS="--port-base 10000 --except web ...")
	@exec $(BIN)/trivium up $(ARGS)

test: install ## every unit and system test: real processes, real Valkey, no Docker, no Node (ARGS="-k name")
	@$(BIN)/python -m pytest $(ARGS)

conformance: install isolate ## the long and foreign checks
	@$(BIN)/python -m pytest -m conformance $(ARGS)

check: install ## format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports --no-cache

format: install ## put the code into shape
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format .

bench: install ## the edge beside nginx, HAProxy, Envoy and a FastAPI gateway, CPU per request (needs wrk, nginx, haproxy)
	@$(BIN)/python benchmarks/run.py $(ARGS)

bench-federation: install ## the federation engine beside Apollo Gateway and Hive Gateway (needs Node)
	@$(BIN)/python benchmarks/federation/run.py $(ARGS)

AUDIT_DIR ?= .federation-audit

federation-audit: install ## every case of the public federation audit (AUDIT_DIR=checkout; cloned when missing; needs Node 22)
	@cd federation/tests/audit && ../../../$(BIN)/python -m federation_audit prepare --dir $(abspath $(AUDIT_DIR))
	@AUDIT_DIR=$(abspath $(AUDIT_DIR)) $(BIN)/python -m pytest -m conformance federation/tests/audit $(ARGS)

fuzz: install ## compare federated answers with one plain schema for hours (ARGS="--minutes 120 --seed 7")
	@PYTHONPATH=federation/tests/fuzz:federation/tests/audit $(BIN)/python -m federation_fuzz $(ARGS)

isolate: ## install each deployable alone in a clean environment and ask its /livez
	@$(PYTHON) cli/isolate.py

UV_COMPILE := .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header \
	--no-annotate --no-emit-package trivium-common --no-emit-package trivium-federation $(UPGRADE)

lock: ## compile every requirements.lock again, keeping pins that still fit (UPGRADE=--upgrade for new ones)
	@$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv
	@$(UV_COMPILE) --group dev --all-extras $(PROJECTS:%=%/pyproject.toml) -o requirements.lock
	@for p in $(PROJECTS); do $(UV_COMPILE) --all-extras -c requirements.lock $$p/pyproject.toml -o $$p/requirements.lock || exit 1; done

clean: ## remove the virtual environments, caches and local state
	@rm -rf .venv .venv-lock .trivium .mypy_cache .ruff_cache .pytest_cache .hypothesis

# tieout. `make` alone lists the targets. Needs make and Python >= 3.11, nothing else.
#
# Paths are relative throughout, so that a folder with a space in its name does no harm, and
# programs run as modules, so that it does none either when the folder has been moved.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?=
ARGS ?=
RUN := .venv/bin/python -m
PYTEST := pytest
# Two files at a time, each with servers of its own; most tests wait for other processes.
TOGETHER := --numprocesses=2 --dist=loadfile --no-loadscope-reorder
PIP := $(RUN) pip --disable-pip-version-check --no-input
LOCK := $(RUN) piptools compile --quiet --allow-unsafe --generate-hashes --strip-extras \
	--no-emit-find-links --no-emit-index-url --no-emit-trusted-host

# An environment that was copied or moved here from another folder is made again.
MOVED := $(shell test ! -f .venv/.folder || test "$$(cat .venv/.folder)" = "$$(pwd -P)" || rm -rf .venv)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: .venv/.dev ## Make .venv with everything, for work on the code
	@echo "ready: make run, make test"

.PHONY: run
run: .venv/.run ## Start it all; without Gateway keys play a day. ARGS="--once" ends by itself
	@exec $(RUN) cli.main up $(ARGS)

.PHONY: test
test: .venv/.dev ## Every behaviour at small size. ARGS="tests/unit -k keys" runs some
	@exec $(RUN) $(PYTEST) $(TOGETHER) $(ARGS)

.PHONY: sure
sure: lint types layers docs-check audit covered bench ## All that CI runs
	@echo "sure."

.PHONY: prove
prove: .venv/.dev ## Every figure at full size, written to docs/figures.md
	@exec $(RUN) bench.prove $(ARGS)

.PHONY: bench
bench: .venv/.dev ## Short benchmarks
	@$(RUN) cli.main bench ingest --short
	@$(RUN) cli.main bench verdicts --short

.PHONY: fix
fix: .venv/.dev ## Repair layout and what else ruff can
	@$(RUN) ruff check --fix --quiet . || true
	@$(RUN) ruff format .

.PHONY: lint
lint: .venv/.dev ## Lint, layout, docstrings of tests
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) interrogate tests

.PHONY: types
types: .venv/.dev ## mypy, strict
	@exec $(RUN) mypy .

.PHONY: layers
layers: .venv/.dev ## Imports point one way
	@exec .venv/bin/python -c 'import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())'

.PHONY: docs
docs: .venv/.dev ## Write docs/settings.md anew
	@exec $(RUN) config.document

.PHONY: docs-check
docs-check: .venv/.dev ## Whether docs/settings.md and .env.example are current
	@exec $(RUN) config.document --check

.PHONY: audit
audit: .venv/.dev ## Known weaknesses of what is locked; says so when it cannot ask
	@exec .venv/bin/python .ci/audit.py

.PHONY: covered
covered: .venv/.dev ## The tests with coverage of recon, inbox, gateway, webhook
	@rm -f .coverage .coverage.*
	@$(MAKE) test PYTEST="coverage run -m pytest"
	@$(RUN) coverage combine --quiet
	@$(RUN) coverage report --include='recon/*' --fail-under=$(COVER_RECON)
	@$(RUN) coverage report --include='inbox/*' --fail-under=$(COVER_INBOX)
	@$(RUN) coverage report --include='gateway/*' --fail-under=$(COVER_GATEWAY)
	@$(RUN) coverage report --include='webhook/*' --fail-under=$(COVER_WEBHOOK)

# Least branch coverage in per cent. They only ever go up.
COVER_RECON := 95
COVER_INBOX := 90
COVER_GATEWAY := 90
COVER_WEBHOOK := 78

.PHONY: lock
lock: .venv/.dev ## Write both lock files anew from pyproject.toml
	@$(LOCK) --output-file=requirements.lock pyproject.toml
	@$(LOCK) --extra=dev --output-file=requirements-dev.lock pyproject.toml
	@if grep -nE '^ *(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)|://' requirements*.lock; then \
		echo "a lock file names an index host: take those lines out" >&2; exit 1; fi

.PHONY: clean
clean: ## Delete the environment and all caches; state in .tieout stays
	@rm -rf .venv .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------- the environment

.venv/.made:
	@python=$$(sh .ci/python "$(PYTHON)") && echo "making .venv with $$python" && \
		"$$python" -m venv --clear .venv
	@pwd -P > .venv/.folder && touch .venv/.made

.venv/.run: .venv/.made requirements.lock pyproject.toml
	@echo "installing what requirements.lock names"
	@$(PIP) install --quiet --require-hashes --requirement requirements.lock
	@PYTHONWARNINGS=ignore $(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch .venv/.run

.venv/.dev: .venv/.run requirements-dev.lock
	@echo "installing what requirements-dev.lock names"
	@$(PIP) install --quiet --require-hashes --requirement requirements-dev.lock
	@touch .venv/.dev

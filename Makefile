# make demo     paints a sample shot with the light core (no torch) and says where the result is
# make test     the default test suite; make test-slow runs the long tests too
# make check    lint, format, types, floors, documentation
# make browser  installs the browser that the tests of the studio's page need (Debian's chromium)
# make format   what ruff can mend by itself; make docs: the option tables of docs/commands.md
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help demo test test-slow check format docs browser clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo: $(VENV)/.core
	@$(BIN)/python tools/demo.py out

test: $(VENV)/.dev
	$(BIN)/python -m pytest

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m "slow or not slow" --timeout 1800

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_docs.py

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .

docs: $(VENV)/.core
	$(BIN)/python tools/command_docs.py

browser:
	@command -v chromium > /dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } \
		|| echo "chromium could not be installed: the tests of the pages will be skipped"

clean:
	rm -rf out dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find impasto tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the environment: installed again only when what it is made from has changed

$(VENV)/bin/python:
	@tools/make_venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing the core (about 700 MB, no torch) ..."
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing what the tests and checks need (learn, search, studio, live, timeline, dev) ..."
	@$(PIP) -e '.[learn,search,studio,live,timeline,dev]'
	@touch $@ $(VENV)/.core

# Needs only python3 (3.11 or newer) and make. Everything is put into .venv, once; the stamp files in it
# remember what was installed, and the pyproject.toml and constraints files make them out of date.
# All paths are relative, so that a clone may lie in a folder with spaces in its name.

PYTHON ?= python3
PY := .venv/bin/python
ARGS ?=
# the whole suite runs on all cores, a part of it in one process
JOBS ?= $(if $(ARGS),0,auto)
# LIVE=1: also what talks to real programs outside the suite, or takes long
MARKS := $(if $(LIVE),,-m 'not live')

PYPROJECTS := pyproject.toml $(wildcard plugins/*/pyproject.toml)
CONSTRAINTS := constraints/base.txt constraints/django.txt
PLUGINS := $(patsubst %/pyproject.toml,-e ./%,$(wildcard plugins/*/pyproject.toml))
PIP := $(PY) -m pip install -qq --disable-pip-version-check $(addprefix -c ,$(CONSTRAINTS)) --build-constraint constraints/base.txt

.PHONY: demo phone test lint lint-rules lint-format lint-types lint-imports docs build dev clean

demo: .venv/.demo
	@.venv/bin/djsms demo

phone: .venv/.phone
	@.venv/bin/djsms phone

# make test ARGS="-k segments" for a part; COVERAGE=1 measures and reports
test: .venv/.test
ifdef COVERAGE
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest -n $(JOBS) $(MARKS) $(ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report
else
	@$(PY) -m pytest -n $(JOBS) $(MARKS) $(ARGS)
endif

# four targets, so that make -k lint tells everything at once
lint: lint-rules lint-format lint-types lint-imports
lint-rules: .venv/.dev
	@$(PY) -m ruff check --quiet --output-format concise
lint-format: .venv/.dev
	@$(PY) -m ruff format --check --quiet --output-format concise
lint-types: .venv/.dev
	@$(PY) -m mypy
lint-imports: .venv/.dev
	@.venv/bin/lint-imports --no-logo

docs: .venv/.dev
	@$(PY) -m sphinx --quiet --fail-on-warning --keep-going docs docs/_build/html
	@echo "docs/_build/html/index.html"

# the wheel is built from the sdist, so both are proven; PLACES="plugins/djsms-nexmo" builds one of them
PLACES ?= . $(wildcard plugins/*/)
build: .venv/.dev
	@rm -rf dist
	@set -e; for folder in $(PLACES); do \
		$(PY) -m build -qq --dependency-constraints-txt constraints/base.txt --outdir dist "$$folder"; \
	done
	@ls dist/*

# everything that working on djsms needs
dev: .venv/.dev

clean:
	rm -rf .venv dist docs/_build htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

.venv/.pip: constraints/base.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, this is " + sys.version)'
	@test -x $(PY) || { echo "creating .venv"; $(PYTHON) -m venv .venv; }
	@$(PY) -m pip install -qq --disable-pip-version-check --upgrade -c constraints/base.txt pip
	@touch $@

.venv/.demo: .venv/.pip pyproject.toml plugins/djsms-console/pyproject.toml $(CONSTRAINTS)
	@echo "installing djsms and its console backend"
	@$(PIP) -e . -e ./plugins/djsms-console
	@touch $@

.venv/.phone: .venv/.pip pyproject.toml plugins/djsms-phone/pyproject.toml $(CONSTRAINTS)
	@echo "installing djsms and its phones"
	@$(PIP) -e . -e ./plugins/djsms-phone
	@touch $@

.venv/.test: .venv/.pip $(PYPROJECTS) $(CONSTRAINTS)
	@echo "installing djsms, its plugins and what the tests need"
	@$(PIP) --group test -e '.[http,opentelemetry,prometheus,testing]' $(PLUGINS)
	@touch .venv/.demo .venv/.phone $@

.venv/.dev: .venv/.test
	@echo "installing the tools for lint, docs and builds"
	@$(PIP) --group dev
	@touch $@

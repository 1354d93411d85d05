# Every target sets up what it needs; only Python 3.11+ and make have to be there.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
LOG    ?=
FORMAT ?= mapped
MAPPING ?=
FRESH  ?=

export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: setup demo test test-short test-long check style types bench wheel lock clean

# A step that says what it does, and that it goes on: $(call step,what,command)
define step
@echo "$(1)"; (while sleep 4 > /dev/null 2>&1; do echo "  $(1) ..."; done) & said=$$!; $(2); ended=$$?; kill $$said; exit $$ended
endef

setup: $(READY)

# uv goes into the new environment first: it installs the lock many times faster than pip does.
$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "regroup needs Python 3.11 or later; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(call step,making the environment $(VENV),test -x $(BIN)/python || $(PYTHON) -m venv $(VENV))
	$(call step,installing uv,$(BIN)/python -m pip install --quiet --disable-pip-version-check uv)

$(READY): $(BIN)/uv requirements.lock pyproject.toml
	$(call step,installing what requirements.lock names,$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock)
	$(call step,installing regroup itself,$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .)
	@$(BIN)/python -m experiments compile
	@touch $(READY)

demo: setup
	@$(BIN)/python -m experiments demo $(if $(LOG),--log $(LOG) --format $(FORMAT)) $(if $(MAPPING),--mapping $(MAPPING)) $(if $(FRESH),--fresh)

check: style types

style: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: setup
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Each file stays in one process, so that what its tests share is made once.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

test: style
	@$(MAKE) --no-print-directory --jobs=2 types test-short

test-short: setup
	@$(PYTEST) -m "not long"

# Slow by nature: fresh environments, processes killed under way, fuzz at length. Up to an hour.
test-long: setup
	@$(PYTEST) -m long

# The public logs lie in the folder that REGROUP_DATA names; see experiments/benchmarks/forecasts/data/datasets.py.
bench: setup
	@$(BIN)/python -m experiments benchmark history
	@$(BIN)/python -m experiments benchmark schools
	@for log in gervet-assistments09 pykt-assist2015 gervet-algebra05 assistments-2012; do \
	  $(BIN)/python -m experiments benchmark next-response --dataset $$log && \
	  $(BIN)/python -m experiments benchmark struggle --dataset $$log || exit $$?; \
	done

# With the compiled kernels inside, for this Python and platform: what is installed from it compiles nothing.
wheel: setup
	@rm -rf dist
	@$(BIN)/python -m hatchling build --target wheel --directory dist

# All that is worked with, and what the service alone needs, in the same versions.
COMPILE_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url

lock: $(BIN)/uv
	@$(COMPILE_LOCK) --all-extras --output-file requirements.lock pyproject.toml
	@$(COMPILE_LOCK) --extra serve --extra postgres --constraint requirements.lock --output-file requirements-serve.lock pyproject.toml

clean:
	rm -rf $(VENV) var dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

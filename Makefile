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

.PHONY: setup demo test check bench lock clean

setup: $(READY)

# uv goes into the new environment first: it installs the lock many times faster than pip does.
$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "regroup needs Python 3.11 or later; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(READY): $(BIN)/uv requirements.lock pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@echo "compiling the planner; once, for two to four minutes"
	@$(BIN)/python -m serving compile
	@touch $(READY)

demo: setup
	@$(BIN)/python -m experiments demo $(if $(LOG),--log $(LOG) --format $(FORMAT)) $(if $(MAPPING),--mapping $(MAPPING)) $(if $(FRESH),--fresh)

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Each file stays in one process, so that what its tests share is made once.
test: check
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

# The public logs lie in the folder that REGROUP_DATA names; see experiments/benchmarks/forecasts/datasets.py.
bench: setup
	@$(BIN)/python -m experiments benchmark history
	@$(BIN)/python -m experiments benchmark schools
	@for log in gervet-assistments09 pykt-assist2015 gervet-algebra05 assistments-2012; do \
	  $(BIN)/python -m experiments benchmark next-response --dataset $$log && \
	  $(BIN)/python -m experiments benchmark struggle --dataset $$log || exit $$?; \
	done

lock: $(BIN)/uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --all-extras --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

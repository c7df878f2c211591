# `make demo` and `make test` do all their own set-up: they need Python 3.11 or later, pip and make, nothing else.
# The virtual environment is shared; a stamp per set of extras makes the second run start at once.

PYTHON ?= python3
VENV ?= .venv
MARK ?= not slow
N ?= 2

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# What decides which versions are installed; changing either installs again.
PINS := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test lint format docs bench clean

help:
	@echo "make demo     compare the booster with LightGBM on two real tables (installs no torch)"
	@echo "make test     run the tests; MARK= runs the slow ones too"
	@echo "make lint     ruff, mypy and numpydoc"
	@echo "make format   let ruff rewrite the code"
	@echo "make docs     build the documentation into doc/_build/html"
	@echo "make bench    time fits and predictions beside LightGBM's"
	@echo "make clean    remove everything that these commands made"

# The second form serves Debian, whose Python comes without ensurepip.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { $(PYTHON) -m venv --clear --without-pip $(VENV) \
		&& $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }

$(VENV)/.stamp-demo: $(PINS) | $(BIN)/python
	$(INSTALL) --editable ".[benchmark]"
	@touch $@

$(VENV)/.stamp-test: $(PINS) | $(BIN)/python
	$(INSTALL) --editable ".[all,test]"
	@touch $@ $(VENV)/.stamp-demo

$(VENV)/.stamp-lint: $(PINS) | $(BIN)/python
	$(INSTALL) --editable ".[lint]"
	@touch $@

$(VENV)/.stamp-docs: $(PINS) | $(BIN)/python
	$(INSTALL) --editable ".[all,doc]"
	@touch $@

bench: $(VENV)/.stamp-demo
	$(BIN)/python asv_bench/compare.py
	$(BIN)/python asv_bench/first_fit.py

demo: $(VENV)/.stamp-demo
	$(BIN)/python -m skmtl.benchmark demo

# The kernels run twice more: with every index checked, and as plain Python. Neither may share Numba's cache with the
# ordinary run; tests/conftest.py gives each its own.
test: $(VENV)/.stamp-test
	$(BIN)/python -m pytest -n $(N) --dist worksteal -m "$(MARK)"
	NUMBA_BOUNDSCHECK=1 SKMTL_TEST_SIZE=small $(BIN)/python -m pytest -q -n $(N) tests/boosting/kernels
	NUMBA_DISABLE_JIT=1 SKMTL_TEST_SIZE=small $(BIN)/python -m pytest -q -n $(N) tests/boosting/kernels

lint: $(VENV)/.stamp-lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	find skmtl -name '*.py' -print0 | xargs -0 $(BIN)/numpydoc lint

format: $(VENV)/.stamp-lint
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.stamp-docs
	$(BIN)/python -m sphinx -W --keep-going -b html doc doc/_build/html

clean:
	rm -rf $(VENV) .numba_cache .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info benchmark-* doc/_build doc/generated doc/gallery doc/sg_execution_times.rst

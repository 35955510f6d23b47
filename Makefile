# corpus: `make demo` and `make test` do all their own set-up.
PYTHON ?= $(shell for one in python3.11 python3.12 python3.13; do $$one -c "" 2>/dev/null && echo $$one && break; done || echo python3)
# Given by the user: nothing then takes an environment of another Python for it.
ASKED := $(if $(filter command line environment,$(origin PYTHON)),$(PYTHON))
VENV := .venv
BIN := $(VENV)/bin
MODEL := corpus/languages/lid.176.ftz
WORKERS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# What is imported is compiled then: to compile all that is installed takes as long as to install it.
INSTALL := pip install --quiet --no-compile
# Else every process that a test starts compiles the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup same-python compiled setup-browser demo test soak engines torch-versions lint bench docs wheel clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: same-python $(VENV)/.ready compiled  ## a virtual environment with everything, at the versions of constraints.txt

same-python:
	@test -z "$(ASKED)" || ! test -x $(BIN)/python || test "$$($(ASKED) -V)" = "$$($(BIN)/python -V)" \
	|| { echo "$(VENV) is of $$($(BIN)/python -V): delete it, or name another: make setup VENV=.venv-other PYTHON=$(ASKED)"; exit 1; }

$(VENV)/.ready: pyproject.toml constraints.txt setup.py $(MODEL)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m $(INSTALL) -c constraints.txt -e '.[dev]'
	@touch $(VENV)/.trainer $@

$(VENV)/.trainer: pyproject.toml constraints.txt setup.py $(MODEL)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m $(INSTALL) -c constraints.txt -e '.[train]'
	@touch $@

# An installation has compiled it already: this is for what was changed since.
compiled: $(VENV)/.ready
	@$(BIN)/python -c 'import sys; from corpus.extract.html.blocks import is_compiled; sys.exit(not is_compiled())' \
	|| $(BIN)/python setup.py --quiet build_ext --inplace

$(MODEL): ;  # the language model, which setup.py provides

setup-browser:  ## a browser for the tests of the report (Debian's chromium); they are skipped without one
	@command -v chromium >/dev/null || (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null)

demo: $(VENV)/.trainer  ## corpus, statistics, a classifier, a minute of training, and the model writes
	$(BIN)/corpus demo --out demo-workspace --workers $(WORKERS)

test: setup  ## all tests; those on real input need CORPUS_DATA
	$(BIN)/python -m pytest tests -n auto --dist loadfile --no-loadscope-reorder

soak: setup  ## long fault and fuzz runs
	$(BIN)/python -m pytest tests -m soak -s --timeout 10800

engines: setup  ## the demo on Prism and Flink beside a local build, with kills; needs Go, Java and Maven
	$(BIN)/python -m tests.engines.run

torch-versions: setup  ## the trainer's tests with the oldest, the usual and the newest torch; gigabytes of downloads
	$(BIN)/python -m tests.trainer.torch_versions

lint: setup  ## style, types, layers, names, links, licences, documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.lint.layers
	$(BIN)/python -m tests.lint.links
	$(BIN)/python -m tests.lint.names
	$(BIN)/python -m tests.lint.licenses
	$(BIN)/python -m tests.lint.docs

.venv-datatrove/.ready: tests/benchmarks/peers/datatrove.txt
	@test -x .venv-datatrove/bin/python || $(PYTHON) -m venv .venv-datatrove
	.venv-datatrove/bin/python -m $(INSTALL) -r $<
	@touch $@

.venv-dolma/.ready: tests/benchmarks/peers/dolma.txt
	@test -x .venv-dolma/bin/python || $(PYTHON) -m venv .venv-dolma
	.venv-dolma/bin/python -m $(INSTALL) --no-deps -r $<
	@touch $@

.venv-peers/.ready: tests/benchmarks/peers/libraries.txt $(VENV)/.ready
	@rm -rf .venv-peers
	$(BIN)/python -m $(INSTALL) --no-deps --target .venv-peers -r $<
	@touch $@

bench: setup .venv-datatrove/.ready .venv-dolma/.ready .venv-peers/.ready  ## side by side with the field's tools, in one run
	@for file in tests/benchmarks/*_benchmark.py; do name=$$(basename $$file .py); \
	echo "== $$name"; $(BIN)/python -m tests.benchmarks.$$name || exit 1; done

docs: setup  ## check the links and commands of the documentation
	$(BIN)/python -m tests.lint.docs

wheel:  ## dist/*.whl, in place of the one before, for .venv's Python or PYTHON=; installs nothing
	@test -n "$(ASKED)" || test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@rm -rf build dist/corpusmill-*.whl  # modules of before would get into the wheel
	$(or $(ASKED),$(BIN)/python) -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls dist/*.whl
	@! ls dist/*-none-any.whl >/dev/null 2>&1 || echo "not compiled (no C compiler, or CORPUS_COMPILED=0): slower, and for any Python"

clean:  ## everything that was made
	rm -rf corpus/extract/html/blocks/compiled
	rm -rf $(MODEL) $(VENV) .venv-datatrove .venv-dolma .venv-peers .engines build dist *.egg-info demo-workspace .mypy_cache .ruff_cache .hypothesis

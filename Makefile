PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test thorough slow browser consumers trainers trainers-full soak bench lint lock clean

help: ## Say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 8

setup: .venv/installed ## Make .venv with the trainfold command in it

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "trainfold needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Run the whole journey on the bundled samples
	@$(BIN)/trainfold demo

test: setup ## Run the tests (on real PostgreSQL, S3 and Prefect, which they start and stop)
	$(BIN)/python -m pytest -n 3 --dist loadfile

thorough: setup ## Run longer tests: beside a rebuilt application, of the soak's judge, of the doctor's worker
	$(BIN)/python -m pytest -n 3 --dist loadfile -m thorough

slow: setup ## Run the tests that take minutes
	$(BIN)/python -m pytest -m slow

browser: setup ## Run the console's tests in a real Chromium, on the whole local stack
	$(BIN)/python -m pytest -m browser tests/console/browser

consumers: setup .venv-consumers/installed ## Give exports to the libraries that read them (installs them: 0.7 GB)
	$(BIN)/python -m pytest -m consumers tests/trainers

.venv-consumers/installed: tests/trainers/requirements-reading.txt
	$(PYTHON) -m venv .venv-consumers
	.venv-consumers/bin/python -m pip install --quiet -r tests/trainers/requirements-reading.txt
	@touch $@

trainers: setup .venv-trainers/installed ## Give exports to the library that people train with (installs it: 6 GB)
	$(BIN)/python -m pytest -m trainers tests/trainers

.venv-trainers/installed: tests/trainers/requirements.txt
	$(PYTHON) -m venv .venv-trainers
	.venv-trainers/bin/python -m pip install --quiet -r tests/trainers/requirements.txt
	@touch $@

trainers-full: setup .venv-trainers-full/installed ## Give exports to LLaMA-Factory (installs it: 7 GB)
	$(BIN)/python -m pytest -m trainers_full tests/trainers

.venv-trainers-full/installed: tests/trainers/requirements-full.txt
	$(PYTHON) -m venv .venv-trainers-full
	.venv-trainers-full/bin/python -m pip install --quiet -r tests/trainers/requirements-full.txt
	@touch $@

soak: setup ## Try over two thousand crashes, faults and races; fails if anything is lost, doubled or torn
	$(BIN)/python -m soak

bench: setup ## Measure what trainfold costs (half an hour); fails if a promise is missed
	$(BIN)/python -m benchmarks --json benchmarks.json

lint: setup ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: ## Pin all dependencies anew, with hashes and without any host (needs uv)
	uv pip compile --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --quiet \
		--output-file requirements.lock pyproject.toml

clean: ## Remove the virtual environment and caches
	rm -rf .venv .venv-consumers .venv-trainers .venv-trainers-full .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Python 3.11 or later and make are all that is needed beforehand.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
AZURITE := .azurite
# uv does not read pip's settings: give it the index that pip would use, where one is set.
PIP_INDEX = $$(printenv PIP_INDEX_URL || $(BIN)/pip config get global.index-url 2>/dev/null)
# The oldest and the newest Python that the core is tested on.
PYTHONS ?= 3.11 3.13
WITH_INDEX = index="$(PIP_INDEX)"; $${index:+env UV_DEFAULT_INDEX="$$index"}
UV_PIP = $(WITH_INDEX) $(BIN)/uv pip

# Tests that start no cluster, no server and no command of their own.
UNIT := $(addprefix tests/forecasting/,contracts core models storage presentation)
# Much of the tests is waiting, so that four workers suit two cores; a file stays on one worker.
PYTEST := $(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

.PHONY: run test unit benchmarks peers azurite test-pythons check lint types wheel setup lock format clean

run: setup ## simulate a week of sales, forecast the next ones, publish
	$(BIN)/oj simulate
	$(BIN)/oj run

test: setup ## the whole test suite
	$(PYTEST) --ignore tests/benchmarks

unit: setup ## its quick part: contracts, core, models, storage, presentation
	$(PYTEST) $(UNIT)

benchmarks: setup peers ## every script of benchmarks/ at a tiny size
	$(BIN)/pytest -n 2 tests/benchmarks

peers: $(PEERS)/.ready ## the libraries that benchmarks/panels.py compares with, in an environment of their own

azurite: $(AZURITE)/.ready ## the emulator of Azure Blob Storage that tests of lakes in a bucket use; needs npm

test-pythons: setup ## the core's tests on the oldest and the newest Python, where these are found
	@found() { for python in "python$$1" "$$(pyenv root 2>/dev/null)"/versions/"$$1".*/bin/python; do \
		"$$python" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$$1')" 2>/dev/null && echo "$$python" && return; \
	done; }; \
	for version in $(PYTHONS); do \
		if $(BIN)/python -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$$version')"; then \
			echo "Python $$version: skipped, as \`make test\` runs on it"; \
		elif ! python=$$(found "$$version"); then \
			echo "Python $$version: skipped, as it is not installed"; \
		else \
			echo "Python $$version: $$python" && \
			$(MAKE) --no-print-directory setup VENV=$(VENV)-$$version PYTHON="$$python" && \
			$(VENV)-$$version/bin/pytest -q -n 2 tests/forecasting/contracts tests/forecasting/core tests/forecasting/models || exit 1; \
		fi; \
	done

check: lint types ## lint, import contracts and types

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy

wheel: setup ## build the wheel, install it into an empty environment, run the main job from there
	@$(WITH_INDEX) .ci/wheel $(BIN)

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: $(VENV)/.ready ## the virtual environment, from the lock

$(AZURITE)/.ready: Makefile
	@npm install --silent --no-save --no-package-lock --no-audit --no-fund --prefix $(AZURITE) azurite@3.35.0
	@touch $@

$(PEERS)/.ready: benchmarks/panels_peers.txt
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet -r benchmarks/panels_peers.txt
	@touch $@

$(VENV)/.ready: requirements.lock requirements-uv.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install it, or name it with make PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing: on Debian, apt-get install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) from the lock: about a minute, once."
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-uv.lock
	@$(UV_PIP) sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@$(UV_PIP) install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@# Without .pyc files an import of Prefect takes 12 s instead of 3, and they may not be written later.
	@$(BIN)/python -m compileall -q deployments flows forecasting
	@touch $@

lock: setup ## resolve the dependencies anew
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --all-extras -o requirements.lock pyproject.toml
	echo uv | $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		-c requirements.lock -o requirements-uv.lock -

clean: ## remove what setup and the demo made
	rm -rf $(VENV) $(VENV)-* $(AZURITE) lake

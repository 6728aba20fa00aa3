# Needs Python 3.11 or newer and make. npm is used where it is; otherwise it comes from a
# PyPI wheel. Every step leaves a stamp, so that a second `make run` starts at once.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
# uv where it could be installed, pip otherwise; both check the same hashes.
INSTALL = $(shell test -x $(BIN)/uv && echo "$(BIN)/uv pip install -q --python $(BIN)/python" \
	|| echo "$(BIN)/python -m pip install -q --disable-pip-version-check")
COMPILE = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header
# Half of the suite's time is waiting for processes: four at a time keep two cores busy.
TEST_PROCESSES ?= 4
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

# A machine may forbid compiled modules; without them LiteLLM takes twice as long to import,
# in each worker and each test process anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup dev run test lint bench lock clean
.DEFAULT_GOAL := setup

setup: $(STAMPS)/studio static/vendor/.stamp

dev: setup $(STAMPS)/dev

run: setup
	@$(BIN)/studio serve

$(STAMPS)/venv: requirements-uv.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; name it with make PYTHON=/path/to/python3."; exit 1; }
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.lock \
		|| echo "uv could not be installed; pip does its work, more slowly."
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/requirements: requirements.lock $(STAMPS)/venv
	$(INSTALL) --require-hashes -r requirements.lock
	@touch $@

$(STAMPS)/studio: pyproject.toml $(STAMPS)/requirements
	$(INSTALL) --no-deps -e .
	@touch $@

# What takes longest to compile is compiled once, not by each test process at the same time.
$(STAMPS)/dev: requirements-dev.lock $(STAMPS)/requirements
	$(INSTALL) --require-hashes -r requirements-dev.lock
	@for name in litellm openai mcp; do $(BIN)/python -m compileall -q -j 0 \
		"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/$$name" >/dev/null || true; done
	@touch $@

$(STAMPS)/node: requirements-node.lock $(STAMPS)/venv
	$(INSTALL) --require-hashes -r requirements-node.lock
	@touch $@

# The copy of the lock inside node_modules is npm's own stamp: it is written last.
node_modules/.package-lock.json: package.json package-lock.json | $(STAMPS)/venv
	@if command -v npm >/dev/null; then npm ci --loglevel=error; \
		else $(MAKE) --no-print-directory $(STAMPS)/node && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --loglevel=error; fi
	@touch $@

static/vendor/.stamp: scripts/vendor.py node_modules/.package-lock.json
	@$(BIN)/python scripts/vendor.py
	@touch $@

test: dev
	$(BIN)/python -m pytest -m "not browser" -n $(TEST_PROCESSES) --dist worksteal
ifneq ($(wildcard tests/browser/test_*.py),)
	@if test -n "$(CHROMIUM)"; then $(BIN)/python -m pytest -m browser; \
		else echo "Chromium is not installed: the browser tests were left out."; fi
endif

lint: dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet

ifneq ($(wildcard tests/bench/__main__.py),)
bench: dev
	$(BIN)/python -m tests.conformance
	$(BIN)/python -m tests.bench
endif

# Pins everything anew from pyproject.toml and package.json. No lock holds an address.
lock: $(STAMPS)/venv
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock
	$(COMPILE) --group uv -o requirements-uv.lock
	$(COMPILE) --group node -o requirements-node.lock
	npm install --package-lock-only --loglevel=error
	$(BIN)/python scripts/plain_lock.py

clean:
	rm -rf $(VENV) node_modules static/vendor

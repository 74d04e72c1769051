# `make` lists the targets; each line after `##` is what it does.
.DEFAULT_GOAL := help
.PHONY: help demo demo-once quick test lint types style check soak bench text pictures requirements clean
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -q
# Most tests wait for something most of the time: more of them than there are processors run at once.
# One that fails in that crowd is run again alone, and has to pass there: see DECISIONS.md, 18.
WORKERS ?= 4

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: .setup-demo ## a whole booth in the browser, and its server: prints both addresses and a log-in
	$(BIN)/booth-desk

demo-once: .setup-demo ## one whole call with no human: prints each step and the record on the server
	@$(BIN)/booth-desk --once

quick: .setup-test ## the core's fast tests: call flow, guard, numbers, lists (< 20 s)
	$(PYTEST) -m "not slow and not soak and not hypothesis" $(QUICK:%=tests/firmware/test_%.py)
QUICK := callflow redial rulings boundaries rules_of_law rulepack hours numbers results keying claims settings listfile

test: .setup-test ## every test in its small size (<= 12 min)
	$(PYTEST) -m "not soak" -n $(WORKERS) --dist worksteal || $(PYTEST) -m "not soak" --last-failed --last-failed-no-failures none

lint: .setup-test ## ruff, formatting, spelling
	$(BIN)/ruff check hw firmware provisioning tests
	$(BIN)/ruff format --check hw firmware provisioning tests
	$(BIN)/codespell hw firmware provisioning tests Makefile *.md

types: .setup-test ## mypy --strict
	$(BIN)/mypy

style: .setup-test ## the size budgets, the direction of imports, names
	$(PYTEST) tests/test_style.py tests/test_house.py

check: lint types style test ## everything that CI runs, what fails fastest first

soak: .setup-test ## the full numbers of every proof (some hours, on a machine that has nothing else to do)
	$(PYTEST) -s -m soak --timeout 3600

bench: .setup-bench ## key to LCD, key to ATD, guard, a recorded call and its delay, call end to playable, the card, the server, registers
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench_server
	$(BIN)/python -m tests.bench_uploads
	$(BIN)/python -m tests.bench_polls
	$(BIN)/python -m tests.bench_processes
	$(BIN)/python -m tests.bench_sync
	$(BIN)/python -m tests.bench_card
	$(BIN)/python -m tests.bench_claims
	$(BIN)/python -m tests.bench_guard
	$(BIN)/python -m tests.bench_facts
	$(BIN)/python -m tests.bench_voice

text: .setup-test ## compile the translations after editing a .po file
	$(BIN)/python -m babel.messages.frontend compile --directory firmware/text --domain booth --statistics
	$(BIN)/python -m babel.messages.frontend compile --directory firmware/text --domain doctor --statistics
	$(BIN)/python -m babel.messages.frontend compile --directory provisioning/server/pages/words --domain pages --statistics
	$(BIN)/python -m babel.messages.frontend compile --directory provisioning/server/operations/words --domain operations --statistics
	$(BIN)/python -m babel.messages.frontend compile --directory provisioning/recovery/text --domain recovery --statistics

pictures: .setup-test ## take the README's pictures anew
	$(BIN)/python -m tests.pictures

requirements: .setup-test ## pin the newest versions, by hash only
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --upgrade $(PINS) --extra desk --extra server -o provisioning/requirements/demo.txt pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade $(PINS) --extra desk --extra server --extra device --extra test -c provisioning/requirements/demo.txt -o provisioning/requirements/test.txt pyproject.toml
PINS := --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --allow-unsafe

clean: ## forget the virtual environment and the demo's data
	rm -rf .venv .demo

.PHONY: .setup-demo .setup-test .setup-bench
.setup-demo .setup-test .setup-bench: .setup-%:
	@provisioning/setup.sh $*

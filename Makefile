# The commands of this repository. Each sets up what it needs first.
SHELL := /bin/bash
BIN := .venv/bin
DEMO ?= datasets/pos2
.PHONY: setup demo test slow bench check fix

setup:
	@PYTHON="$(PYTHON)" .ci/setup

demo: setup ## Record the README's example with the scripted expert.
	@$(BIN)/studio record --operator expert --episodes 20 --at 0.337 -0.015 --jitter 0.02 --yaw free --to $(DEMO) \
	  $$(test -e $(DEMO)/meta/info.json && echo --resume) >/dev/null
	@$(BIN)/studio inspect $(DEMO) --poster $(DEMO).png

test: setup ## Fast tests, at most 20 minutes on two cores.
	@.ci/test

slow: setup ## Every number of the acceptance lists.
	@$(BIN)/python -m pytest -m slow

bench: setup ## Every wall-clock figure; results go to BENCHMARKS.md by hand, with the command.
	@for script in tests/benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

check: setup ## Format, lint, types, import contracts.
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

fix: setup ## Format and mend what can be mended.
	@$(BIN)/ruff format . ; $(BIN)/ruff check --fix .

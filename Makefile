# make setup · make test · make lint · make gallery · make clean
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup test lint gallery clean

setup: $(BIN)/python
	$(BIN)/pip install -q -e '.[test,pdf]'

$(BIN)/python:
	$(PYTHON) -m venv .venv

test:
	$(BIN)/python -m pytest -q -n 2

lint:
	$(BIN)/ruff check .
	$(BIN)/mypy --strict symderiv
	$(BIN)/lint-imports

gallery:
	$(BIN)/symderiv gallery -o output/gallery

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

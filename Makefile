# make setup · make test · make lint · make gallery · make lemmas · make mutants · make clean
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup test lint gallery lemmas mutants clean

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

# The proofs of the stated derivatives, kept in symderiv/proof/lemmas.json.
lemmas:
	$(BIN)/python -c "from symderiv.proof.lemmas import rewrite_cache; rewrite_cache()"

# Errors planted in lines that are new, and which test rejects each: tests/mutation/results.txt.
mutants:
	$(BIN)/python -m tests.mutation.run --missing --record

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

"""A test of the tests: an error planted anywhere in the mathematics makes the build fail.

A few of the list are always tried, ``SYMDERIV_MUTANTS=all`` tries all of it (an hour), and
``python -m tests.mutation.run --record`` does the same and writes what rejected each to
``results.txt``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.mutation.checks_derivations import *  # noqa: F403
from tests.mutation.checks_forms import *  # noqa: F403
from tests.mutation.checks_forward import *  # noqa: F403
from tests.mutation.checks_layers import *  # noqa: F403
from tests.mutation.mutator import mutants, planted
from tests.mutation.run import FILES, equivalents, every, listed, results

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = 12


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="each mutant is a forked process")
def test_every_planted_error_is_rejected() -> None:
    everything = os.environ.get("SYMDERIV_MUTANTS") == "all"
    command = [sys.executable, "-m", "tests.mutation.run"]
    command += [] if everything else ["--sample", str(SAMPLE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    survived = [line for line in done.stdout.splitlines() if "SURVIVED" in line]
    assert survived == []
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_list_is_long_and_has_something_of_every_file_and_kind() -> None:
    chosen = listed()
    assert len(chosen) >= 500
    assert {m.file for m in chosen} == {f for f in FILES if (ROOT / "symderiv" / f).exists()}
    kinds = Counter(m.kind for m in chosen)
    assert len(kinds) >= 15 and min(kinds.values()) >= 5
    assert len({m.id for m in chosen}) == len(chosen)


def test_every_row_and_function_of_calculus_is_on_the_list() -> None:
    there = {(m.file, m.where) for m in every() if m.file.startswith("calculus/")}
    assert there <= {(m.file, m.where) for m in listed()}


def test_every_mutant_of_the_list_was_rejected_or_is_equivalent() -> None:
    """``results.txt`` is in step with the list; a changed line of code needs its mutants run."""
    known = results()
    assert set(known) == {m.key for m in listed()}, "run python -m tests.mutation.run --missing"
    assert [key for key, told in known.items() if told == "survived"] == []
    assert {key for key, told in known.items() if told == "equivalent"} <= set(equivalents())
    rejected = [told for told in known.values() if told != "equivalent"]
    assert len(rejected) >= 500


def test_what_is_called_equivalent_exists_and_has_a_reason() -> None:
    known = {m.key for m in every()}
    stale = [key for key in equivalents() if key not in known]
    assert stale == []
    assert all(len(reason) > 40 for reason in equivalents().values())


SOURCE = '''
"""A text."""
def slope(a: int, b: list[int]) -> int:
    """Another text."""
    if a > 0 and b:
        b.append(1)
        return a - f(a, b[0])
    raise ValueError("no %s" % a)
'''


def test_the_mutator_plants_one_error_and_leaves_texts_alone(tmp_path: Path) -> None:
    import ast

    path = tmp_path / "sample.py"
    path.write_text(SOURCE, encoding="utf-8")
    found = mutants(path, "sample.py")
    assert {m.kind for m in found} >= {
        "operator", "operands swapped", "operand dropped", "constant", "comparison", "and/or",
        "condition dropped", "condition negated", "arguments swapped", "statement dropped",
    }  # fmt: skip
    original = ast.unparse(ast.parse(SOURCE))
    texts = [ast.unparse(planted(path, m)) for m in found]
    assert original not in texts and len(set(texts)) == len(texts)
    assert all('"""A text."""' in t and "no %s" in t and "list[int]" in t for t in texts)
    assert ast.unparse(ast.parse(path.read_text(encoding="utf-8"))) == original

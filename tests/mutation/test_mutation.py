"""A test of the tests: an error planted anywhere in the mathematics makes the build fail.

``SYMDERIV_MUTANTS=some`` tries a fixed sample of the list, ``SYMDERIV_MUTANTS=all`` all of it (half
an hour), and ``python -m tests.mutation.run`` does the same and says what rejected each.
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
from tests.mutation.run import FILES, equivalents, every, listed

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = 60


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="each mutant is a forked process")
@pytest.mark.skipif(not os.environ.get("SYMDERIV_MUTANTS"), reason="SYMDERIV_MUTANTS is not set")
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


def test_what_is_called_equivalent_exists_and_has_a_reason() -> None:
    known = {m.key for m in every()}
    stale = [key for key in equivalents() if key not in known]
    assert stale == []
    assert all(len(reason) > 20 for reason in equivalents().values())


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

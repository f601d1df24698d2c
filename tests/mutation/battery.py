"""What every mutant has to pass, from quick to slow: the build in small.

It asks of derivations that they are proved and agree with numbers, of definitions that they have
published values, of the algebra its properties, of the checker that it refuses what is false, of
closed forms that they read as in ``tests/calculus``, of the gallery that it prints as committed,
and last of the properties again, with as many examples as the build has. The first complaint ends
it.
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

MODULES = (
    "tests.calculus.test_tables_published",
    "tests.calculus.test_rewritings",
    "tests.calculus.test_small_graphs",
    "tests.mutation.checks_forward",
    "tests.calculus.test_layers_formulas",
    "tests.mutation.checks_derivations",
    "tests.proof.test_red_team",
    "tests.proof.test_red_team_fields",
    "tests.proof.test_red_team_kernel",
    "tests.proof.test_red_team_bound",
    "tests.proof.test_red_team_together",
    "tests.proof.test_defined",
    "tests.proof.test_red_team_objects",
    "tests.proof.test_attacks",
    "tests.proof.test_wellformed",
    "tests.proof.test_sizes",
    "tests.proof.test_rates",
    "tests.proof.test_premises",
    "tests.proof.test_decide",
    "tests.proof.test_exponentials",
    "tests.proof.test_reals",
    "tests.proof.test_counting",
    "tests.calculus.test_conditions",
    "tests.calculus.test_rows",
    "tests.calculus.test_kinks",
    "tests.calculus.test_added_rows",
    "tests.code.test_starts",
    "tests.calculus.test_direct_cost",
    "tests.calculus.test_graph_names",
    "tests.frontend.test_hyperparameters",
    "tests.code.test_scalars",
    "tests.calculus.test_tables_cancel",
    "tests.mutation.checks_forms",
    "tests.calculus.test_pairs:test_the_famous_ones_read_as_in_textbooks",
    "tests.mutation.checks_layers",
    "tests.mutation.checks_gallery",
    "tests.algebra.test_index",
    "tests.algebra.test_normal_form",
    "tests.algebra.test_binding",
    "tests.algebra.test_collapse",
    "tests.proof.test_meaning_rates",
    "tests.proof.test_field_properties",
    "tests.calculus.test_layers_planted",
    "tests.proof.test_check_random",
    "tests.proof.test_check_planted:test_an_error_in_a_step_is_not_proved",
)
PROPERTIES = (
    "tests.algebra.test_index",
    "tests.algebra.test_normal_form",
    "tests.algebra.test_binding",
    "tests.algebra.test_collapse",
)


def run() -> str:
    """The name of the first test that fails, and how; empty if all pass."""
    return _run(MODULES, divisor=6) or _run(PROPERTIES, divisor=1)


def _run(entries: tuple[str, ...], divisor: int) -> str:
    """``divisor`` is by how many the number of examples of a property test is divided."""
    os.environ["SYMDERIV_EXAMPLES"] = str(divisor)
    for name in [n for n in sys.modules if n.startswith("tests.algebra.")]:
        del sys.modules[name]  # the number of examples is read when they are loaded
    for entry in entries:
        name, _, only = entry.partition(":")
        where = name.rpartition(".")[2]
        try:
            module = importlib.import_module(name)
            for test, call in tests_of(module):
                if test.startswith(only):
                    where = f"{name.rpartition('.')[2]}.{test}"
                    call()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever it is, the build would fail
            if type(error).__name__ == "Skipped":
                continue
            told = " ".join(str(error).split())[:120]
            return f"{where}: {type(error).__name__} {told}".strip()
    return ""


def tests_of(module: Any) -> Iterator[tuple[str, Callable[[], object]]]:
    """The tests of a module, one for each set of parameters; none of those that need fixtures."""
    for name, test in list(vars(module).items()):
        if not name.startswith("test_") or not callable(test):
            continue
        given: list[list[dict[str, Any]]] = []
        for mark in getattr(test, "pytestmark", []):
            if mark.name == "parametrize":
                names, values = mark.args[:2]
                split = [n.strip() for n in names.split(",")] if isinstance(names, str) else names
                given.append(
                    [dict(zip(split, v if len(split) > 1 else [v], strict=True)) for v in values]
                )
        known = {n for choices in given for n in (choices[0] if choices else {})}
        inner = getattr(test, "hypothesis", None)
        wanted = () if inner else test.__code__.co_varnames[: test.__code__.co_argcount]
        if set(wanted) - known:
            continue
        for choice in itertools.product(*given):
            merged = {k: v for part in choice for k, v in part.items()}
            yield name, lambda test=test, merged=merged: skipping(test, merged)


def skipping(test: Callable[..., object], given: dict[str, Any]) -> None:
    """Run a test; being skipped is passing."""
    try:
        test(**given)
    except BaseException as error:
        if type(error).__name__ != "Skipped":
            raise

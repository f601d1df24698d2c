"""Any expression over any shapes: a message with a column, or a derivation, no step false."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symderiv
from symderiv.calculus.backprop import backprop
from symderiv.calculus.simplify import TooLong
from symderiv.frontend.build import build_graph
from symderiv.frontend.errors import SpecError
from symderiv.frontend.network import Network
from symderiv.frontend.nodes import names, walk
from symderiv.frontend.program import variables
from symderiv.proof.check import check
from symderiv.proof.verdict import Status

SECONDS = 2.0  # of this process, SymPy's import among them
VARIABLES = ("x", "y", "X", "A", "W", "c")
SIZES = ("m", "n", "n", "n", "k", "1", "3")

_atoms = st.sampled_from((*VARIABLES, *VARIABLES, "0", "1", "2", "0.5", "pi"))
_entrywise = st.sampled_from(
    ("exp", "log", "sqrt", "abs", "sign", "sin", "tan", "tanh", "cosh", "arctan", "erf", "sigmoid",
     "softplus", "relu", "leaky_relu", "gelu", "sigmoid'", "softmax", "log_softmax")
)  # fmt: skip
_reductions = st.sampled_from(
    ("sum({})", "mean({})", "max({})", "norm({})", "trace({})", "diag({})", "sum({}, axis=0)",
     "mean({}, axis=-1)", "sum({}, axis=1, keepdims=True)", "min({}, axis=0)", "({}).T", "-({})",
     "({})[0]", "({})**2", "({})**-1", "({})**0.5", "({})**c", "({})**(1/3)", "({})[0,1]")
)  # fmt: skip
_pairs = st.sampled_from(
    ("({} + {})", "({} - {})", "{}*{}", "{} @ {}", "({}/{})", "maximum({}, {})", "dot({}, {})",
     "outer({}, {})", "where({} > {}, x, y)", "({} <= {})")
)  # fmt: skip


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds(lambda f, e: f"{f}({e})", _entrywise, inner),
        st.builds(lambda f, e: f.format(e), _reductions, inner),
        st.builds(lambda f, a, b: f.format(f"({a})", f"({b})"), _pairs, inner, inner),
    )


expressions = st.recursive(_atoms, _larger, max_leaves=5)
long_expressions = st.recursive(_atoms, _larger, max_leaves=25)
shapes = st.fixed_dictionaries(
    {v: st.lists(st.sampled_from(SIZES), min_size=1, max_size=2) for v in ("x", "y", "X", "A", "W")}
)
LIKELY = {"x": ["n"], "y": ["n"], "X": ["m", "n"], "A": ["n", "n"], "W": ["n", "k"]}


def seconds(program: str, declared: dict[str, list[str]]) -> float:
    """The time that the graph and its derivation take; no step of it may be false."""
    started = time.process_time()
    built = build_graph(Network.build(program=program, shapes=declared))
    try:
        checked = check(backprop(built.graph, built.wrt))
    except TooLong:  # one line tells the user
        return time.process_time() - started
    assert not checked.refuted
    for chain in checked.chains:
        for step, verdict in chain.steps:
            reason = verdict.method.startswith(("not applicable", "a premise"))
            assert verdict.status is not Status.UNDECIDED or reason, (step.rule, verdict)
    return time.process_time() - started


@settings(max_examples=250)
@given(expressions, st.booleans(), st.booleans(), shapes)
def test_an_error_with_a_column_or_a_derivation(
    text: str, total: bool, likely: bool, any_shapes: dict[str, list[str]]
) -> None:
    program = f"J = sum({text})" if total else f"J = {text}"
    try:
        used = variables(Network.build(program=program).program)
        chosen = LIKELY if likely else any_shapes
        declared = {name: chosen[name] for name in used if name in chosen}
        build_graph(Network.build(program=program, shapes=declared))
    except SpecError as error:
        assert error.caret() or "does not depend on any variable" in str(error)
        assert "\n" not in str(error)
        return
    assert any(seconds(program, declared) < SECONDS for _ in range(2)), program


@settings(max_examples=400)
@given(long_expressions, st.booleans())
def test_long_expressions_take_no_longer(text: str, total: bool) -> None:
    program = f"J = sum({text})" if total else f"J = {text}"
    try:
        used = variables(Network.build(program=program).program)
        declared = {name: LIKELY[name] for name in used if name in LIKELY}
        build_graph(Network.build(program=program, shapes=declared))
    except SpecError:
        return
    assert any(seconds(program, declared) < SECONDS for _ in range(2)), program


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("softmax(x)/softmax(x)", "np.full_like(x, 0)"),
        ("norm(x)**2/norm(x)", "2 * (1 / np.sqrt(s) - s / (2 * np.sqrt(s)**3)) * x"),
        ("sum(x)/exp(sum(x))", "np.full_like(x, 1 / np.exp(s) - s / np.exp(s))"),
    ],
)
def test_a_quotient_of_what_comes_again_has_a_gradient(text: str, line: str) -> None:
    """Once each of them grew beyond what can be read."""
    made = symderiv.derive(Network.build(program=f"J = {text}", shapes={"x": "n"}))
    assert not made.unproved
    assert made.gradient("x").numpy() == f"dx = {line}"


@settings(max_examples=100)
@given(st.lists(expressions, min_size=1, max_size=4), shapes)
def test_programs(texts: list[str], declared: dict[str, list[str]]) -> None:
    """Statements that use one another; equal parts are one."""
    program = {f"q{n}": f"({text})*{f'q{n - 1}' if n else 'c'}" for n, text in enumerate(texts)}
    try:
        net = Network.build(program=program)
        known = {n for _, value in net.program for n in names(value)}
        used = {name: shape for name, shape in declared.items() if name in known}
        graph = build_graph(Network.build(program=program, shapes=used)).graph
    except SpecError as error:
        assert error.caret() or "does not depend on any variable" in str(error)
        return
    defined = [d.target.name for d in graph.definitions]
    assert len(set(defined)) == len(defined)
    assert not {t.name for t in graph.inputs} & set(defined)
    bodies = [str(d.body) for d in graph.definitions]
    assert len(bodies) < 40 * sum(1 for _, value in net.program for _ in walk(value))

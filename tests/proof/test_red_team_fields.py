"""More attempts to have something false called proved, or something true called false.

Numbers that vanish in the field, draws that can be foreseen, names that spell something else,
indices with forged numbers, derivatives that read as others. Each succeeded once.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Partial,
    Pow,
    Role,
    Sum,
    Tensor,
    apply,
    mul,
    sum_over,
)  # fmt: skip
from symderiv.algebra.index import Axis, Index, Size, Var, as_index, fresh, newest
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.graph import Graph
from symderiv.calculus.steps import Adjoint, Derivation, Uses
from symderiv.proof.decide import Statement, Worlds, structural
from symderiv.proof.field import P, World
from symderiv.proof.likeness import Memory, spelled
from symderiv.proof.verdict import Status, Verdict
from symderiv.proof.wellformed import IllFormed
from tests.proof.by_steps import check
from tests.proof.test_red_team import adjoint_of, linear, one_step, squares, step

X, W = Tensor("x")[()], Tensor("w")[()]
NOWHERE = Graph((), Tensor("C"))


def judged(left: Expr, right: Expr) -> Verdict:
    return structural(Statement(left, right, Worlds(NOWHERE)), left, right)


def numbers(w: Expr) -> list[Expr]:
    return [P * w, Add(((P - 1) * w, w)), w * (2 * P), P**3 * w, Mul((Number.of(P), w, w))]


@pytest.mark.parametrize("n", range(5))
def test_a_number_that_is_0_in_the_field_alone(n: int) -> None:
    graph, x, w, j = linear()
    dw, true = adjoint_of(w, graph.cost), sum_over(j, x[j])
    bad = Add((true, numbers(w[()])[n]))
    one = check(Derivation(graph, (one_step(dw, bad),))).chains[0]
    two = check(Derivation(graph, (Adjoint(dw, (), (step(dw[()], true), step(true, bad)), bad),)))
    assert one.verdicts[0].status is not Status.PROVED
    assert two.chains[0].verdicts[1].status is not Status.PROVED


def test_the_draws_cannot_be_foreseen() -> None:
    zero = mul(*(W - World(NOWHERE, {}, 1000 * t).draw("entry auxiliary w", ()) for t in range(3)))
    assert judged(X, X + zero).status is not Status.PROVED


def test_a_name_spells_nothing_else() -> None:
    def f(name: str, number: int) -> Expr:
        return Apply(name, (Number.of(number),), (0,))

    honest, forged = Add((f("f", 1), f("f", 2))), Add((f("f (0,) 1) (f", 2),))
    assert spelled([honest], lambda _: ()) != spelled([forged], lambda _: ())
    axes = (Axis("a 1..3", Index(4)), Axis("a", Index(4)))
    tensors = [Tensor("t", (fresh(axis),))[1] for axis in axes]
    assert len({spelled([t], lambda _: ()) for t in tensors}) == 2


def over_time() -> tuple[Graph, Tensor, Tensor, Axis]:
    b = Builder()
    times = b.axis("time", "T", ordered=True)
    x, w = b.tensor("x", [times], Role.INPUT), b.tensor("w", [], Role.PARAMETER)
    c = b.tensor("C", [], Role.COST)
    (t,) = b.over(times)
    b.define(c, [], sum_over(t, w[()] * x[t]))
    graph = b.graph(c)
    return graph, x, adjoint_of(w, c), times


def test_an_index_has_one_range_in_the_whole_process() -> None:
    graph, x, dw, times = over_time()
    memory = Memory()
    one = Number.of(1)
    j = fresh(times)
    honest = Derivation(graph, (one_step(dw, Sum(j, Mul((x[j], one)))),))
    assert check(honest, memory).chains[0].verdicts[0].status is Status.PROVED
    three = Axis("time", Index(3), ordered=True)
    for k in (Var(j.uid, j.name, three), fresh(three)):
        forged = Derivation(graph, (one_step(dw, Sum(k, Mul((x[k], one)))),))
        try:
            verdict = check(forged, memory).chains[0].verdicts[0]
        except IllFormed:
            continue
        assert verdict.status is not Status.PROVED


def test_a_number_of_ones_own_is_refused() -> None:
    b = Builder()
    n = b.axis("unit", "n")
    x, c = b.tensor("x", [n], Role.INPUT), b.tensor("C", [], Role.COST)
    (i,) = b.over(n)
    b.define(c, [], sum_over(i, x[i] ** 2))
    graph = b.graph(c)
    k, j = fresh(n), Var(newest() + 2, "j", n)
    with pytest.raises(IllFormed):
        check(Derivation(graph, (one_step(adjoint_of(x, c), 2 * sum_over(k, x[k]), j),)))


def test_a_derivation_survives_a_pickle_in_another_process(tmp_path: Path) -> None:
    graph, t, _ = squares(example_loss=False)
    path = tmp_path / "derivation.pickle"
    path.write_bytes(pickle.dumps(backprop(graph, [t["w"]])))
    code = (
        "import pickle, pathlib, sys\n"
        "from symderiv.proof.check import check\n"
        "d = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "for _ in range(20):\n"
        "    c = check(d)\n"
        "    assert not c.unproved and not c.refuted\n"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run(
        [sys.executable, "-c", code, str(path)], check=True, cwd=root, env={**os.environ}
    )


@pytest.mark.parametrize(
    "wrapped", [lambda e: Add((e,)), lambda e: Mul((e,)), lambda e: Pow(e, 1)], ids=range(3)
)
def test_a_partial_derivative_in_disguise_is_not_read_as_a_total_one(wrapped: object) -> None:
    graph, t, _ = squares(example_loss=False)
    honest = backprop(graph, [t["w"]])
    last = honest.adjoints[-1]
    part = Partial(wrapped(t["C"][()]), t["w"][()])  # type: ignore[operator]
    more = Add((last.closed, part))
    spoilt = Adjoint(last.tensor, (), (*last.steps, step(last.closed, more)), more)
    checked = check(Derivation(graph, (*honest.adjoints[:-1], spoilt)))
    assert checked.chains[-1].verdicts[-1].status is Status.UNDECIDED


def test_an_axis_called_example_where_examples_interact() -> None:
    b = Builder()
    examples, units = b.examples, Axis("unit", as_index(Size("m")))
    x, w = b.tensor("x", [examples], Role.INPUT), b.tensor("w", [], Role.PARAMETER)
    z, q = b.tensor("z", [examples]), b.tensor("q", [units, examples])
    loss, cost = b.tensor("l", [examples], Role.LOSS), b.tensor("C", [], Role.COST)
    (s,) = b.over(examples)
    b.define(z, [s], w[()] * x[s])
    r, s = b.over(examples, examples)
    b.define(q, [r, s], z[r] * z[s])
    (s,), (u,) = b.over(examples), b.over(units)
    b.define(loss, [s], sum_over(u, q[u, s]))
    (s,) = b.over(examples)
    b.define(cost, [], sum_over(s, loss[s]))
    graph = b.graph(cost, loss)
    (u,), (s,), (k,), (t,) = b.over(units), b.over(examples), b.over(examples), b.over(examples)
    dq, dz = adjoint_of(q, loss), adjoint_of(z, loss)
    two = 2 * sum_over(k, z[k])
    chain = Adjoint(dz, (as_index(t),), (step(Access(dz, (as_index(t),)), two, Uses(dq)),), two)
    with pytest.raises(IllFormed):
        check(Derivation(graph, (one_step(dq, Number.of(1), u, s), chain)))


def absolute(e: Expr) -> Expr:
    return apply("abs", e)


def root(e: Expr) -> Expr:
    return apply("sqrt", e)


THREE = Number.of(3)
FALSE = [
    (absolute(THREE), -THREE),
    (absolute(3 * X), -3 * absolute(X)),
    (apply("positive", 3 * X), apply("positive", -X)),
    (root(Number.of(9)), -THREE),
    (root(9 * X), -3 * root(X)),
    *((apply("positive", X + k), apply("positive", X)) for k in (3, 16, 18, 27, 59)),
]


@pytest.mark.parametrize("pair", FALSE, ids=range(len(FALSE)))
def test_what_the_signs_of_the_field_say_is_no_test(pair: tuple[Expr, Expr]) -> None:
    assert judged(*pair).status in (Status.REFUTED, Status.UNDECIDED)


def test_what_is_not_known_yet_refutes_nothing() -> None:
    """∂C/∂w = Σ dz x is followed by the value that dz gets only later: true, and not refuted."""
    graph, t, b = squares(example_loss=False)
    x, w, z = t["x"], t["w"], t["z"]
    dw, dz, dl = (adjoint_of(of, graph.cost) for of in (w, z, t["l"]))
    s, q, k, m = (fresh(b.examples) for _ in range(4))
    first, second = sum_over(s, dz[s] * x[s]), sum_over(q, 2 * w[()] * x[q] ** 2)
    steps = (step(dw[()], first), step(first, second))
    early = Adjoint(dw, (), steps, second)
    derivation = Derivation(
        graph, (early, one_step(dl, Number.of(1), k), one_step(dz, 2 * z[m], m))
    )
    assert not check(derivation).refuted


def test_a_fact_that_the_point_does_not_satisfy_refutes_nothing() -> None:
    b = Builder()
    n = b.axis("unit", "n")
    x, w = b.tensor("x", [n], Role.INPUT), b.tensor("w", [], Role.PARAMETER)
    c = b.tensor("C", [], Role.COST)
    i, j, k = b.over(n, n, n)
    b.define(c, [], w[()] * sum_over(i, x[i] ** 2))
    b.assume(sum_over(j, x[j] ** 2), Number.of(1), "unit length")
    graph = b.graph(c)
    dw, whole = adjoint_of(w, c), sum_over(k, x[k] ** 2)
    steps = (step(dw[()], whole), step(whole, Number.of(1), graph.facts[0]))
    checked = check(Derivation(graph, (Adjoint(dw, (), steps, Number.of(1)),)))
    assert not checked.refuted

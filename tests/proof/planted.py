"""Derivations with an error planted in their steps, the rest of the chain following suit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

from symderiv.algebra.binding import substitute
from symderiv.algebra.expr import (
    ONE,
    Access,
    Add,
    Apply,
    Delta,
    Expr,
    Mul,
    Number,
    Partial,
    Pow,
    Role,
    SizeOf,
    Sum,
    add,
    mul,
    power,
    sum_over,
)
from symderiv.algebra.index import Axis, as_index, fresh
from symderiv.calculus.backprop import backprop
from symderiv.calculus.graph import Graph
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.calculus.steps import Adjoint, Derivation, Step
from symderiv.proof.check import CheckedDerivation
from symderiv.proof.verdict import Status
from tests.proof.by_steps import check


def derive(graph: Graph) -> Derivation:
    """The gradient by every parameter."""
    return backprop(graph, [t for t in graph.inputs if t.role is Role.PARAMETER])


NETWORKS: dict[str, Callable[[], Graph]] = {
    "2-1:sigmoid+bce": lambda: feed_forward(["sigmoid"], "bce"),
    "rows 2-3-1:tanh,sigmoid+bce+l2": lambda: feed_forward(
        ["tanh", "sigmoid"], "bce", layout="rows", l2=True
    ),
    "3-4-2:relu,identity+mse": lambda: feed_forward(["relu", "identity"], "mse"),
    "2-5-3:tanh,softmax+ce": lambda: feed_forward(["tanh", "softmax"], "ce", l2=True),
    "single 3-3-3:sigmoid,sigmoid+half-mse": lambda: feed_forward(
        ["sigmoid", "sigmoid"], "half-mse", layout="single", sizes=["n", "n", "n"]
    ),
    "n0-...-nL:sigmoid+mse": lambda: any_depth("sigmoid", "sigmoid", "mse"),
    "n0-...-nL:tanh,softmax+ce": lambda: any_depth("tanh", "softmax", "ce", l2=True),
}


def proved(checked: CheckedDerivation) -> bool:
    """Whether nothing is open: every step and every lemma proved."""
    lemmas = all(v.status is Status.PROVED for _, v in checked.lemmas)
    return lemmas and all(v.status is Status.PROVED for c in checked.chains for _, v in c.steps)


def accepted(derivation: Derivation) -> bool:
    """Whether check() calls all of it proved (an error is a refusal)."""
    try:
        return proved(check(derivation))
    except (ValueError, ArithmeticError, KeyError):
        return False


def with_right(derivation: Derivation, at: int, n: int, right: Expr) -> Derivation:
    """Step n of a chain with another right side; the next step starts there, so the chain meets."""
    chain = derivation.adjoints[at]
    steps = list(chain.steps)
    steps[n] = replace(steps[n], right=right)
    closed = chain.closed
    if n + 1 < len(steps):
        steps[n + 1] = replace(steps[n + 1], left=right)
    else:
        closed = right
    return with_chain(derivation, at, replace(chain, steps=tuple(steps), closed=closed))


def with_chain(derivation: Derivation, at: int, chain: Adjoint) -> Derivation:
    """The derivation with one chain replaced."""
    adjoints = (*derivation.adjoints[:at], chain, *derivation.adjoints[at + 1 :])
    return Derivation(derivation.graph, adjoints)


def in_steps(derivation: Derivation) -> Iterator[tuple[str, Derivation]]:
    """Every step of every chain with one error in its right side."""
    for at, chain in enumerate(derivation.adjoints):
        for n, step in enumerate(chain.steps):
            for what, wrong in errors(step.right):
                name = f"{chain.tensor.name}, step {n} ({step.rule}): {what}"
                yield name, with_right(derivation, at, n, wrong)


def premises(derivation: Derivation) -> Iterator[tuple[str, Derivation]]:
    """Every step that needs its premises, without one of them."""
    for at, chain in enumerate(derivation.adjoints):
        for n, step in enumerate(chain.steps):
            for k in range(len(step.premises)):
                fewer = (*step.premises[:k], *step.premises[k + 1 :])
                steps = (*chain.steps[:n], replace(step, premises=fewer), *chain.steps[n + 1 :])
                yield (
                    f"{chain.tensor.name}, step {n} ({step.rule}) without premise {k}",
                    with_chain(derivation, at, replace(chain, steps=steps)),
                )


def swapped(derivation: Derivation) -> Iterator[tuple[str, Derivation]]:
    """Two neighbouring steps exchanged, or one left out."""
    for at, chain in enumerate(derivation.adjoints):
        steps: list[Step] = list(chain.steps)
        for n in range(len(steps) - 1):
            order = [*steps[:n], steps[n + 1], steps[n], *steps[n + 2 :]]
            yield (
                f"{chain.tensor.name}: steps {n} and {n + 1} exchanged",
                with_chain(derivation, at, replace(chain, steps=tuple(order))),
            )
        for n in range(len(steps)):
            left = (*steps[:n], *steps[n + 1 :])
            yield (
                f"{chain.tensor.name}: step {n} left out",
                with_chain(derivation, at, replace(chain, steps=left)),
            )


def errors(expr: Expr) -> Iterator[tuple[str, Expr]]:
    """The tree with one thing wrong in it."""
    yield "sign", -expr
    yield from _inside(expr)


Wrap = Callable[[Expr], Expr]


def _inside(expr: Expr) -> Iterator[tuple[str, Expr]]:
    for what, make in _changes(expr):
        with suppress(ZeroDivisionError):  # such an error cannot even be written down
            yield what, make()


def _changes(expr: Expr) -> Iterator[tuple[str, Callable[[], Expr]]]:
    match expr:
        case Number(value):
            yield "number", lambda: Number(value + 1)
        case SizeOf(index):
            yield "size", lambda: SizeOf(index + 1)
        case Access(tensor, indices) if len(indices) == 2 and indices[0] != indices[1]:
            yield f"{tensor.name} transposed", lambda: Access(tensor, indices[::-1])
        case Delta(left, right):
            yield "delta left out", lambda: ONE
            yield "delta shifted", lambda: Delta(left + 1, right)
        case Pow(base, exponent):
            yield "power", lambda: power(base, exponent + 1)
            yield from _within(base, lambda e: power(e, exponent))
        case Mul(factors):
            for n, factor in enumerate(factors):
                before, after = factors[:n], factors[n + 1 :]
                yield f"factor {n} left out", partial(mul, *before, *after)
                yield from _within(factor, lambda e, b=before, a=after: mul(*b, e, *a))
        case Add(terms):
            for n, term in enumerate(terms):
                before, after = terms[:n], terms[n + 1 :]
                yield f"term {n} left out", partial(add, *before, *after)
                yield f"sign of term {n}", partial(add, *before, -term, *after)
                yield from _within(term, lambda e, b=before, a=after: add(*b, e, *a))
        case Sum(var, body):
            for what, by in (("range too short", -1), ("range too long", 1)):
                axis = Axis(var.axis.name, var.axis.stop + by, var.axis.start)
                other = fresh(axis, var.name)
                yield what, partial(Sum, other, substitute(body, {var: as_index(other)}))
            single = fresh(var.axis, var.name)
            yield "sum left out", partial(substitute, body, {var: as_index(single)})
            yield "summed twice", partial(Sum, fresh(var.axis), expr)
            yield from _within(body, lambda e: sum_over(var, e))
        case Apply(function, args, orders):
            if any(orders):
                yield "derivative left out", lambda: Apply(function, args, (0,) * len(args))
            for n, argument in enumerate(args):
                before, after = args[:n], args[n + 1 :]
                yield from _within(
                    argument, lambda e, b=before, a=after: Apply(function, (*b, e, *a), orders)
                )
        case Partial(body, wrt):
            if len(wrt.indices) == 2 and wrt.indices[0] != wrt.indices[1]:
                turned = Access(wrt.tensor, wrt.indices[::-1])
                yield "derivative by the transpose", lambda: Partial(body, turned)
            yield "derivative left out", lambda: body


def _within(expr: Expr, wrap: Wrap) -> Iterator[tuple[str, Callable[[], Expr]]]:
    for what, make in _changes(expr):
        yield what, lambda make=make: wrap(make())

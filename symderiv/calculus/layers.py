"""Layers and costs, composed of primitives; no derivative code.

A new layer is one function here: it adds its forward equations to the builder and returns its
output.
"""

from __future__ import annotations

from collections.abc import Iterable

from symderiv.algebra.expr import Expr, Number, Role, SizeOf, Tensor, add, sum_over
from symderiv.algebra.index import Axis, Index, Var, as_index
from symderiv.calculus.builder import Builder, Entry, compose, mean_over
from symderiv.calculus.functions import HALF, Row, ScalarFunction, VectorFunction, rows


def dense(
    b: Builder, x: Tensor, inputs: Axis, outputs: Axis, layer: int, bias: bool = True
) -> Tensor:
    """z = W x + b, for each unit of the layer."""
    weight = b.tensor(f"W{layer}", b.weights(outputs, inputs), Role.PARAMETER, "W", layer)
    z = b.tensor(f"z{layer}", b.batch(outputs), Role.PREACTIVATION, "z", layer)
    indices, unit, example = b.unit_and_example(outputs)
    (j,) = b.over(inputs)
    total: Expr = sum_over(j, b.weight(weight, unit, j) * b.at(x, j, example))
    if bias:
        offset = b.tensor(f"b{layer}", (outputs,), Role.PARAMETER, "b", layer)
        total = total + offset[unit]
    b.named.add(z.name)
    return b.define(z, indices, total, "weighted input")


def activate(b: Builder, name: str, z: Tensor, units: Axis, layer: int) -> Tensor:
    """a = f(z): entry by entry for a scalar function, all units at once for a vector function.

    A further argument of the function, such as the slope of a PReLU, is learned by each unit.
    """
    row = rows()[name]
    a = b.tensor(f"a{layer}", b.batch(units), Role.ACTIVATION, "a", layer)
    indices, unit, example = b.unit_and_example(units)
    if isinstance(row, VectorFunction):
        return compose(b, row, {"z": lambda u, e: b.at(z, u, e)}, units, a, layer)
    starts = dict(row.starts)
    learned = (
        b.tensor(f"{n}{layer}", (units,), Role.PARAMETER, n, layer, start=starts.get(n))
        for n in row.learned
    )
    body = row(b.at(z, unit, example), *(t[unit] for t in learned), *b.hyper(row))
    return b.define(a, indices, body, "activation")


def per_example_loss(
    b: Builder, name: str, a: Tensor, units: Axis, member: tuple[Index, ...] = ()
) -> tuple[Tensor, Tensor]:
    """The loss of one example, summed over its outputs; also the target.

    ``member`` is the layer, where the output belongs to a family.
    """
    row = rows()[name]

    def output(u: Var, e: Var | None) -> Expr:
        return b.at_family(a, member[0], u, e) if member else b.at(a, u, e)

    y = b.tensor("y", b.batch(units), Role.TARGET)
    _, unit, example = b.unit_and_example(units)
    over = () if example is None else (example,)
    loss = b.tensor("ell", (v.axis for v in over), Role.LOSS)
    if isinstance(row, VectorFunction):
        arguments = {
            row.arguments[0]: output,
            "y": lambda u, e: b.at(y, u, e),
        }
        compose(b, row, arguments, units, loss)
    else:
        entry = row(output(unit, example), b.at(y, unit, example), *b.hyper(row))
        b.define(loss, over, sum_over(unit, entry), "loss of one example")
    _, unit, example = b.unit_and_example(units)
    every = () if example is None else (example,)
    assume_total(b, row, sum_over(unit, b.at(y, unit, example)), every)
    return loss, y


def assume_total(b: Builder, row: Row, targets: Expr, every: tuple[Var, ...]) -> None:
    """Assume Σ_k y[k] = 1 for every example, where the targets of this loss are a distribution."""
    total = row.target_domain.total
    if total is not None:
        text = f"the targets of an example sum to {total}"
        b.assume(targets, Number(total), text, *every)


def cost(b: Builder, loss: Tensor, reduction: str, weights: Iterable[Tensor], l2: bool) -> Tensor:
    """C: the mean (or sum) of the losses, plus λ/2m Σ W² (or λ/2 Σ W²)."""
    examples = b.over(b.examples) if loss.slots else ()
    total: Expr = loss[tuple(examples)]
    if reduction == "mean":
        total = mean_over(examples, total)
    else:
        total = sum_over(examples, total)
    if l2:
        total = total + penalty(b, weights, reduction)[()]
    cost_ = b.tensor("C", (), Role.COST)
    return b.define(cost_, (), total, "cost")


def penalty(b: Builder, weights: Iterable[Tensor], reduction: str) -> Tensor:
    """R = λ/2m Σ W²; with reduction sum λ/2 Σ W². Biases are left out."""
    lam = b.tensor("lam", (), Role.HYPERPARAMETER, "lambda")
    squares = []
    for weight in weights:
        indices = weight.fresh_indices()
        squares.append(sum_over(indices, weight[tuple(indices)] ** 2))
    factor: Expr = Number(HALF) * lam[()]
    if reduction == "mean" and b.layout != "single":
        factor = factor / SizeOf(b.examples.size)
    r = b.tensor("R", (), Role.PENALTY)
    return b.define(r, (), factor * add(*squares), "penalty")


def hidden_layers(
    b: Builder, x: Tensor, sizes: Axis, hidden: str, output: str, bias: bool
) -> tuple[Tensor, Tensor, Axis]:
    """L layers of any depth: a recurrence along the axis of layers. Returns W, a and the outputs.

    a[0] = x; z[l] = W[l] a[l-1] + b[l]; a[l] = f(z[l]), with a function of its own at l = L.
    """
    last = sizes.stop
    (l,) = b.over(sizes)
    index = as_index(l)
    from_zero = Axis("layer", last, Index(0), ordered=True)
    (k,) = b.over(from_zero)
    units, before = b.units(index), b.units(index - 1)
    w = b.tensor("W", b.weights(units, before), Role.PARAMETER, family=l)
    z = b.tensor("z", b.batch(units), Role.PREACTIVATION, family=l)
    a = b.tensor("a", b.batch(b.units(k)), Role.ACTIVATION, family=k)
    offset = b.tensor("b", (units,), Role.PARAMETER, family=l) if bias else None
    b.named.add("z")

    indices, unit, example = b.unit_and_example(b.units(0))
    b.define(a, (0, *indices), b.at(x, unit, example), "the input")

    def inside(z: Expr) -> Expr:
        row = rows()[hidden]
        assert isinstance(row, ScalarFunction)
        return row(z, *b.hyper(row))

    def one_layer() -> None:
        pair, i, s = b.unit_and_example(units)
        (j,) = b.over(before)
        below = b.at_family(a, index - 1, j, s)
        total: Expr = sum_over(j, b.weight_family(w, index, i, j) * below)
        if offset is not None:
            total = total + offset[index, i]
        b.define(z, (l, *pair), total, "weighted input")
        if hidden == output:
            pair, i, s = b.unit_and_example(units)
            b.define(a, (l, *pair), inside(b.at_family(z, l, i, s)), "activation")
            return
        (inner,) = b.over(Axis("layer", last - 1, Index(1), ordered=True))
        pair, i, s = b.unit_and_example(b.units(inner))
        b.define(a, (inner, *pair), inside(b.at_family(z, inner, i, s)), "activation")

    b.recurrence(l, one_layer)
    outputs = b.units(last)
    if hidden != output:
        row = rows()[output]
        if isinstance(row, VectorFunction):
            arguments: dict[str, Entry] = {"z": lambda u, e: b.at_family(z, last, u, e)}
            compose(b, row, arguments, outputs, a, prefix=(last,))
        else:
            pair, i, s = b.unit_and_example(outputs)
            value = row(b.at_family(z, last, i, s), *b.hyper(row))
            b.define(a, (last, *pair), value, "output activation")
    return w, a, outputs

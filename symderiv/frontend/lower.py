"""Expressions become equations: a program of named steps, in index notation with symbolic sizes.

    J = mean((X @ w - y)**2)        r[i] = Σ_j X[i,j] w[j] - y[i]
                                    J = 1/m Σ_i r[i]²

Every statement is an equation. A part gets an equation of its own where a formula for the
gradient needs its name: a sum below a function, a power or a denominator, a sum used twice, the
value of an activation. Products, powers and functions have NumPy's meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symderiv.algebra.expr import (
    Access,
    Apply,
    Expr,
    Role,
    Sum,
    Tensor,
    mul,
    sum_over,
    tensors_in,
)
from symderiv.algebra.expr import walk as parts
from symderiv.algebra.index import Size
from symderiv.calculus.conditions import as_written
from symderiv.calculus.graph import Definition, Graph, Kind
from symderiv.frontend.equations import Equations
from symderiv.frontend.errors import SpecError, listed
from symderiv.frontend.grammar import parse_expression
from symderiv.frontend.naming import Axes, Names
from symderiv.frontend.network import Network
from symderiv.frontend.nodes import Node, names, to_text, walk, with_calls
from symderiv.frontend.program import CONSTANTS, OF_A_PROGRAM, Request, Statements
from symderiv.frontend.shapes import Misfit, Shape, Shapes, written
from symderiv.frontend.values import array, variables
from symderiv.notation.conventions import GREEK

Declared = Mapping[str, tuple[int | str, ...]]


@dataclass(frozen=True)
class Lowered:
    """A program as a graph.

    wrt       the tensors whose gradients are asked for
    sizes     the numbers that the shapes gave; in the graph every size is a symbol
    target    what is differentiated: the cost, or the array that ``upstream`` belongs to
    upstream  the gradient of a later cost by the target, an input; None for a cost
    """

    graph: Graph
    wrt: tuple[Tensor, ...]
    sizes: Mapping[Size, int]
    target: Tensor
    upstream: Tensor | None = None


def lower(network: Network) -> Lowered:
    """The graph of a program, which names its own axes."""
    sources = dict(network.sources)
    return lower_program(network.program, dict(network.shapes), network.request, sources)


def lower_expression(
    node: Node,
    shapes: Declared,
    *,
    name: str = "J",
    wrt: Sequence[str] = (),
    upstream: str | None = None,
    text: str | None = None,
) -> Lowered:
    """The graph of one expression, called ``name`` (or as near to it as is free).

    ``text`` is the source of the expression, for errors. An array needs ``upstream``, by default
    ``d`` and its name.
    """
    used = {*names(node), *shapes, *(s for shape in shapes.values() for s in shape)}
    free = Names({str(word) for word in used}).new(name)
    request = Request(None, upstream, tuple(wrt))
    sources = {} if text is None else {free: text}
    return lower_program(((free, with_calls(node, OF_A_PROGRAM)),), shapes, request, sources)


def lower_program(
    statements: Statements,
    declared: Declared,
    request: Request | None = None,
    sources: Mapping[str, str] | None = None,
) -> Lowered:
    """The graph of statements; what the target does not need is left out. Errors: SpecError.

    ``sources`` are the texts that the columns of the statements count in.
    """
    request, sources = request or Request(), sources or {}
    goal = request.cost or statements[-1][0]
    shapes = Shapes(declared)
    for name, value in statements:
        if name in declared:
            raise SpecError(f"{name} has a shape and a definition",
                            "leave the shape out, the definition gives it",
                            field=f"shapes.{name}", value=name)  # fmt: skip
        try:
            if shapes.is_size(name):
                raise Misfit(value, f"{name} is assigned, but it is the name of a size",
                             "rename one of them")  # fmt: skip
            shapes.variables[name] = shapes.of(value)
        except Misfit as misfit:
            raise located(misfit, name, value, sources.get(name)) from None
    if request.cost and shapes.variables[goal]:
        raise SpecError(f"the cost {goal} is {written(shapes.variables[goal])}",
                        "a cost is a single number: take its sum, or ask for upstream",
                        field="request.cost", value=goal)  # fmt: skip
    live = needed(statements, goal)
    return _Program(live, shapes, goal, request, sources).lowered()


def located(misfit: Misfit, name: str, root: Node, text: str | None = None) -> SpecError:
    """The error for a misfit in a statement, with a caret into its text."""
    column = misfit.node.column
    if text is None:  # the statement as we would write it; its tree is the same
        text = to_text(root)
        twins = zip(walk(root), walk(parse_expression(text)), strict=True)
        column = next(twin.column for node, twin in twins if node is misfit.node)
    return SpecError(
        misfit.problem, misfit.remedy,
        field=f"program.{name}", value=to_text(misfit.node), column=column, text=text,
    )  # fmt: skip


def needed(statements: Statements, goal: str) -> Statements:
    """The statements that the goal is computed from, itself the last."""
    wanted = {goal}
    kept = []
    for name, value in reversed(statements):
        if name in wanted:
            wanted.update(names(value))
            kept.append((name, value))
    return tuple(reversed(kept))


def used(definitions: Sequence[Definition], cost: Tensor) -> list[Definition]:
    """The equations that the cost is computed from; numbers may have made some useless."""
    wanted = {cost}
    kept = []
    for definition in reversed(definitions):
        if definition.target in wanted:
            wanted.update(tensors_in(definition.body))
            kept.append(definition)
    return kept[::-1]


class _Program:
    """The pieces of one graph while it is made."""

    def __init__(
        self, statements: Statements, shapes: Shapes, goal: str, request: Request,
        sources: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.statements, self.shapes, self.sources = statements, shapes, sources
        self.goal, self.request = goal, request
        defined = {name for name, _ in statements}
        read = dict.fromkeys(n for _, value in statements for n in names(value))
        for name in read:
            if name[0] == "d" and name[1:] in {*read, *defined}:
                raise SpecError(f"the program uses both {name[1:]} and {name}",
                                f"{name} is the name of a gradient; rename it",
                                field="program", value=name)  # fmt: skip
        self.inputs = [
            n for n in read if n not in defined and n not in CONSTANTS and not shapes.is_size(n)
        ]
        everything = {*defined, *read, *shapes.sizes, *shapes.variables, *CONSTANTS}
        self.names = Names(everything | ({request.upstream} if request.upstream else set()))
        self.axes = Axes(self.names)
        self.axes.prepare(shapes.variables.get(n, ()) for n in self.inputs)

    def lowered(self) -> Lowered:
        inputs = {
            name: self.tensor(name, self.shapes.variables.get(name, ())) for name in self.inputs
        }
        is_cost = not self.shapes.variables[self.goal] and not self.request.upstream
        equations = Equations(self.shapes, self.axes, self.names, self.statements, self.request.wrt)
        for name, tensor in inputs.items():
            equations.arrays[name] = array(tensor)
        for name, value in self.statements:
            role = Role.COST if is_cost and name == self.goal else Role.AUXILIARY
            try:
                equations.statement(name, value, role)
            except Misfit as misfit:
                raise located(misfit, name, value, self.sources.get(name)) from None
            except ZeroDivisionError:
                zero = Misfit(value, "a division by something that is 0 for all values", "")
                raise located(zero, name, value, self.sources.get(name)) from None
        definitions = equations.definitions
        target = cost = definitions[-1].target
        upstream = None
        if not is_cost:
            upstream, paired = self.paired(target)
            definitions.append(paired)
            cost = paired.target
        definitions = used(definitions, cost)
        graph = Graph(
            tuple(definitions), cost,
            named=intermediate(definitions) | self.asked(definitions),
            sizes=dict(self.axes.numbers), kind=Kind.PROGRAM,
        )  # fmt: skip
        graph = replace(graph, asked=as_written(graph, equations.conditions(definitions)))
        return Lowered(graph, self.wrt(graph, inputs), self.axes.numbers, target, upstream)

    def tensor(self, name: str, shape: Shape) -> Tensor:
        """An input; a number with a Greek name that is not asked for is a hyperparameter."""
        asked = self.request.wrt
        role = Role.PARAMETER if not asked or name in asked else Role.INPUT
        if role is Role.INPUT and not shape and name in GREEK:
            role = Role.HYPERPARAMETER
        return Tensor(name, variables([self.axes.of(d) for d in shape]), role, name)

    def paired(self, target: Tensor) -> tuple[Tensor, Definition]:
        """``L = Σ dy[i] y[i]``, whose gradient by y is dy, whatever the cost that comes later."""
        symbol = self.request.upstream or f"d{target.name}"
        clash = symbol == f"d{target.name}" or symbol in self.names.taken - {self.request.upstream}
        name = self.names.new(f"{symbol}_given") if clash else symbol
        slots = variables(target.axes)
        upstream = Tensor(name, slots, Role.INPUT, symbol)
        indices = variables(target.axes)
        body: Expr = sum_over(indices, mul(upstream[indices], target[indices]))
        cost = Tensor(self.names.new("L"), (), Role.COST, "L")
        why = "the part of a later cost that this array has, to first order"
        return upstream, Definition(cost, (), body, why)

    def asked(self, definitions: Iterable[Definition]) -> frozenset[str]:
        """The steps whose gradients are asked for: results, which formulas keep by their names."""
        return frozenset(d.target.name for d in definitions if d.target.name in self.request.wrt)

    def wrt(self, graph: Graph, inputs: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """What is asked for; by default every input that there is."""
        present = [t for t in inputs.values() if t in graph.inputs]
        known = {t.name: t for t in (*present, *(d.target for d in graph.definitions))}
        for name in self.request.wrt:
            if name not in known or name == self.goal:
                reason = f"{self.goal} does not depend on it"
                if name == self.goal:
                    reason = "it is what is differentiated"
                elif self.shapes.is_size(name):
                    reason = "it is a size"
                raise SpecError(f"wrt names {name}, but {reason}",
                                f"choose from {listed([t.name for t in present])}",
                                field="wrt", value=name)  # fmt: skip
        chosen = tuple(known[name] for name in self.request.wrt) or tuple(present)
        if not chosen:
            raise SpecError(f"{self.goal} does not depend on any variable",
                            "there is nothing to differentiate by",
                            field="program", value=self.goal)  # fmt: skip
        return chosen


def intermediate(definitions: Sequence[Definition]) -> frozenset[str]:
    """Arrays whose errors keep a name: where one product lies below another, as in a deep network.

    These are the products below a function, and the values of softmax that go into a product.
    """
    products = {
        d.target: {d.target, *tensors_in(d.body)} for d in definitions
        if d.target.slots and not d.part_of and any(isinstance(n, Sum) for n in parts(d.body))
    }  # fmt: skip
    arguments = {
        a.tensor
        for d in definitions for n in parts(d.body)
        if isinstance(n, Apply) for a in n.args if isinstance(a, Access)
    }  # fmt: skip
    kept = [
        d.target for d in definitions
        if (d.target in arguments and d.target in products)
        or (d.part_of and any(d.target in used for used in products.values()))
    ]  # fmt: skip
    deep = False
    for product, used in products.items():
        for d in reversed(definitions):
            if d.target in used:
                used.update(tensors_in(d.body))
        deep = deep or any(t in used for t in kept if t != product)
    return frozenset(t.name for t in kept) if deep else frozenset()

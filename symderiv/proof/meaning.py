"""What a derivative means, from the forward definitions alone.

This is a second account of differentiation, forward-mode and independent of the one that derives:
``D(e)`` is the rate of change of e when one entry of one tensor moves. It knows no stated
derivative: f, f′ and f″ are unrelated symbols to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symderiv.algebra.binding import known_in, refresh, substitute
from symderiv.algebra.expr import (
    ZERO,
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Partial,
    Pow,
    Sum,
    Tensor,
    add,
    as_expr,
    children,
    delta,
    has_partial,
    mul,
    power,
    rebuild,
    sum_over,
    tensors_in,
    walk,
    with_parts,
)
from symderiv.algebra.index import (
    Index,
    Known,
    Var,
    as_index,
    fresh,
    guards,
    is_zero,
    substitute_axis,
)
from symderiv.algebra.matching import match
from symderiv.calculus.graph import Definition, Graph


class NoMeaning(ValueError):
    """The statement does not say anything about this graph; the message says why."""


def rate(expr: Expr, entry: Access) -> Expr:
    """D(e): the rate of change of ``expr`` when ``entry`` moves and every other tensor is held."""
    match expr:
        case Access():
            if expr.tensor != entry.tensor:
                return ZERO
            pairs = zip(expr.indices, entry.indices, strict=True)
            return mul(*(delta(a, b) for a, b in pairs))
        case Add(terms):
            return add(*(rate(t, entry) for t in terms))
        case Sum(var, body):
            return sum_over(var, rate(body, entry))
        case Mul(factors):
            head, tail = factors[0], mul(*factors[1:])
            return add(mul(rate(head, entry), tail), mul(head, rate(tail, entry)))
        case Pow(base, exponent):
            return mul(as_expr(exponent), power(base, exponent - 1), rate(base, entry))
        case Apply(function, args, orders):
            parts = []
            for place, argument in enumerate(args):
                once_more = list(orders)
                once_more[place] += 1
                slope = Apply(function, args, tuple(once_more))
                parts.append(mul(slope, rate(argument, entry)))
            return add(*parts)
        case Partial():
            raise NoMeaning("a derivative of a derivative that is not worked out")
        case _:
            return ZERO


@dataclass(frozen=True)
class Meaning:
    """Reads statements about one graph. ``adjoints`` are the tensors of derivatives in use."""

    graph: Graph
    adjoints: Mapping[Tensor, Tensor]
    factor: Expr | None = None

    def expand(self, expr: Expr, known: Known = ()) -> Expr:
        """Every ``Partial`` replaced by the rate of change that it stands for.

        Beside a bracket that is where what the bracket asks is ``known`` to be >= 0.
        """
        if isinstance(expr, Partial):
            body, roots = expr.body, {self.graph.cost, self.graph.example_loss}
            if isinstance(body, Access):
                if body.tensor == expr.wrt.tensor and not _apart(body, expr.wrt):
                    raise NoMeaning(f"{body.tensor.name} differentiated by itself")
                body = self._equation(body, expr.wrt, known)
            elif not self._is_equation(body) and roots.intersection(tensors_in(body)):
                raise NoMeaning("a cost and something else are differentiated")
            elif expr.wrt.tensor not in tensors_in(body):
                raise NoMeaning(f"{expr.wrt.tensor.name} does not stand in what is differentiated")
            return rate(refresh(body), expr.wrt)
        if not has_partial(expr):
            return expr
        inner = known_in(expr, known)
        return rebuild(expr, lambda child: self.expand(child, inner))

    def worded(self, expr: Expr, known: Known = ()) -> Expr:
        """The same as it stands: nothing but derivatives is worked out, not even a factor 0."""
        if not has_partial(expr):
            return expr
        if isinstance(expr, Partial):
            return self.expand(expr, known)
        inner = known_in(expr, known)
        return with_parts(expr, (self.worded(child, inner) for child in children(expr)))

    def _is_equation(self, body: Expr) -> bool:
        """Whether that is what the cost is defined as."""
        definitions = self.graph.definitions_of(self.graph.cost)
        return any(match(d.body, body, d.variables) is not None for d in definitions)

    def _equation(self, entry: Access, wrt: Access, known: Known) -> Expr:
        """What an entry is defined as, where its equation is certain and uses ``wrt`` itself.

        Otherwise ∂u/∂t could be read as the total derivative, which is something else.
        """
        roots = (self.graph.cost, self.graph.example_loss)
        if entry.tensor in roots and any(
            d.target != entry.tensor and self._leads_to(d.target, entry.tensor)
            for d in self.graph.users(wrt.tensor)
            if _may_use(d, wrt)
        ):
            raise NoMeaning(f"{wrt.tensor.name} reaches {entry.tensor.name} in other ways as well")
        body = self.graph.expand(entry, known)
        if body is None:
            raise NoMeaning(f"no equation is certainly about that entry of {entry.tensor.name}")
        used = (n for n in walk(body) if isinstance(n, Access) and n.tensor == wrt.tensor)
        if all(_apart(node, wrt) for node in used):
            raise NoMeaning(f"{entry.tensor.name} is not computed from {wrt.tensor.name} directly")
        return body

    def total(self, target: Access) -> Expr:
        """The derivative that an adjoint stands for: over all equations that use the tensor.

        ``∂r/∂t[i] = Σ_u Σ_k ∂r/∂u[k] · D(u[k])``, every index of every user summed, with
        ``∂r/∂r = 1``. If the root r is the loss of one example, it stands for the sum of the
        losses of all examples.
        """
        tensor, root = target.tensor.of, target.tensor.root
        assert tensor is not None and root is not None
        split = len(target.indices) - len(tensor.slots)
        at, entry = target.indices[:split], Access(tensor, target.indices[split:])
        parts = []
        for definition in self.graph.users(tensor):
            if self._leads_to(definition.target, root):
                parts.append(self._through(definition, entry, root, at))
        return add(*parts)

    def _through(
        self, definition: Definition, entry: Access, root: Tensor, at: tuple[Index, ...]
    ) -> Expr:
        """The part of a derivative that one user contributes; ``at`` is the entry of the root."""
        if definition.target == root and at:
            equation = definition.at(Access(root, at))
            if equation is None:
                raise NoMeaning(f"not every equation is about {root.name} at that entry")
            return rate(equation, entry)
        indices, body, variables = _opened(definition)
        slope = rate(body, entry)
        if definition.target == root:
            return sum_over(variables, slope)
        adjoint = self.adjoints.get(definition.target)
        if adjoint is None or adjoint.root is None:
            raise NoMeaning(f"{definition.target.name} uses {entry.tensor.name}, has no adjoint")
        weight: Expr = Access(adjoint, (*at, *indices))
        if adjoint.root != root:
            weight = mul(self._conversion(definition.target, adjoint.root, root), weight)
        return sum_over(variables, mul(weight, slope))

    def _conversion(self, user: Tensor, inner: Tensor, root: Tensor) -> Expr:
        """∂root/∂u = factor · ∂inner/∂u, where u reaches the root through ``inner`` alone."""
        if self.factor is None or inner != self.graph.example_loss:
            raise NoMeaning(f"no factor between {inner.name} and {root.name}")
        if self._leads_to(user, root, avoiding=inner):
            raise NoMeaning(f"{user.name} reaches {root.name} not only through {inner.name}")
        return self.factor

    def _leads_to(self, source: Tensor, goal: Tensor, avoiding: Tensor | None = None) -> bool:
        """Whether ``goal`` is computed from ``source``, other than through ``avoiding``."""
        return source in self.graph.leading_to(goal, avoiding)


def _may_use(definition: Definition, entry: Access) -> bool:
    """Whether the equation may be computed from that entry, and not from other members alone."""
    for node in walk(definition.body):
        if not (isinstance(node, Access) and node.tensor == entry.tensor):
            continue
        head = definition.indices[0].variable if definition.indices else None
        if head is None or not entry.tensor.ordered or head not in node.indices[0].variables:
            return True
        member = entry.indices[0] - (node.indices[0] - head)
        if guards(member, head.axis) is not None:
            return True
    return False


def _apart(first: Access, second: Access) -> bool:
    """Whether these are certainly different entries."""
    pairs = zip(first.indices, second.indices, strict=True)
    return any(is_zero(a - b) is False for a, b in pairs)


def _opened(definition: Definition) -> tuple[tuple[Index, ...], Expr, list[Var]]:
    """A definition with new variables: its indices, its body, and the variables."""
    mapping: dict[Var, Index] = {}
    indices: list[Index] = []
    variables: list[Var] = []
    for index in definition.indices:
        variable = index.variable
        if variable is not None:
            renamed = fresh(substitute_axis(variable.axis, mapping), variable.name)
            mapping[variable] = as_index(renamed)
            variables.append(renamed)
            index = as_index(renamed)
        indices.append(index)
    return tuple(indices), substitute(refresh(definition.body), mapping), variables

"""A small network written out: every entry by itself, derived a second time by SymPy.

SymPy is given the equations entry by entry, and finds the errors and the gradients from local
derivatives, without the index notation. The section is printed where both results agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symderiv.algebra.binding import substitute
from symderiv.algebra.expr import (
    Access,
    Add,
    Expr,
    Mul,
    Number,
    Role,
    SizeOf,
    Sum,
    add,
    apply,
    mul,
    power,
    rebuild,
)
from symderiv.algebra.index import Size, as_index
from symderiv.calculus.ordering import ordered_product
from symderiv.calculus.sympy_bridge import from_sympy
from symderiv.documents.ledger import Ledger, derivative
from symderiv.documents.model import Block, Equations, Prose, Row, Section
from symderiv.documents.prose import say, title
from symderiv.frontend.presentation import Presentation

if TYPE_CHECKING:
    from symderiv.calculus.explicit import ExplicitNetwork

MAX_WEIGHTS = 12
MAX_TEX = 260  # a longer formula is no help to a reader
_FORWARD = (Role.PREACTIVATION, Role.ACTIVATION, Role.AUXILIARY, Role.LOSS, Role.COST)


def written_section(ledger: Ledger, presentation: Presentation) -> Section | None:
    """Every entry of a network of a few weights, for one example."""
    sizes = _sizes(ledger, presentation)
    if sizes is None:
        return None
    from symderiv.calculus.explicit import ExplicitNetwork, compare

    net = ExplicitNetwork.from_graph(ledger.graph, sizes)
    wrt = [c.of for c in ledger.chains if c.of in ledger.graph.inputs]
    found = net.written_out(wrt)
    if compare(net, ledger.checked.derivation):
        return None
    atoms = _atoms(ledger, net)
    try:
        shown = [pair for pair in found.forward if net.entries[pair[0]].tensor.role in _FORWARD]
        forward = [_row(ledger, atoms, a, _forward(net, atoms, a, b)) for a, b in shown]
        errors = [_row(ledger, atoms, a, _tree(b, atoms)) for a, b in _by_layer(net, found.errors)]
        slopes = [_row(ledger, atoms, a, _tree(b, atoms)) for a, b in found.gradients]
    except ValueError:  # a function that has no closed form in its own value
        return None
    if any(len(row.rhs.tex) > MAX_TEX for row in (*forward, *errors, *slopes)):
        return None
    batched = any(size.name == "m" for size in sizes)
    blocks: tuple[Block, ...] = (
        Prose(say("written_one" if batched else "written")),
        Equations(tuple(forward)),
        Prose(say("written_back")),
        Equations(tuple(errors)),
        Equations(tuple(slopes)),
    )
    return Section(title("written"), blocks)


def _by_layer(net: ExplicitNetwork, pairs: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Layers from the last back, as they are; the units of each in their order."""
    tensors = list(dict.fromkeys(net.entries[left].tensor for left, _ in pairs))
    return sorted(
        pairs, key=lambda p: (tensors.index(net.entries[p[0]].tensor), net.entries[p[0]].where)
    )


def _sizes(ledger: Ledger, presentation: Presentation) -> dict[Size, int] | None:
    """Numbers for every size, m being 1; None where the network is not small."""
    graph = ledger.graph
    if graph.has_families:
        return None
    widths = [presentation.sizes[n] for n in sorted(presentation.sizes)]
    if len(widths) < 2:
        return None
    sizes: dict[Size, int] = {}
    for n, width in enumerate(widths):
        if not isinstance(width, int) or width > 9:
            return None
        sizes[Size("n", as_index(n))] = width
    pairs = zip(sizes.values(), list(sizes.values())[1:], strict=False)
    if not any(t.slots for t in graph.inputs if t.role is Role.PARAMETER):
        return None  # written out already
    if sum(a * b for a, b in pairs) > MAX_WEIGHTS:
        return None
    m = Size("m")
    if any(s == m for t in graph.tensors for axis in t.axes for s, _ in axis.stop.terms):
        sizes[m] = 1
    return sizes


def _atoms(ledger: Ledger, net: ExplicitNetwork) -> dict[Any, Expr]:
    """The entry that each symbol of SymPy stands for."""
    adjoints = {c.of: c.adjoint.tensor for c in ledger.chains}
    atoms: dict[Any, Expr] = {}
    for symbol, (tensor, where, root) in net.entries.items():
        shown = tensor if root is None else adjoints.get(tensor)
        if shown is not None:
            atoms[symbol] = Access(shown, tuple(map(as_index, where)))
    return atoms


def _forward(net: ExplicitNetwork, atoms: Mapping[Any, Expr], left: Any, right: Any) -> Expr:
    """The right side as it is read: sums spelled out, functions by their names."""
    access = atoms[left]
    assert isinstance(access, Access)
    if access.tensor.role is Role.PREACTIVATION:
        return _tree(right, atoms)
    body = net.graph.expand(access)
    assert body is not None
    return _spelled(net, body)


def _spelled(net: ExplicitNetwork, expr: Expr) -> Expr:
    """Sums over units as their terms, sizes as numbers."""
    if isinstance(expr, Sum):
        terms = [
            _spelled(net, substitute(expr.body, {expr.var: as_index(n)}))
            for n in net.concrete.span(expr.var.axis, {})
        ]
        return add(*terms)
    if isinstance(expr, SizeOf):
        return Number.of(net.concrete.number(expr.index, {}))
    return rebuild(expr, lambda e: _spelled(net, e))


def _tree(value: Any, atoms: Mapping[Any, Expr]) -> Expr:
    """A rational expression of SymPy as a tree in the order in which it is read."""
    import sympy

    steps = sorted(value.atoms(sympy.Piecewise), key=sympy.default_sort_key)
    known = dict(atoms)
    images = {}
    for step in steps:
        images[step] = sympy.Dummy()
        known[images[step]] = apply("positive", _tree(_condition(step), atoms))
    return _read(from_sympy(value.xreplace(images), known))


def _condition(step: Any) -> Any:
    """c, of the step that is 1 where c > 0 and else 0. Raises ValueError for any other."""
    (one, where), *rest = step.args
    if one != 1 or [tuple(arg) for arg in rest] != [(0, True)] or not where.is_Relational:
        raise ValueError("not a step")
    if where.rel_op not in (">", "<"):
        raise ValueError("not a step")
    return where.lhs - where.rhs if where.rel_op == ">" else where.rhs - where.lhs


def _read(expr: Expr) -> Expr:
    """Terms with a plus first, the 1 of 1 - a before all; numbers, errors, weights, values."""
    match expr:
        case Add(terms):
            made = [_read(t) for t in terms]
            shared = {abs(_coefficient(t)) for t in made}
            if len(shared) == 1 and shared != {1}:  # 2 a - 2 y
                (number,) = map(Number.of, shared)
                return mul(number, _read(add(*(mul(power(number, -1), t) for t in made))))
            return add(*sorted(made, key=lambda t: (_negative(t), not isinstance(t, Number))))
        case Mul(factors):
            ordered = ordered_product(_read(f) for f in factors)
            if not isinstance(ordered, Mul):
                return ordered
            return Mul(tuple(sorted(ordered.factors, key=_place)))
        case _:
            return expr


def _negative(term: Expr) -> bool:
    return _coefficient(term) < 0


def _coefficient(term: Expr) -> Fraction:
    first = term.factors[0] if isinstance(term, Mul) else term
    return first.value if isinstance(first, Number) else Fraction(1)


def _place(factor: Expr) -> int:
    match factor:
        case Number():
            return 0
        case Access(tensor, _):
            roles = (Role.PARAMETER, Role.ADJOINT)
            return 1 + roles.index(tensor.role) if tensor.role in roles else 3
        case _:
            return 4


def _row(ledger: Ledger, atoms: Mapping[Any, Expr], left: Any, right: Expr) -> Row:
    access = atoms[left]
    assert isinstance(access, Access)
    names = ledger.names_of(())
    shown: Expr = access
    if access.tensor.of is not None and not names.has_name(access.tensor):
        shown = derivative(access)
    return Row(ledger.show(shown, names), ledger.show(right, names))

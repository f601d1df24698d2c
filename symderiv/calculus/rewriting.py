"""The rewritings that :mod:`symderiv.calculus.simplify` chains: each keeps the value."""

from __future__ import annotations

from collections.abc import Iterable

from symderiv.algebra.binding import free_variables, known_in, replace_accesses, substitute
from symderiv.algebra.expr import (
    ONE,
    ZERO,
    Access,
    Add,
    Apply,
    Bracket,
    Delta,
    Expr,
    Mul,
    Partial,
    Role,
    SizeOf,
    Sum,
    Tensor,
    add,
    has_partial,
    mul,
    rebuild,
    sum_over,
    walk,
    winner_range,
)
from symderiv.algebra.index import (
    Index,
    Known,
    Var,
    as_index,
    guards,
    is_nonnegative,
    is_zero,
)
from symderiv.algebra.matching import match
from symderiv.calculus.differentiate import differentiate
from symderiv.calculus.functions import scalar, symbols
from symderiv.calculus.graph import Graph
from symderiv.calculus.ordering import ordered_product
from symderiv.calculus.steps import Adjoint, Lemma, Premise, Uses

# --- Derivatives -------------------------------------------------------------------------------


def differentiate_partials(expr: Expr) -> Expr:
    """Every ``Partial`` replaced by the derivative it stands for."""
    if isinstance(expr, Partial):
        return differentiate(expr.body, expr.wrt)
    if not has_partial(expr):
        return expr
    return rebuild(expr, differentiate_partials)


def state_derivatives(expr: Expr, graph: Graph) -> tuple[Expr, tuple[Premise, ...], str]:
    """f′(e) replaced by its stated form, in terms of f's value where that has a name."""
    lemmas: dict[Lemma, None] = {}
    reasons: dict[str, None] = {}
    named: dict[str, Premise] = {}

    def state(node: Expr, known: Known = ()) -> Expr:
        inner = known_in(node, known)
        node = rebuild(node, lambda child: state(child, inner))
        if not (isinstance(node, Apply) and sum(node.orders) == 1):
            return node
        row = scalar(node.function)
        position = node.orders.index(1)
        formula = row.derivatives[position]
        if formula is None:
            return node
        args = symbols(row)
        value = Access(Tensor("value"), ())
        lemmas[Lemma(row.name, position, args, value, formula(*args, value))] = None
        reasons[row.why] = None
        plain = Apply(node.function, node.args, (0,) * len(node.args))
        entry = named_value(plain, graph, known)
        if entry is not None:
            named[entry.tensor.name] = Uses(entry.tensor)
        return formula(*node.args, entry or plain)

    result = state(expr)
    return result, (*lemmas, *named.values()), "; ".join(reasons)


def named_value(expr: Expr, graph: Graph, known: Known = ()) -> Access | None:
    """The entry of the graph that is defined as exactly this, where what is known is >= 0."""
    for definition in graph.definitions:
        binding = match(definition.body, expr, definition.variables)
        if binding is not None and len(binding) == len(definition.variables):
            image = substitute(definition.left, binding)
            assert isinstance(image, Access)
            if definition.at(image, known) is not None:
                return image
    return None


# --- Sums --------------------------------------------------------------------------------------


def collapse(expr: Expr) -> tuple[Expr, list[str]]:
    """``Σ_k [k = i] f(k) = f(i)`` wherever it applies; also which indices survived."""
    survivors: dict[str, None] = {}
    if not any(map(_collapses, walk(expr))):
        return expr, []

    def run(node: Expr) -> Expr:
        if isinstance(node, Sum):
            return collapsed_sum(node.var, run(node.body))
        if isinstance(node, Delta):
            decided = is_zero(node.left - node.right)
            if decided is not None:
                return ONE if decided else ZERO
        if isinstance(node, Bracket):
            decided = is_nonnegative(node.index)
            if decided is not None:
                return ONE if decided else ZERO
        return rebuild(node, run)

    def collapsed_sum(var: Var, body: Expr) -> Expr:
        only = var.axis.only
        if only is not None:
            survivors[f"{var.name} = {readable(only)}"] = None
            return run(substitute(body, {var: only}))
        if isinstance(body, Add) and any(isinstance(n, Delta) for n in walk(body)):
            return add(*(collapsed_sum(var, term) for term in body.terms))
        factors = _factors(body)
        for n, factor in enumerate(factors):
            if isinstance(factor, Delta):
                solution = solve(factor, var)
                if solution is None:
                    continue
                limits = guards(solution, var.axis)
                if limits is None:
                    return ZERO
                survivors[f"{var.name} = {readable(solution)}"] = None
                product = substitute(body, {var: solution})  # in which this delta is [i = i]
                known = [e for f in _factors(product) for e in winner_range(f)]
                conditions = (Bracket(e) for e in limits if e not in known)
                return run(mul(*conditions, product))
            if isinstance(factor, Add) and any(isinstance(x, Delta) for x in walk(factor)):
                parts = (mul(*factors[:n], t, *factors[n + 1 :]) for t in factor.terms)
                return add(*(collapsed_sum(var, part) for part in parts))
        outside = [f for f in factors if var not in free_variables(f)]
        if outside and any(isinstance(f, Delta) for f in outside):
            inside = [f for f in factors if var in free_variables(f)]
            return mul(*outside, sum_over(var, mul(*inside)))
        return sum_over(var, body)

    return run(expr), list(survivors)


def _collapses(node: Expr) -> bool:
    """Whether something may be decided here: a condition, or an index with a range of one value."""
    return isinstance(node, Delta | Bracket) or (
        isinstance(node, Sum) and node.var.axis.only is not None
    )


def _factors(expr: Expr) -> tuple[Expr, ...]:
    return expr.factors if isinstance(expr, Mul) else (expr,)


def readable(index: Index) -> str:
    """An index for prose, its variables called by their letters."""
    return index.key({v: v.name for v in index.variables}).replace("+-", "-")


def solve(delta: Delta, var: Var) -> Index | None:
    """The value of a variable at which a delta is 1; None where there is none, or several."""
    difference = delta.left - delta.right
    coefficient = dict(difference.terms).get(var, 0)
    if abs(coefficient) != 1:
        return None
    rest = difference - as_index(var) * coefficient
    return None if var in rest.variables else rest * -coefficient


def tidy(expr: Expr) -> Expr:
    """Pull factors out of sums, sum constants, merge powers, order factors for print."""
    expr = rebuild(expr, tidy)
    if isinstance(expr, Sum):
        return tidy_sum(expr.var, expr.body)
    if isinstance(expr, Mul):
        return ordered_product(expr.factors)
    return expr


def tidy_sum(var: Var, body: Expr) -> Expr:
    """``Σ_var body`` with the factors that do not contain the variable outside."""
    if var not in free_variables(body):
        return ordered_product((SizeOf(var.axis.size), body))
    factors = _factors(body)
    outside = [f for f in factors if var not in free_variables(f)]
    inside = [f for f in factors if var in free_variables(f)]
    return ordered_product((*outside, sum_over(var, ordered_product(inside))))


# --- Equations found before --------------------------------------------------------------------


def insert_adjoints(expr: Expr, found: Iterable[Adjoint], used: dict[str, Premise]) -> Expr:
    """Every adjoint without a name replaced by the closed form of its chain."""
    chains = list(found)

    def image(access: Access) -> Expr | None:
        if access.tensor.role is not Role.ADJOINT or access.tensor.named:
            return None
        for chain in chains:
            if chain.tensor == access.tensor:
                closed = chain.at(access)
                if closed is not None:
                    used[access.tensor.name] = Uses(access.tensor)
                    return closed
        return None

    return replace_accesses(expr, image)

"""Multiply out, reduce sums of known value, and take out common factors."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from symderiv.algebra.binding import free_variables, replace_accesses, substitute
from symderiv.algebra.expr import (
    ZERO,
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    SizeOf,
    Sum,
    add,
    mul,
    power,
    rebuild,
    walk,
)
from symderiv.algebra.matching import match
from symderiv.algebra.normal import normal
from symderiv.calculus.graph import Fact, Graph
from symderiv.calculus.ordering import ordered_product
from symderiv.calculus.rewriting import tidy_sum

# --- Sums with a known value ----------------------------------------------------------------


def reduce_sums(expr: Expr, graph: Graph) -> tuple[Expr, list[Fact]]:
    """Replace a sum by its value: an assumption (Σ y = 1), or a value found by inlining.

    A sum over several terms is split where that sets free a sum of known value.
    """
    facts: dict[str, Fact] = {}

    def run(node: Expr) -> Expr:
        node = rebuild(node, run)
        if isinstance(node, Add):
            return _reduced_terms(node, graph, facts)
        if not isinstance(node, Sum):
            return node
        parts = [tidy_sum(node.var, term) for term in terms_of(node.body)]
        values = [_valued(part, graph) for part in parts]
        if not any(found for _, found in values):
            return node
        for _, found in values:
            for fact in found:
                facts.setdefault(fact.text, fact)
        return add(*(value for value, _ in values))

    return run(expr), list(facts.values())


def _reduced_terms(node: Add, graph: Graph, facts: dict[str, Fact]) -> Expr:
    """``y1 p + y2 p`` is p where y1 + y2 = 1 is declared."""
    terms = list(node.terms)
    for fact in graph.facts:
        if not isinstance(fact.left, Add):
            continue
        first, *others = fact.left.terms
        for n, term in enumerate(terms):
            factors = list(term.factors if isinstance(term, Mul) else (term,))
            hits = ((k, match(first, f, fact.variables)) for k, f in enumerate(factors))
            place, binding = next((hit for hit in hits if hit[1] is not None), (0, None))
            if binding is None:
                continue
            rest = factors[:place] + factors[place + 1 :]
            wanted = [normal(mul(*rest, substitute(o, binding))).key for o in others]
            keys = [normal(t).key for t in terms]
            if all(key in keys for key in wanted):
                used = {n, *(keys.index(key) for key in wanted)}
                facts.setdefault(fact.text, fact)
                terms[n] = ordered_product([*rest, substitute(fact.right, binding)])
                return add(*(t for k, t in enumerate(terms) if k == n or k not in used))
    return node


def _valued(part: Expr, graph: Graph) -> tuple[Expr, list[Fact]]:
    """A product, its sums of known value replaced."""
    factors = list(part.factors if isinstance(part, Mul) else (part,))
    found: list[Fact] = []
    for n, factor in enumerate(factors):
        if isinstance(factor, Sum):
            known = _known_value(factor, graph)
            if known is not None:
                factors[n], fact = known
                found.append(fact)
    return (ordered_product(factors) if found else part), found


def _known_value(node: Sum, graph: Graph) -> tuple[Expr, Fact] | None:
    for fact in graph.facts:
        binding = match(fact.left, node, fact.variables)
        if binding is not None:
            return substitute(fact.right, binding), fact
    value = discovered(node, graph)
    if value is None:
        return None
    free = tuple(sorted(free_variables(node), key=lambda v: v.uid))
    return value, Fact(node, value, "a sum found by inserting definitions", free, assumed=False)


def discovered(node: Sum, graph: Graph) -> Expr | None:
    """The value of a sum of auxiliary quantities, if inserting definitions leaves a number.

    So ``Σ_i (x_i - mean)/s = 0`` and ``Σ_j e_j/s = 1`` are found, not looked up.
    """
    tensors = {n.tensor for n in walk(node) if isinstance(n, Access)}
    if not tensors or any(t.role in (Role.ADJOINT, Role.PARAMETER) for t in tensors):
        return None
    opened: Expr = node
    for _ in graph.definitions:
        wider = replace_accesses(opened, lambda access: opened_definition(access, graph))
        if wider == opened:
            break
        opened = wider
        form = normal(opened)
        if not form.terms:
            return ZERO
        if all(not t.bound and _only_sizes(t.monomial) for t in form.terms):
            return form.expr()
    return None


def opened_definition(access: Access, graph: Graph) -> Expr | None:
    """The definition of an entry, unless it is a function applied, which stays an atom."""
    body = graph.expand(access)
    return None if isinstance(body, Apply) else body


def _only_sizes(monomial: tuple[tuple[Expr, int], ...]) -> bool:
    return all(isinstance(atom, SizeOf) for atom, _ in monomial)


# --- Multiplying out ------------------------------------------------------------------------------


def terms_of(expr: Expr) -> list[Expr]:
    """The terms after multiplying out products of sums of terms (not under Σ)."""
    if isinstance(expr, Add):
        return [t for term in expr.terms for t in terms_of(term)]
    if isinstance(expr, Mul):
        products: list[tuple[Expr, ...]] = [()]
        for factor in expr.factors:
            products = [(*p, t) for p in products for t in terms_of(factor)]
        return [mul(*p) for p in products]
    return [expr]


# --- Collecting -----------------------------------------------------------------------------------


@dataclass
class _Monomial:
    """A rational number times powers of atoms, atoms by the key of their normal form."""

    coefficient: Fraction
    powers: dict[str, int]

    def key(self) -> tuple[tuple[str, int], ...]:
        return tuple(sorted((k, p) for k, p in self.powers.items() if p))


def collect(expr: Expr) -> Expr:
    """Multiply out, add equal terms, take out what is common to all of them.

    A size in a denominator is taken out of every term. Positive and short terms come first.
    """
    if isinstance(expr, Mul):
        sums = [f for f in expr.factors if isinstance(f, Add)]
        if not sums:
            return expr
    elif not isinstance(expr, Add):
        return expr
    atoms: dict[str, Expr] = {}
    merged: dict[tuple[tuple[str, int], ...], _Monomial] = {}
    for term in terms_of(expr):
        monomial = _monomial(term, atoms)
        known = merged.setdefault(monomial.key(), _Monomial(Fraction(0), monomial.powers))
        known.coefficient += monomial.coefficient
    kept = [m for m in merged.values() if m.coefficient]
    if not kept:
        return ZERO
    common = _common(kept, atoms)
    content = Fraction(
        gcd(*(m.coefficient.numerator for m in kept)),
        lcm(*(m.coefficient.denominator for m in kept)),
    )
    if all(m.coefficient < 0 for m in kept):
        content = -content
    rest = []
    for m in kept:
        powers = {k: m.powers.get(k, 0) - common.get(k, 0) for k in {**m.powers, **common}}
        rest.append(_Monomial(m.coefficient / content, powers))
    inner = add(*sorted((_product(m, atoms) for m in rest), key=_display_rank))
    outer = _product(_Monomial(content, common), atoms)
    return ordered_product((outer, inner))


def _monomial(term: Expr, atoms: dict[str, Expr]) -> _Monomial:
    result = _Monomial(Fraction(1), {})
    pending: list[tuple[Expr, int]] = [(term, 1)]
    while pending:
        base, exponent = pending.pop(0)
        match base:
            case Number(value):
                result.coefficient *= value**exponent
            case Mul(factors):
                pending[:0] = [(f, exponent) for f in factors]
            case Pow(inner, p):
                pending.insert(0, (inner, p * exponent))
            case _:
                key = normal(base).key
                atoms.setdefault(key, base)
                result.powers[key] = result.powers.get(key, 0) + exponent
    return result


def _common(monomials: list[_Monomial], atoms: dict[str, Expr]) -> dict[str, int]:
    common = {}
    for key in dict.fromkeys(k for m in monomials for k in m.powers):
        powers = [m.powers.get(key, 0) for m in monomials]
        if isinstance(atoms[key], SizeOf) or all(p > 0 for p in powers):
            common[key] = min(powers)
        elif all(p < 0 for p in powers):
            common[key] = max(powers)
    return {k: p for k, p in common.items() if p}


def _product(monomial: _Monomial, atoms: dict[str, Expr]) -> Expr:
    factors = [power(atoms[k], p) for k, p in monomial.powers.items()]
    return ordered_product((Number(monomial.coefficient), *factors))


def _display_rank(term: Expr) -> tuple[bool, bool, int]:
    first = term.factors[0] if isinstance(term, Mul) else term
    negative = isinstance(first, Number) and first.value < 0
    nodes = list(walk(term))
    return negative, any(isinstance(n, Sum) for n in nodes), len(nodes)

"""To SymPy and back: scalar trees, and the cancellation of elementwise rational factors.

SymPy is imported inside the functions, so that importing this module costs nothing. Symbols
are made here from numbers; no text of a user ever reaches SymPy.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache, reduce
from typing import Any

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
    Tensor,
    add,
    children,
    mul,
    power,
)
from symderiv.calculus.functions import scalar
from symderiv.calculus.lengths import is_large, rational_atoms, stays_shortest, weight

# --- Trees to SymPy --------------------------------------------------------------------------

_GENERATORS: Mapping[str, str] = {
    "exp": "exp",
    "log": "log",
    "sqrt": "sqrt",
    "sin": "sin",
    "cos": "cos",
    "erf": "erf",
    "arctan": "atan",
    "power": "Pow",
}


def to_sympy(
    expr: Expr,
    symbol: Callable[[Expr], Any],
    step: Callable[[Any], Any] | None = None,
) -> Any:
    """A scalar tree in SymPy, definitions unfolded down to SymPy's own functions.

    ``symbol`` gives the SymPy symbol of an atom (an entry of a tensor, a size, anything that
    is no arithmetic). ``step`` gives the image of ``positive(c)`` from the image of c; by
    default a Piecewise. Applications with derivatives are differentiated by SymPy.
    """
    import sympy

    def convert(e: Expr) -> Any:
        match e:
            case Number(value):
                return sympy.Rational(value.numerator, value.denominator)
            case Add(terms):
                return sympy.Add(*map(convert, terms))
            case Mul(factors):
                return sympy.Mul(*map(convert, factors))
            case Pow(base, exponent):
                return sympy.Pow(convert(base), exponent)
            case Apply(name, args, orders) if any(orders):
                slots = [sympy.Dummy(f"t{k}") for k in range(len(args))]
                body = image(name, slots)
                for slot, order in zip(slots, orders, strict=True):
                    body = sympy.diff(body, slot, order) if order else body
                return body.xreplace(dict(zip(slots, map(convert, args), strict=True)))
            case Apply(name, args, _):
                return image(name, [convert(a) for a in args])
            case _:
                return symbol(e)

    def image(name: str, args: list[Any]) -> Any:
        if name == "pi":
            return sympy.pi
        if name == "positive":
            if step is not None:
                return step(args[0])
            return sympy.Piecewise((1, args[0] > 0), (0, True))
        if name in _GENERATORS:
            return getattr(sympy, _GENERATORS[name])(*args)
        row = scalar(name)
        if row.definition is None:
            raise ValueError(f"the primitive {name} has no image in SymPy")
        places: list[Expr] = [Access(Tensor(f"slot-{k}"), ()) for k in range(len(args))]
        images = dict(zip(places, args, strict=True))
        return to_sympy(row.definition(*places), lambda e: images[e], step)

    return convert(expr)


# --- SymPy to trees --------------------------------------------------------------------------


def from_sympy(value: Any, atoms: Mapping[Any, Expr]) -> Expr:
    """A rational SymPy expression as a tree, its symbols replaced by ``atoms``.

    Raises ValueError for anything that is not a sum, product, integer power or rational.
    """
    if value in atoms:
        return atoms[value]
    if value.is_Rational:
        return Number(Fraction(int(value.p), int(value.q)))
    if value.is_Add:
        return add(*(from_sympy(t, atoms) for t in value.as_ordered_terms()))
    if value.is_Mul:
        return mul(*(from_sympy(f, atoms) for f in value.as_ordered_factors()))
    if value.is_Pow and value.exp.is_Integer:
        return power(from_sympy(value.base, atoms), int(value.exp))
    raise ValueError(f"not rational over the atoms: {type(value).__name__}")


# --- Cancelling ------------------------------------------------------------------------------

_RANK = {
    role: rank
    for rank, roles in enumerate(
        (
            (Role.HYPERPARAMETER,),
            (Role.PARAMETER,),
            (Role.ADJOINT,),
            (Role.INPUT, Role.PREACTIVATION, Role.ACTIVATION, Role.AUXILIARY),
            (Role.LOSS, Role.PENALTY, Role.COST),
            (Role.TARGET,),
        )
    )
    for role in roles
}


def _rank(atom: Expr) -> tuple[int, bool]:
    """Where an atom stands in a sum: hyperparameters first, targets last."""
    match atom:
        case SizeOf():
            return -1, False
        case Access(tensor, _):
            return _RANK[tensor.role], False
        case _:
            return _RANK[Role.AUXILIARY], True


def _place(factor: Expr) -> int:
    """Where a factor stands in a product: y (1 - a)**gamma (a - 1), y log a."""
    match factor:
        case Pow(base, _):
            return _place(base)
        case Number() | SizeOf() | Access():
            return 0
        case Add(terms):
            return 2 * len(terms) + (not any(isinstance(t, Number) for t in terms))
        case _:
            return 1


@lru_cache(maxsize=10_000)
def cancel_rational(expr: Expr) -> Expr | None:
    """The compact form of an elementwise rational factor, or None if nothing improves.

    Entries, functions, sums and all else that is no arithmetic are opaque atoms. Theorem: both
    sides are the same rational function of the atoms (SymPy's fractions and ``factor``). What
    would be multiplied out to a long polynomial stays as it is.

    For example (-y/a + (1 - y)/(1 - a)) a (1 - a) gives a - y.
    """
    atoms = rational_atoms(expr)
    if stays_shortest(expr) or is_large(expr, len(atoms)):
        return None

    import sympy

    atoms.sort(key=_rank)
    symbols = [sympy.Symbol(f"x{k:03}") for k in range(len(atoms))]
    fractions = sympy.polys.fields.FracField(symbols, sympy.QQ, sympy.lex)
    try:  # every operation cancels, which is quicker than to cancel in the end
        value = _rational(expr, dict(zip(atoms, fractions.gens, strict=True)), fractions)
    except ZeroDivisionError:
        return None
    if value == 0:
        return ZERO if expr != ZERO else None
    sign, top = _factors(value.numer, symbols, atoms)
    flip, bottom = _factors(value.denom, symbols, atoms)
    found = _assemble(sign / flip, top, bottom)
    return found if weight(found) < weight(expr) else None


def _rational(expr: Expr, atoms: Mapping[Expr, Any], field: Any) -> Any:
    """A fraction of the field. Raises ZeroDivisionError."""
    if expr in atoms:
        return atoms[expr]
    match expr:
        case Number(value):
            return field(field.domain(value.numerator, value.denominator))
        case Pow(base, exponent):
            return _rational(base, atoms, field) ** exponent
        case _:
            made = operator.add if isinstance(expr, Add) else operator.mul
            return reduce(made, (_rational(c, atoms, field) for c in children(expr)))


def _factors(
    polynomial: Any, gens: list[Any], atoms: list[Expr]
) -> tuple[Fraction, list[tuple[Expr, int]]]:
    """A polynomial as a number times powers, each factor turned the way it is read."""
    number, parts = _factored(polynomial, gens)
    total = Fraction(int(number.p), int(number.q))
    found = []
    for part, exponent in parts:
        terms = part.terms()
        if _leading(terms) < 0:
            terms = [(m, -c) for m, c in terms]
            total *= (-1) ** exponent
        found.append((_sum(terms, atoms), int(exponent)))
    return total, found


def _factored(polynomial: Any, gens: list[Any]) -> tuple[Any, list[tuple[Any, int]]]:
    """A number and the irreducible factors with their powers, in SymPy's order.

    Theorem: A x + B is the greatest common divisor of A and B, times an irreducible polynomial. So
    a polynomial that is linear in a variable, as most are, is factored without a search.
    """
    import sympy

    number, found = sympy.Integer(1), []
    for x in polynomial.ring.gens:
        if polynomial.degree(x) == 1:
            slope = polynomial.diff(x)
            common = slope.gcd(polynomial - slope * x)
            content, part = polynomial.exquo(common).primitive()
            number *= sympy.QQ.to_sympy(content)
            found.append((_poly(part, gens), 1))
            polynomial = common
    if polynomial.is_ground:
        rest, others = sympy.QQ.to_sympy(polynomial.LC), []
    else:
        rest, others = sympy.factor_list(_poly(polynomial, gens), polys=True)
    parts = sorted([*found, *others], key=lambda f: (f[0].degree(), f[1], f[0].rep.to_list()))
    return number * rest, parts


def _poly(polynomial: Any, gens: list[Any]) -> Any:
    import sympy

    return sympy.Poly.from_dict(dict(polynomial), *gens, domain=sympy.QQ)


def _leading(terms: list[tuple[tuple[int, ...], Any]]) -> Any:
    """What decides the sign: the majority (u + v - 1), else the constant (1 - a), else the
    first atom (a - y)."""
    majority = sum(1 if c > 0 else -1 for _, c in terms)
    return majority or next((c for m, c in terms if not any(m)), terms[0][1])


def _sum(terms: list[tuple[tuple[int, ...], Any]], atoms: list[Expr]) -> Expr:
    """A sum as it is read: positive terms first; a constant first (1 + a) or last (a - 1)."""

    def order(term: tuple[tuple[int, ...], Any]) -> tuple[bool, bool]:
        negative, constant = bool(term[1] < 0), not any(term[0])
        return negative, constant if negative else not constant

    def product(monomial: tuple[int, ...], c: Any) -> Expr:
        factors = [power(atom, e) for atom, e in zip(atoms, monomial, strict=True) if e]
        return mul(Number(Fraction(int(c.p), int(c.q))), *sorted(factors, key=_place))

    return add(*(product(monomial, c) for monomial, c in sorted(terms, key=order)))


def _assemble(
    number: Fraction, top: list[tuple[Expr, int]], bottom: list[tuple[Expr, int]]
) -> Expr:
    """``number * top / bottom`` with a minus sign taken into a difference where one is."""
    top, bottom = (sorted(_squares(f), key=lambda f: _place(f[0])) for f in (top, bottom))
    if number < 0:
        for k, (factor, exponent) in enumerate(top):
            alone = len(top) == 1 and number == -1
            if exponent % 2 and isinstance(factor, Add) and _is_difference(factor, alone):
                first, second = factor.terms
                top[k] = (add(-second, -first), exponent)
                number = -number
                break
    numerator = mul(Number(number), *(power(f, e) for f, e in top))
    if not bottom:
        return numerator
    return numerator / mul(*(power(f, e) for f, e in bottom))


def _is_difference(factor: Add, alone: bool) -> bool:
    """Whether it reads u - v, so that v - u reads as well; 1 - v is turned only alone."""
    match factor.terms:
        case (first, Mul((Number(value), *_))):
            return value < 0 and (alone or not isinstance(first, Number))
        case _:
            return False


def _squares(factors: list[tuple[Expr, int]]) -> list[tuple[Expr, int]]:
    """(1 - x)(1 + x) as 1 - x**2."""
    left = list(factors)
    for factor, exponent in factors:
        match factor:
            case Add((Number(one), Mul((Number(minus), x)))) if one == 1 and minus == -1:
                partner = (1 + x, exponent)
                if partner in left and (factor, exponent) in left:
                    left[left.index((factor, exponent))] = (1 - x**2, exponent)
                    left.remove(partner)
    return left
